"""What a detached signature is about, looked at again under the collection's lock: between reading and committing its
target may have been withdrawn or narrowed, and the signature itself withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.submission import Decided, Failed, VersionName
from hub.services.decision import Place
from hub.store import removal, signature_entries
from hub.store.removal import StoredEntry

RULE: Final = "signature"
GONE: Final = "related_to: the signed version is neither in this envelope nor stored where you can read it"
WITHDRAWN: Final = "the signer has withdrawn this signature: sign again under a new id"


def recheck(tx: Connection, place: Place, decided: Sequence[Decided]) -> tuple[list[Decided], list[Failed]]:
    """Return what may still be stored, and the signatures that may not. The caller holds the collection's lock.

    1. What its signer has withdrawn stays withdrawn, wherever on the hub he did so: who withholds the withdrawal from
       others, or plays an older version again, brings nothing back.
    2. The target is in this envelope, or stored in this collection for its submitter now.
    3. A signature over a stored version is for nobody who may not read that version now.
    """
    signatures = [item for item in decided if item.parsed.is_signature]
    if not signatures:
        return list(decided), []
    withdrawn = signature_entries.withdrawn(tx, [item.parsed.facts.id for item in signatures])
    carried = {item.parsed.version_named for item in decided if not item.parsed.is_signature}
    apart = [item.parsed.version_signed for item in signatures if item.parsed.version_signed not in carried]
    stored = _stored(tx, place, apart)
    kept: list[Decided] = []
    failed: list[Failed] = []
    for item in decided:
        if not item.parsed.is_signature:
            kept.append(item)
        elif item.parsed.facts.id in withdrawn and item.parsed.obj.get("revoked") is not True:  # 1
            failed.append(item.parsed.failed(RULE, WITHDRAWN))
        elif item.parsed.version_signed in carried:
            kept.append(item)
        else:
            target = stored.get(item.parsed.version_signed)
            if target is None or not target.audience.admits(place.submitter.id):  # 2
                failed.append(item.parsed.failed(RULE, GONE))
            else:
                kept.append(_within(item, target.audience))
    return kept, failed


def _stored(tx: Connection, place: Place, names: Sequence[VersionName]) -> Mapping[VersionName, StoredEntry]:
    if not names:
        return {}
    found = removal.of_objects(tx, place.collection.id, [stix_id for stix_id, _ in names])
    return {(one.stix_id, one.named_by_signatures): one for entries in found.values() for one in entries}


def _within(item: Decided, target: Audience) -> Decided:  # 3
    audience = item.verdict.audience
    if audience is None or target.covers(audience):
        return item
    return replace(item, verdict=replace(item.verdict, audience=audience.intersection(target)))
