"""A paused link is shut from both sides: what the other hub would send or fetch waits there, and nothing is lost."""

from __future__ import annotations

import pytest

from hub.client.remote import RemoteError
from hub.errors import Forbidden
from hub.services import links
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.relay import incoming, pushing
from hub.services.relay.pauses import PAUSED
from hub.store import dead_letters, relay_batches
from tests.services.relay.world import Site


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


def pause(site: Site, other: Site, *, paused: bool) -> None:
    """Pause, or resume, the link that a hub has to another one."""
    links.update(site.hub, OPERATOR, f"hub-{other.name}", paused=paused)


@pytest.fixture
def linked(chain: tuple[Site, Site, Site]) -> tuple[Site, Site]:
    """Hubs one and two; two has a link to one that is carried by hand, so that it can be paused."""
    one, two, _ = chain
    links.add(two.hub, OPERATOR, "hub-one", url=None, push=False, pull=False)
    return one, two


def test_what_is_pushed_to_a_paused_link_waits_and_is_no_dead_letter(linked: tuple[Site, Site]) -> None:
    one, two = linked
    (posted,) = one.share("aa", one.incident("aa"))
    pause(two, one, paused=True)
    for _ in range(2):
        with pytest.raises(RemoteError, match="paused by the operator") as refused:
            one.push(two)
        assert refused.value.http_status == 403
    assert two.ids("cc") == set()
    with one.hub.db.read() as tx:
        assert dead_letters.count_open(tx) == {}
    pause(two, one, paused=False)
    assert one.push(two).objects > 0
    assert two.ids("cc") == {posted["id"]}


def test_a_paused_link_gives_nothing_to_a_hub_that_fetches(linked: tuple[Site, Site]) -> None:
    one, two = linked
    (posted,) = two.share("cc", two.incident("cc"))
    pause(two, one, paused=True)
    with pytest.raises(Forbidden, match=PAUSED):
        one.pull(two)
    assert one.ids("aa") == set()
    pause(two, one, paused=False)
    one.pull(two)
    assert one.ids("aa") == {posted["id"]}


def test_a_batch_that_was_taken_before_the_pause_is_answered_as_it_was(linked: tuple[Site, Site]) -> None:
    one, two = linked
    one.share("aa", one.incident("aa"))
    wire, via = one.wire_to(two), two.peer("hub-one")
    pushing.run(one.hub, one.peer("hub-two"), wire)
    pause(two, one, paused=True)
    (first,) = wire.carried
    with two.hub.db.read() as tx:
        batches = relay_batches.positions(tx, via.id, "in")
    assert incoming.take(two.hub, via, first, how="push").objects == 1
    with two.hub.db.read() as tx:
        assert relay_batches.positions(tx, via.id, "in") == batches
