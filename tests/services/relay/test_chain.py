"""An object crosses hubs as its author made it: bytes, signature and marking untouched, as far as both hubs agreed."""

from __future__ import annotations

import pytest

from hub.client.remote import RemoteError
from hub.domain.canonical import jcs
from hub.domain.membership import CredentialKind, Right, Role
from hub.errors import Conflict
from hub.services import credentials, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.relay import pushing
from hub.store import keys as key_store
from tests.services.relay.world import Site, connect


def test_what_aa_shares_at_the_first_hub_is_read_by_dd_at_the_third_byte_for_byte(
    chain: tuple[Site, Site, Site],
) -> None:
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    one.push(two)
    two.push(three)
    (read,) = [obj for obj in three.seen("dd") if obj["id"] == posted["id"]]
    assert jcs(read) == jcs(posted)


def test_nothing_stricter_than_agreed_leaves_and_what_stays_stays_in_order(chain: tuple[Site, Site, Site]) -> None:
    one, two, three = chain
    levels = {
        tlp: one.share("aa", one.incident("aa", tlp))[0]["id"] for tlp in ("clear", "green", "amber", "amber+strict")
    }
    one.push(two)
    two.push(three)
    assert two.ids("cc") == three.ids("dd") == {levels["clear"], levels["green"]}
    assert one.push(two).objects == 0


def test_a_hub_fetches_what_another_would_push(chain: tuple[Site, Site, Site]) -> None:
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    assert two.pull(one).objects == 1
    assert three.pull(two).objects == 1
    assert three.ids("dd") == {posted["id"]}
    assert three.pull(two).objects == two.pull(one).objects == 0


def test_what_has_come_round_goes_no_further(chain: tuple[Site, Site, Site]) -> None:
    one, two, three = chain
    connect(three, one)
    ids = {one.share("aa", one.incident("aa"))[0]["id"], three.share("dd", three.incident("dd"))[0]["id"]}
    for _ in range(3):
        for here, there in ((one, two), (two, three), (three, one), (one, three), (three, two), (two, one)):
            here.push(there)
    assert one.ids("aa") == two.ids("cc") == three.ids("dd") == ids
    assert [here.push(there).objects for here, there in ((one, two), (two, three), (three, one))] == [0, 0, 0]


def test_a_key_that_is_revoked_at_home_is_revoked_wherever_its_author_is_known(
    chain: tuple[Site, Site, Site],
) -> None:
    one, two, three = chain
    one.share("aa", one.incident("aa"))
    one.push(two), two.push(three)
    kid = one.keys["aa"].public.kid
    keys.revoke(one.hub, OPERATOR, "aa", kid, reason="compromised")
    for here, there in ((one, two), (two, three)):
        assert pushing.refresh(here.hub, here.peer(f"hub-{there.name}"), here.wire_to(there))
        assert not pushing.refresh(here.hub, here.peer(f"hub-{there.name}"), here.wire_to(there))
    with three.hub.db.read() as tx:
        known = key_store.by_kid(tx, kid)
    assert known is not None
    assert known.revocation_reason == "compromised"


def test_a_partner_hub_has_a_quota_like_anyone(chain: tuple[Site, Site, Site]) -> None:
    one, two, _ = chain
    peers.update(two.hub, OPERATOR, "hub-one", quota_objects=2)
    one.share("aa", *(one.incident("aa") for _ in range(3)))
    with pytest.raises(RemoteError) as refused:
        one.push(two)
    assert refused.value.http_status == 429
    assert two.ids("cc") == set()
    peers.update(two.hub, OPERATOR, "hub-one", quota_objects=3)
    one.push(two)
    assert len(two.ids("cc")) == 3


def test_an_author_of_another_hub_joins_nothing_here_until_the_operator_makes_him_a_peer(
    chain: tuple[Site, Site, Site],
) -> None:
    one, two, _ = chain
    one.share("aa", one.incident("aa"))
    one.push(two)
    with pytest.raises(Conflict):
        members.put(two.hub, OPERATOR, two.slug, "aa-at-hub-one", {Right.READ})
    with pytest.raises(Conflict):
        credentials.add(
            two.hub, OPERATOR, "aa-at-hub-one", kind=CredentialKind.BEARER, role=Role.ANALYST, label="too early"
        )
    peers.welcome(two.hub, OPERATOR, "aa-at-hub-one")
    members.put(two.hub, OPERATOR, two.slug, "aa-at-hub-one", {Right.READ})
    kid = one.keys["aa"].public.kid
    keys.revoke(one.hub, OPERATOR, "aa", kid, reason="compromised")
    pushing.refresh(one.hub, one.peer("hub-two"), one.wire_to(two))
    with two.hub.db.read() as tx:
        known = key_store.by_kid(tx, kid)
    assert known is not None
    assert known.revoked_at is None  # his own hub no longer answers for him here
