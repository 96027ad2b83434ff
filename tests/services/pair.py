"""Two hubs that know each other: ours is the desk's, the other has a database, keys and a group of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from hub.client import keyfile
from hub.domain.agreement import Agreement, GroupMapping
from hub.domain.hub_card import fingerprint_of
from hub.domain.membership import Peer, PeerKind, Right
from hub.services import agreements, checkpoints, groups, hub_cards, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.store.database import Database
from tests.services.cast import DAY, make_hub, octets
from tests.services.desk import Desk

GREEN = GroupMapping(("alpha", "regional"), "both", "green")


@dataclass
class Pair:
    """Our hub, in which alpha is, and hub-b, in which regional is; each knows the other by its card."""

    desk: Desk
    there: Hub
    handle: str = "hub-b"
    handle_there: str = "hub-a"
    mappings: Sequence[GroupMapping] = field(default_factory=lambda: [GREEN])

    @property
    def here(self) -> Hub:
        return self.desk.hub

    @property
    def peer(self) -> Peer:
        """The other hub, as it is known here."""
        return peers.shown(self.here, OPERATOR, self.handle)

    def agree(self, *mappings: GroupMapping, hops: int = 3, days: int = 365) -> Agreement:
        """Offer here, accept there, accept here."""
        offered = agreements.offer(
            self.here,
            OPERATOR,
            self.handle,
            groups=mappings or self.mappings,
            hop_budget=hops,
            expires=self.here.clock() + days * DAY,
        )
        accepted = agreements.accept(self.there, OPERATOR, offered.document)
        return agreements.accept(self.here, OPERATOR, accepted.document).agreement


@contextmanager
def make_pair(desk: Desk, template: Path, folder: Path) -> Iterator[Pair]:
    """Give the desk's hub a partner that shares its clock; the partner is on SQLite, whatever the desk is on."""
    path = folder / "there.db"
    path.write_bytes(template.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    there = replace(
        make_hub(database, octets(50_000_000)),
        clock=desk.hub.clock,
        signing_key=keyfile.generate(),
        log_key=keyfile.generate(),
    )
    peers.add(there, OPERATOR, handle="hub", name="Hub B", kind=PeerKind.HUB)
    keys.enrol(there, OPERATOR, "hub", public_key=there.signing_key.public.text)
    groups.add(there, OPERATOR, slug="regional", title="Regional")
    desk.wait(1)
    pair = Pair(desk, there)
    for hub, other, handle in ((desk.hub, there, pair.handle), (there, desk.hub, pair.handle_there)):
        card = hub_cards.own(other, OPERATOR)
        said = hub_cards.read(hub, card)
        hub_cards.adopt(hub, OPERATOR, card, handle=handle, fingerprint=fingerprint_of(said.signed_by))
    members.put(desk.hub, OPERATOR, "alpha", pair.handle, {Right.READ, Right.WRITE})
    members.put(there, OPERATOR, "regional", pair.handle_there, {Right.READ, Right.WRITE})
    checkpoints.make(there)
    yield pair
    database.close()
