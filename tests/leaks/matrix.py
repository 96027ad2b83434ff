"""The world of the leak matrix: every way to be related to a group, every marking, every releasability, every place.

Who may see what is written down here by hand, one line per case, and never computed with the hub's own policy.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.client import keyfile
from hub.domain.bundle_signing import sign_objects
from hub.domain.credentials import Basic
from hub.domain.key_material import PrivateKey
from hub.domain.membership import Caller, CredentialKind, PeerKind, Right, Role
from hub.domain.releasability import EXTENSION_ID
from hub.domain.taxii_time import format_timestamp
from hub.services import collections, credentials, groups, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.authentication import authenticate
from hub.services.context import Hub
from hub.store.database import Database
from tests.services.cast import SECOND, START, make_hub

DAY = 24 * 3600 * SECOND
READ, WRITE, MODERATE = Right.READ, Right.WRITE, Right.MODERATE

# handle: rights in alpha, rights in bravo. None is no membership.
PEERS: Mapping[str, tuple[set[Right] | None, set[Right] | None]] = {
    "aa": ({READ, WRITE}, {READ, WRITE}),  # the author of everything
    "bb": ({READ}, {READ, WRITE}),  # named in some markings, excluded in others
    "cc": ({WRITE}, {WRITE}),  # may write but not read
    "dd": ({READ, WRITE}, {READ}),  # suspended member of both
    "ee": (None, {READ, WRITE}),  # in bravo only
    "ff": ({READ}, {READ}),  # suspended peer
    "gg": ({READ, WRITE}, {READ}),  # may not read in the second collection of either group
    "hh": ({READ, WRITE, MODERATE}, {READ}),  # moderates alpha
    "ii": (None, None),  # a peer in no group
}
GROUPS = {"alpha": ("red", True), "bravo": ("amber", False)}
ALIASES = ("indicators", "incidents")
BLIND = {("gg", "incidents")}

_TLP2 = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_TLP1 = {
    "white": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
_UNKNOWN = "marking-definition--b3b1a2f0-3f0e-4b5e-8f6c-1d2e3f4a5b6c"


@dataclass(frozen=True)
class Marking:
    """Marking refs of an object, the groups that take it, and whether it needs named recipients."""

    refs: tuple[str, ...]
    taken_by: tuple[str, ...] = ("alpha", "bravo")
    needs_recipients: bool = False
    granular: bool = False


MARKINGS: Mapping[str, Marking] = {
    "unmarked": Marking(()),
    **{f"TLP2 {name}": Marking((ref,)) for name, ref in _TLP2.items() if name in ("clear", "green", "amber")},
    **{f"TLP1 {name}": Marking((ref,)) for name, ref in _TLP1.items() if name != "red"},
    "TLP2 amber+strict": Marking((_TLP2["amber+strict"],), ("alpha",)),
    "TLP2 red": Marking((_TLP2["red"],), ("alpha",), needs_recipients=True),
    "TLP1 red": Marking((_TLP1["red"],), ("alpha",), needs_recipients=True),
    "clear and red": Marking((_TLP2["clear"], _TLP2["red"]), ("alpha",), needs_recipients=True),
    "red on one property": Marking((_TLP2["red"],), ("alpha",), needs_recipients=True, granular=True),
    "unknown": Marking((_UNKNOWN,), ()),
}


@dataclass(frozen=True)
class Releasability:
    """A releasability marking and the handles it leaves, besides the author; None leaves every reader of the group."""

    extension: Mapping[str, Any] | None
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    names: bool = False  # it names recipients, as RED demands
    held: bool = False
    ends: bool = False


def releasabilities(identity: Mapping[str, str]) -> dict[str, Releasability]:
    """Return every releasability case of the matrix."""
    later, soon = format_timestamp(START + 30 * DAY), format_timestamp(START + DAY)

    def extension(**said: Any) -> dict[str, Any]:
        return {"extension_type": "property-extension", "onward_relay": True, **said}

    to = {handle: [identity[handle]] for handle in identity}
    return {
        "none": Releasability(None),
        "no onward relay": Releasability(extension(onward_relay=False)),
        "to bb": Releasability(extension(recipient_refs=to["bb"]), frozenset({"bb"}), names=True),
        "to gg and ee": Releasability(
            extension(recipient_refs=to["gg"] + to["ee"]), frozenset({"gg", "ee"}), names=True
        ),
        "to ii, who is in no group": Releasability(extension(recipient_refs=to["ii"]), frozenset(), names=True),
        "not to bb": Releasability(extension(excluded_refs=to["bb"]), never=frozenset({"bb"})),
        "embargo": Releasability(extension(embargo_until=later), held=True),
        "to bb until tomorrow": Releasability(
            extension(recipient_refs=to["bb"], permission_expires=soon), frozenset({"bb"}), names=True, ends=True
        ),
    }


@dataclass
class Case:
    """One object of the matrix and who may read it; ``text`` stands in the object and nowhere else."""

    name: str
    group: str
    alias: str
    stix_id: str
    text: str
    readers: frozenset[str]
    accepted: bool
    held: bool
    ends: bool


@dataclass
class Matrix:
    """The hub, its callers and every case."""

    hub: Hub
    identity: dict[str, str] = field(default_factory=dict)
    logins: dict[str, tuple[str, str]] = field(default_factory=dict)
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    refs: dict[tuple[str, str], str] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    markers: list[tuple[str, str, str, frozenset[str], bool]] = field(default_factory=list)
    """(group, alias, marking-definition id, readers, ends) of each releasability marking; an embargo does not hold it
    back: what is posted later must be able to refer to it."""

    def caller(self, handle: str) -> Caller:
        """Return who authenticates as this peer."""
        return authenticate(self.hub, Basic(*self.logins[handle]))

    def signed(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the objects as AA signs them."""
        signed, _ = sign_objects(
            objects,
            self.keys["aa"],
            identity=self.identity["aa"],
            created=format_timestamp(self.hub.clock())[:23] + "Z",
            new_uuid=lambda: str(uuid.uuid4()),
        )
        return signed


