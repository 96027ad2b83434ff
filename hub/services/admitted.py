"""Which objects of a submission join what is stored; a retraction among them is carried out on the way.

Nothing is written yet but what a retraction, a revocation or a narrower version takes away. The collection is locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from hub.domain.admission import Admission, Candidate, KnownVersion, admit
from hub.domain.audience import Audience
from hub.domain.retraction import NOTE, is_retraction
from hub.domain.submission import Decided, Failed, VersionName
from hub.domain.taxii_time import format_timestamp
from hub.services import retraction_notes
from hub.services.context import Hub
from hub.services.decision import Place
from hub.services.relay import withdrawn
from hub.services.retraction_notes import Carried
from hub.services.stock import Stock
from hub.services.succession import succeed
from hub.services.withdrawal import Act

SIGNED_TARGET_REFUSED: Final = "the object it signs was refused"
CHANGES: Final = "a retraction is never changed, and no other note becomes one: post a new note"


@dataclass(slots=True)
class Found:
    """What became of the objects of a submission, and what follows from it.

    :param audiences: who may see a version, where that is not as it was decided; also of the signatures over it.
    :param messages: for the status, by index in the envelope. :param acts: what has to be told.
    """

    duplicates: list[tuple[Decided, KnownVersion]] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    fresh: list[Decided] = field(default_factory=list)
    audiences: dict[VersionName, Audience] = field(default_factory=dict)
    messages: dict[int, str] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)


def admitted(tx: Connection, hub: Hub, place: Place, stock: Stock, decided: Sequence[Decided], *, now: int) -> Found:
    """Admit each against what is stored: revocations first, retractions after the objects, signatures last."""
    found = Found()
    known, refused_targets = stock.known, set[VersionName]()
    objects = {item.parsed.facts.id for item in decided if not is_retraction(item.parsed.obj)}
    for item in sorted(decided, key=_turn):
        facts = item.parsed.facts
        if item.parsed.is_signature and item.parsed.version_signed in refused_targets:
            found.failed.append(item.parsed.failed("signature", SIGNED_TARGET_REFUSED))
            continue
        revocation = stock.revocations.get(facts.id)
        admission = admit(_candidate(place, item), known[facts.id], stock.tombstone(item), revocation)
        if admission.outcome == "new" and facts.type == NOTE:
            admission, item = _admit_note(tx, hub, place, stock, item, objects, found, now=now)
        if admission.outcome == "new":
            found.fresh.append(item)
            known[facts.id].append(_as_known(place, item, now))
            if facts.revoked and (item.verdict.embargo_until or 0) <= now:
                stock.revocations[facts.id] = known[facts.id][-1]
        elif admission.outcome == "duplicate":
            found.duplicates.append((item, _same(place, item, known[facts.id])))
        else:
            refused_targets.add(item.parsed.version_named)
            keep = admission.outcome == "conflict"
            found.failed.append(item.parsed.failed(admission.rule, admission.reason, keep=keep))
    return found


def _admit_note(
    tx: Connection,
    hub: Hub,
    place: Place,
    stock: Stock,
    item: Decided,
    objects: AbstractSet[str],
    found: Found,
    *,
    now: int,
) -> tuple[Admission, Decided]:
    """Carry a retraction out, and keep retractions as they are; any other note passes."""
    stix_id = item.parsed.facts.id
    if not is_retraction(item.parsed.obj):
        return (_refused(CHANGES) if stix_id in stock.notices else Admission("new")), item
    if stix_id in stock.here:
        return _refused(CHANGES), item
    carried: Carried | str
    if withdrawn.is_partners(place, item):
        carried = withdrawn.carry_out(tx, hub, place, item, now=now)
    else:
        carried = retraction_notes.carry_out(tx, hub, place, item, objects, now=now)
    if isinstance(carried, str):
        return _refused(carried), item
    found.audiences[item.parsed.version_named] = carried.audience
    found.messages[item.parsed.index] = carried.message
    found.acts += [] if carried.act is None else [carried.act]
    return Admission("new"), replace(item, verdict=replace(item.verdict, audience=carried.audience, expires_at=None))


def _refused(reason: str) -> Admission:
    return Admission("refused", retraction_notes.RULE, reason)


def end_or_narrow(tx: Connection, hub: Hub, place: Place, later: Sequence[Decided], found: Found, *, now: int) -> None:
    """End, or narrow, what these versions revoke or narrow."""
    if later:
        succession = succeed(tx, hub, place, later, now=now)
        for item in later:
            if item.parsed.index in succession.audiences:
                found.audiences[item.parsed.version_named] = succession.audiences[item.parsed.index]
        found.messages |= succession.messages
        found.acts += succession.acts


def with_audiences(items: Sequence[Decided], audiences: Mapping[VersionName, Audience]) -> list[Decided]:
    """Give versions, and the signatures over them, these audiences: a signature tells that its object exists."""
    if not audiences:
        return list(items)
    changed = []
    for item in items:
        name = item.parsed.version_signed if item.parsed.is_signature else item.parsed.version_named
        verdict = replace(item.verdict, audience=audiences[name]) if name in audiences else item.verdict
        changed.append(replace(item, verdict=verdict))
    return changed


def _turn(item: Decided) -> tuple[bool, bool, bool]:
    return item.parsed.is_signature, is_retraction(item.parsed.obj), not item.parsed.facts.revoked


def _candidate(place: Place, item: Decided) -> Candidate:
    facts = item.parsed.facts
    author = facts.created_by_ref
    owns = author is not None and (place.identities.get(author) == place.submitter.id or author in place.relay_rights)
    owns = owns or facts.id in place.continued
    return Candidate(
        stix_id=facts.id,
        version_key=facts.version_key,
        sha256=item.parsed.sha256,
        created_by_ref=author,
        author_is_peer=owns,
        submitter_peer_id=place.submitter.id,
        group_id=place.group.id,
        collection_id=place.collection.id,
        audience=item.audience,
        is_sco=facts.version_key is None,
        expires_at=item.verdict.expires_at,
        may_read=place.rights is not None and place.rights.can_read,
    )


def _as_known(place: Place, item: Decided, now: int) -> KnownVersion:
    facts = item.parsed.facts
    return KnownVersion(
        collection_id=place.collection.id,
        group_id=place.group.id,
        stix_id=facts.id,
        version=facts.version or format_timestamp(now),
        version_key=facts.version_key,
        sha256=item.parsed.sha256,
        date_added=now,
        author_identity=facts.created_by_ref,
        introduced=introduced(place, item),
        submitter_peer_id=place.submitter.id,
        audience=item.audience,
        expires_at=item.verdict.expires_at,
    )


def _same(place: Place, item: Decided, known: Sequence[KnownVersion]) -> KnownVersion:
    here = (one for one in known if one.collection_id == place.collection.id)
    return next(one for one in here if one.sha256 == item.parsed.sha256)


def introduced(place: Place, item: Decided) -> bool:
    """Say whether the author is no peer of the hub, so that the submitter is the one who introduces the version."""
    author = item.parsed.facts.created_by_ref
    return author is None or author not in place.peers
