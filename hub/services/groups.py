"""Trust groups. Only an operator makes or changes them; members see those they are active in."""

from __future__ import annotations

from enum import StrEnum
from types import EllipsisType
from typing import Final

from hub.domain import naming
from hub.domain.membership import MemberVisibility, QuantumSafe, TrustGroup
from hub.errors import InvalidRequest
from hub.services import audit
from hub.services import quantum_safe as second_signature
from hub.services.actor import (
    Actor,
    operated_group,
    require_operator,
    require_reader,
    visible_group,
    visible_groups,
)
from hub.services.change import changed
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import collections as collection_store
from hub.store import groups as store

DEFAULT_TLP: Final = "amber"
TLP_CEILING: Final = "red"
DEFAULT_COLLECTIONS: Final = (("indicators", "Indicators"), ("incidents", "Incidents"))
"""(alias, title) of what every new group starts with; both take every type until somebody restricts them."""


SETTINGS: Final = (
    "title",
    "description",
    "default_tlp",
    "tlp_ceiling",
    "signature_required",
    "quantum_safe",
    "member_visibility",
    "two_person",
    "pseudonyms",
)
"""What `update` changes, by its name in `TrustGroup`."""


def listed(hub: Hub, actor: Actor) -> list[TrustGroup]:
    """Return the groups the actor may know of, by slug."""
    require_reader(actor)
    with hub.db.read() as tx:
        return visible_groups(tx, actor)


def shown(hub: Hub, actor: Actor, slug: str) -> TrustGroup:
    """Return one group the actor may know of. Raises NotFound."""
    require_reader(actor)
    with hub.db.read() as tx:
        return visible_group(tx, actor, slug)[0]


def add(
    hub: Hub,
    actor: Actor,
    *,
    slug: str,
    title: str,
    description: str | None = None,
    default_tlp: str = DEFAULT_TLP,
    tlp_ceiling: str = TLP_CEILING,
    signature_required: bool = True,
) -> TrustGroup:
    """Make a group with its two default collections and no members. Raises Conflict when the slug is taken."""
    require_operator(actor)
    naming.slug(slug)
    _check(title, description, default_tlp, tlp_ceiling)
    settings = {"default_tlp": default_tlp, "tlp_ceiling": tlp_ceiling, "signature_required": signature_required}
    with hub.db.write() as tx:
        now = hub.clock()
        trust_group = store.add(
            tx,
            slug=slug,
            title=title,
            description=description,
            default_tlp=default_tlp,
            tlp_ceiling=tlp_ceiling,
            signature_required=signature_required,
            now=now,
        )
        audit.record(tx, hub, actor, "group.add", f"groups/{slug}", title=title, description=description, **settings)
        for alias, collection_title in DEFAULT_COLLECTIONS:
            collection = collection_store.add(
                tx,
                group_id=trust_group.id,
                uuid=uuid4(hub.token_bytes),
                title=collection_title,
                description=None,
                alias=alias,
                allowed_types=None,
                now=now,
            )
            subject = f"groups/{slug}/collections/{collection.uuid}"
            audit.record(tx, hub, actor, "collection.add", subject, title=collection_title, alias=alias)
    return trust_group


def update(
    hub: Hub,
    actor: Actor,
    slug: str,
    *,
    title: str | EllipsisType = ...,
    description: str | EllipsisType | None = ...,
    default_tlp: str | EllipsisType = ...,
    tlp_ceiling: str | EllipsisType = ...,
    signature_required: bool | EllipsisType = ...,
    quantum_safe: str | EllipsisType = ...,
    member_visibility: str | EllipsisType = ...,
    two_person: bool | EllipsisType = ...,
    pseudonyms: bool | EllipsisType = ...,
) -> TrustGroup:
    """Change what is named; objects stored before keep the decision that was made for them. Raises NotFound."""
    require_reader(actor)
    with hub.db.write() as tx:
        before = operated_group(tx, actor, slug)
        new_title, new_description = changed(before.title, title), changed(before.description, description)
        new_default, new_ceiling = changed(before.default_tlp, default_tlp), changed(before.tlp_ceiling, tlp_ceiling)
        new_required = changed(before.signature_required, signature_required)
        _check(new_title, new_description, new_default, new_ceiling)
        store.update(
            tx,
            before.id,
            title=new_title,
            description=new_description,
            default_tlp=new_default,
            tlp_ceiling=new_ceiling,
            signature_required=new_required,
            quantum_safe=_member_of(quantum_safe, QuantumSafe, "quantum_safe"),
            member_visibility=_member_of(member_visibility, MemberVisibility, "member_visibility"),
            two_person=two_person,
            pseudonyms=pseudonyms,
        )
        after = operated_group(tx, actor, slug)
        if after.quantum_safe is not before.quantum_safe:
            second_signature.refuse_for_group(tx, after, after.quantum_safe)
        detail = {name: getattr(after, name) for name in SETTINGS if getattr(after, name) != getattr(before, name)}
        if detail:
            audit.record(tx, hub, actor, "group.update", f"groups/{slug}", **detail)
        return after


def _member_of(value: str | EllipsisType, values: type[StrEnum], field: str) -> str | EllipsisType:
    if not isinstance(value, EllipsisType):
        naming.one_of(value, tuple(each.value for each in values), field)
    return value


def _check(title: str, description: str | None, default_tlp: str, tlp_ceiling: str) -> None:
    naming.line(title, "title")
    if description is not None:
        naming.text(description, "description")
    naming.one_of(default_tlp, naming.DEFAULT_TLP_LEVELS, "default_tlp")
    naming.one_of(tlp_ceiling, naming.TLP_LEVELS, "tlp_ceiling")
    if naming.TLP_LEVELS.index(default_tlp) > naming.TLP_LEVELS.index(tlp_ceiling):
        raise InvalidRequest("the default level is stricter than the ceiling of the group", field="default_tlp")