def make_matrix(database: Database) -> Matrix:
    """Make the peers and the groups; nothing is posted yet."""
    hub = make_hub(database)
    made = Matrix(hub)
    peers.add(hub, OPERATOR, handle="hub", name="The hub", kind=PeerKind.HUB)
    for handle in PEERS:
        made.identity[handle] = peers.add(
            hub, OPERATOR, handle=handle, name=f"CIRT {handle}", kind=PeerKind.NATIONAL
        ).identity
        login = credentials.add(hub, OPERATOR, handle, kind=CredentialKind.BASIC, role=Role.ANALYST, label="matrix")
        assert login.secret is not None
        assert login.credential.username is not None
        made.logins[handle] = (login.credential.username, login.secret)
        made.keys[handle] = keyfile.generate()
        keys.enrol(hub, OPERATOR, handle, public_key=made.keys[handle].public.text)
    for slug, (ceiling, required) in GROUPS.items():
        groups.add(hub, OPERATOR, slug=slug, title=slug, tlp_ceiling=ceiling, signature_required=required)
        for alias, ref in ((row.alias, row.uuid) for row, _ in collections.listed(hub, OPERATOR, slug)[1]):
            assert alias is not None
            made.refs[slug, alias] = ref
    for handle, rights in PEERS.items():
        for slug, held in zip(GROUPS, rights, strict=True):
            if held is not None:
                members.put(hub, OPERATOR, slug, handle, held)
    for handle, alias in BLIND:
        for slug in GROUPS:
            collections.set_rights(hub, OPERATOR, slug, alias, handle, (False, None))
    for slug in GROUPS:
        members.suspend(hub, OPERATOR, slug, "dd")
    return made


def readers_of(group: str, alias: str) -> frozenset[str]:
    """Return the peers that may read anything at all in a collection."""
    position = list(GROUPS).index(group)
    return frozenset(
        handle
        for handle, rights in PEERS.items()
        if READ in (rights[position] or ()) and handle not in ("dd", "ff") and (handle, alias) not in BLIND
    )


def plan(matrix: Matrix) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return, for each (group, alias), the objects AA posts there; the matrix then knows who may read which."""
    envelopes: dict[tuple[str, str], list[dict[str, Any]]] = {}
    stamp = format_timestamp(START)[:23] + "Z"
    author = matrix.identity["aa"]
    number = 0
    for group, alias in matrix.refs:
        objects: list[dict[str, Any]] = []
        for said, rule in releasabilities(matrix.identity).items():
            left = readers_of(group, alias)
            left = (left if rule.only is None else left & rule.only) - rule.never | (left & {"aa"})
            marker: str | None = None
            if rule.extension is not None:
                marker = f"marking-definition--{uuid.uuid4()}"
                objects.append(
                    {
                        "type": "marking-definition",
                        "spec_version": "2.1",
                        "id": marker,
                        "created": stamp,
                        "created_by_ref": author,
                        "extensions": {EXTENSION_ID: dict(rule.extension)},
                    }
                )
                matrix.markers.append((group, alias, marker, left, rule.ends))
            for name, marking in MARKINGS.items():
                number += 1
                accepted = group in marking.taken_by and (rule.names or not marking.needs_recipients)
                one = Case(
                    name=f"{group}/{alias}: {name}, {said}",
                    group=group,
                    alias=alias,
                    stix_id=f"indicator--{uuid.uuid4()}",
                    text=f"only-for-its-audience-{number:05d}",
                    readers=left if accepted and not rule.held else frozenset(),
                    accepted=accepted,
                    held=rule.held,
                    ends=rule.ends,
                )
                matrix.cases.append(one)
                objects.append(_indicator(one, author, stamp, marking, marker))
        envelopes[group, alias] = objects
    return envelopes


def _indicator(one: Case, author: str, stamp: str, marking: Marking, marker: str | None) -> dict[str, Any]:
    refs = [*(() if marking.granular else marking.refs), *([marker] if marker else [])]
    made: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": one.stix_id,
        "created": stamp,
        "modified": stamp,
        "created_by_ref": author,
        "name": one.text,
        "pattern": f"[domain-name:value = '{one.text}.example']",
        "pattern_type": "stix",
        "valid_from": stamp,
    }
    if refs:
        made["object_marking_refs"] = refs
    if marking.granular:
        made["granular_markings"] = [{"marking_ref": marking.refs[0], "selectors": ["name"]}]
    return made
