"""What of a collection crosses to another hub: every stored version is decided on anew, each time it could be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from hub.domain.agreement import Terms
from hub.domain.membership import Peer
from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.relay import NAME, may_cross
from hub.domain.signature_extensions import SIGNATURE_TYPE
from hub.store import relay_paths as path_store
from hub.store.relay_feed import FeedRow
from hub.store.relay_paths import StoredPath

OWN_NOTICE: Final = "a notice of this hub for those who have what was withdrawn"

Key = tuple[str, str]
"""STIX id and version key of one version."""


@dataclass(frozen=True, slots=True)
class Ways:
    """By which hubs the versions of some objects came here.

    :param paths: of each version, by the peer that brought it. :param through: every hub that has had it.
    """

    paths: Mapping[tuple[str, str, int], StoredPath]
    through: Mapping[Key, frozenset[str]]

    def hops(self, row: FeedRow) -> tuple[dict[str, Any], ...]:
        """Return the hops by which a stored version came; none for what a member posted here."""
        found = self.paths.get((row.stix_id, row.version_key, row.submitter_peer_id))
        return () if found is None else found.hops


def ways(tx: Connection, collection_id: int, rows: Sequence[FeedRow]) -> Ways:
    """Return the ways of these versions."""
    paths: dict[tuple[str, str, int], StoredPath] = {}
    through: dict[Key, frozenset[str]] = {}
    stix_ids = sorted({row.stix_id for row in rows})
    for one in path_store.of_objects(tx, stix_ids, collection_id=collection_id):
        key = (one.stix_id, one.version_key)
        through[key] = through.get(key, frozenset()) | frozenset(one.hubs)
        paths[one.stix_id, one.version_key, one.from_peer_id] = one
    return Ways(paths, through)


def decide(row: FeedRow, terms: Terms, to: Peer, found: Ways, own: int, *, now: int) -> Decision:
    """Say whether a stored version is handed to a hub now.

    1. Its audience admits the hub, and its permission has not ended.
    2. It did not come from there by any way.
    3. A notice of this hub to exactly those who have something goes wherever that went.
    4. Else what `policy.relay` says; a signature goes by the type of what it signs.

    :param own: peer id of this hub. :param now: microseconds since the epoch.
    """
    if not row.audience.admits(to.id):  # 1
        return deny(NAME, "it is not for that hub")
    if row.expires_at is not None and row.expires_at <= now:
        return deny(NAME, "the permission its author gave has ended")
    if to.identity in found.through.get((row.stix_id, row.version_key), ()):  # 2
        return deny(NAME, "it came by that hub")
    if row.submitter_peer_id == own and row.audience.kind == "named":  # 3
        return allow(NAME, OWN_NOTICE)
    stix_type = row.type
    if stix_type == SIGNATURE_TYPE and row.related_to is not None:
        stix_type = row.related_to.partition("--")[0]
    return may_cross(  # 4
        terms,
        stix_type=stix_type,
        level=row.tlp,
        onward_relay=row.onward_relay,
        path=[hop["hub"] for hop in found.hops(row)],
        to=to.identity,
    )
