"""What all checks stand on: the snapshot, the keys, the history of settings, and which leaves of the log are explained.

What is held in memory grows with peers, groups, keys and audiences and with what operators did, not with objects; of
each leaf it is one bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.canonical import parse
from hub.domain.key_material import PublicKey
from hub.domain.replay import Replay
from hub.errors import MalformedJson
from hub.services.actor import HUB_HANDLE
from hub.store import scan
from hub.store.scan import Row

Step = Callable[[int], None]
"""Called with how many rows have just been looked at."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as it is stored; ``body`` is its payload, empty when that is no JSON object."""

    index: int
    at: int
    kind: str
    peer_id: int | None
    about: int | None
    salt: bytes
    payload: bytes
    body: dict[str, Any]


@dataclass(slots=True)
class Ground:
    """One snapshot of a hub, and what has been learned about it so far.

    :param signing_key: the hub's own, from its secrets. :param log_key: that of its checkpoints.
    """

    tx: Connection
    signing_key: PublicKey
    log_key: PublicKey
    step: Step
    peers: dict[int, Row] = field(default_factory=dict)
    groups: dict[int, Row] = field(default_factory=dict)
    collections: dict[int, Row] = field(default_factory=dict)
    keys: dict[int, Row] = field(default_factory=dict)
    credentials: dict[int, Row] = field(default_factory=dict)
    pseudonyms: dict[int, Row] = field(default_factory=dict)
    audiences: dict[int, Audience] = field(default_factory=dict)
    withdrawn: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # (collection's UUID, STIX id): when
    replay: Replay = field(default_factory=Replay)
    size: int = 0  # of the log
    origin: str | None = None  # of the log, as `log_state` has it
    latest: int = 0  # time of any leaf so far
    first_at: int | None = None  # of the log: what is older has no leaf
    last_dates: dict[str, int] = field(default_factory=dict)  # collection's UUID -> date of its newest accepted leaf
    unverifiable: Counter[str] = field(default_factory=Counter)
    explained: bytearray = field(default_factory=bytearray)

    def load(self) -> None:
        """Read the small tables as they are."""
        self.peers = {row["id"]: row for row in scan.whole(self.tx, "peer")}
        self.groups = {row["id"]: row for row in scan.whole(self.tx, "trust_group")}
        self.collections = {row["id"]: row for row in scan.whole(self.tx, "collection")}
        self.keys = {row["id"]: row for row in scan.whole(self.tx, "signing_key")}
        self.pseudonyms = {row["id"]: row for row in scan.whole(self.tx, "pseudonym")}
        self.credentials = {row["id"]: row for row in scan.whole(self.tx, "credential")}
        for row in scan.whole(self.tx, "audience"):
            try:
                self.audiences[row["id"]] = Audience.from_key(row["key"])
            except ValueError:
                continue  # the check of audiences says so
        self.origin = next((row["origin"] for row in scan.whole(self.tx, "log_state")), None)
        self.explained = bytearray(scan.count(self.tx, "log_leaf") // 8 + 1)

    def leaves(self, indexes: Iterable[int | None]) -> dict[int, Leaf]:
        """Return these leaves of the log."""
        wanted = [index for index in indexes if index is not None]
        return {row["idx"]: leaf_of(row) for row in scan.having(self.tx, "log_leaf", "idx", wanted)}

    def explain(self, index: int) -> None:
        """Remember that something stored says what this leaf says."""
        if 0 <= index < len(self.explained) * 8:
            self.explained[index // 8] |= 1 << index % 8

    def is_explained(self, index: int) -> bool:
        """Say whether something stored says what this leaf says."""
        return bool(self.explained[index // 8] & 1 << index % 8)

    def identity(self, peer_id: int | None) -> str | None:
        """Return the STIX identity of a peer."""
        row = self.peers.get(peer_id or 0)
        return None if row is None else row["identity"]

    def handle(self, peer_id: int | None) -> str:
        """Return how a peer is called; empty when there is none."""
        row = self.peers.get(peer_id or 0)
        return "" if row is None else row["handle"]

    def hub_peer(self) -> Row | None:
        """Return the hub's own peer."""
        return next((row for row in self.peers.values() if row["handle"] == HUB_HANDLE), None)

    def older_than_the_log(self, at: int) -> bool:
        """Say whether something of this time may lack a leaf."""
        return self.first_at is None or at < self.first_at

    def collection_names(self, collection_id: int) -> tuple[str, str]:
        """Return the slug of a collection's group and its own UUID; both empty when there is no such collection."""
        row = self.collections.get(collection_id)
        group = None if row is None else self.groups.get(row["group_id"])
        return ("", "") if row is None or group is None else (group["slug"], row["uuid"])


def leaf_of(row: Row) -> Leaf:
    """Return a row of `log_leaf` with its payload read."""
    return Leaf(
        row["idx"],
        row["at"],
        row["kind"],
        row["peer_id"],
        row["subject_peer_id"],
        bytes(row["salt"]),
        bytes(row["payload"]),
        body_of(row),
    )


def body_of(row: Row, column: str = "payload") -> dict[str, Any]:
    """Return the JSON object in a column, an empty one when there is none."""
    try:
        value = parse(bytes(row[column]))
    except (MalformedJson, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def named(values: Sequence[Any]) -> str:
    """Return which row it is, from what names it."""
    return " ".join(str(value) for value in values if value not in (None, ""))
