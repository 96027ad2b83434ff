"""Hubs that have only exchanged with each other audit clean; what is changed about that afterwards is found."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.domain.tlp import IDS
from hub.services import checkpoints, keys
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.auditing.finding import Finding
from hub.services.auditing.run import Audit
from hub.services.relay import pushing, reaching
from tests.services.relay.test_withdrawals import later
from tests.services.relay.world import Site, connect

Chain = tuple[Site, Site, Site]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


def audited(site: Site) -> list[Finding]:
    log_key = site.hub.log_key
    assert log_key is not None
    return list(Audit(site.hub.db, site.hub.signing_key.public, log_key.public).findings())


def live(chain: Chain) -> None:
    """Let the three hubs do with each other whatever leaves something behind."""
    one, two, three = chain
    connect(three, one, tlp="amber", same_group=True)
    (kept,) = one.share("aa", one.incident("aa"))
    (narrowed,) = one.share("aa", one.incident("aa"))
    (gone,) = one.share("bb", one.incident("bb"))
    one.push(two), two.push(three), one.push(three)
    one.share("aa", later(one, kept, name="more is known"))
    one.share("aa", later(one, narrowed, object_marking_refs=[IDS["amber"]]))
    one.withdraw("bb", gone["id"])
    (own,) = three.share("dd", three.incident("dd"))
    one.push(two), two.push(three), three.push(one), two.pull(one), three.pull(two)
    three.share("dd", later(three, own, revoked=True))
    three.push(one), one.push(two), two.push(one)
    keys.revoke(one.hub, OPERATOR, "bb", one.keys["bb"].public.kid, reason="compromised")
    for here, there in ((one, two), (two, three)):
        pushing.refresh(here.hub, here.peer(f"hub-{there.name}"), here.wire_to(there))
    for here, there in ((three, two), (two, one)):
        reaching.tell(here.hub, here.peer(f"hub-{there.name}"), here.wire_to(there))
    for site in chain:
        while checkpoints.make(site.hub) is not None:
            continue


def test_hubs_that_have_exchanged_audit_clean_at_every_end(chain: Chain) -> None:
    live(chain)
    assert {site.name: audited(site) for site in chain} == {"one": [], "two": [], "three": []}


NIL = "00000000-0000-4000-8000-000000000000"
CHANGES: dict[str, tuple[str, str, object]] = {
    "introduction.document": ("introduction", "document", b'{"type":"x-cybex-introduction"}'),
    "introduction.home_peer_id": ("introduction", "home_peer_id", "peer_id of hub"),
    "introduction.sha256": ("introduction", "sha256", b"0" * 32),
    "introduction.issued_at": ("introduction", "issued_at", 1),
    "introduction.subject_identity": ("introduction", "subject_identity", f"identity--{NIL}"),
    "relay_path.sha256": ("relay_path", "sha256", b"0" * 32),
    "relay_path.hops": ("relay_path", "hops", b"[]"),
    "relay_path.hop_count": ("relay_path", "hop_count", 7),
    "relay_path.from_peer_id": ("relay_path", "from_peer_id", "peer_id of hub"),
    "relay_path.stix_id": ("relay_path", "stix_id", "incident--00000000-0000-4000-8000-000000000000"),
    "relay_batch.receipt": ("relay_batch", "receipt", b"{}"),
    "relay_batch.peer_id": ("relay_batch", "peer_id", "peer_id of hub"),
    "relay_batch.objects": ("relay_batch", "objects", 99),
    "relay_batch.at": ("relay_batch where direction = 'in'", "at", 1),
    "relay_batch.collection_id": ("relay_batch where direction = 'in'", "collection_id", 1),
    "relay_sent.sha256": ("relay_sent where outcome = 'accepted'", "sha256", b"0" * 32),
    "relay_sent.outcome": ("relay_sent where outcome = 'accepted'", "outcome", "refused"),
    "relay_sent.rule": ("relay_sent where outcome = 'accepted'", "rule", "relay"),
    "relay_sent.batch_id": ("relay_sent", "batch_id", 1),
    "relay_sent.peer_id": ("relay_sent", "peer_id", "peer_id of hub"),
    "relay_reach.holders": ("relay_reach", "holders", 99),
    "relay_reach.removed": ("relay_reach", "removed", 98),
    "relay_reach.act": ("relay_reach", "act", "00000000-0000-4000-8000-000000000000"),
    "relay_reach.statement": ("relay_reach", "statement", b"{}"),
}
"""What somebody writes into one column behind the hub's back: table and rows, column, value."""


def test_whatever_is_changed_of_the_exchange_is_found(chain: Chain) -> None:
    live(chain)
    two = chain[1]
    missed = []
    for name, (rows, column, value) in CHANGES.items():
        table, _, condition = rows.partition(" where ")
        where = f"WHERE {condition}" if condition else ""
        with two.hub.db.write() as tx:
            known = tx.execute(
                text(f"SELECT {column} FROM {table} {where} ORDER BY {column} DESC LIMIT 1")  # noqa: S608  names of this file
            ).scalar_one()
        new = two.peer("hub").id if value == "peer_id of hub" else value
        assert new != known, name
        try:
            _write(two, table, column, known, new, where)
            if not any(table in finding.place for finding in audited(two)):
                missed.append(name)
        finally:
            _write(two, table, column, new, known, where if column != "outcome" else "")
    assert missed == []
    assert audited(two) == []


def _write(site: Site, table: str, column: str, old: object, new: object, where: str) -> None:
    """Change the rows that have one value."""
    both = f"{where} AND" if where else "WHERE"
    same = f"{column} IS NULL" if old is None else f"{column} = :old"
    with site.hub.db.write() as tx:
        changed = f"UPDATE {table} SET {column} = :new {both} {same}"  # noqa: S608  names of this file
        tx.execute(text(changed), {"new": new, "old": old})
