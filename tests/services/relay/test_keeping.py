"""The threads that work on links: they let go of a paused one, and try again as soon as an operator wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from hub.client.relay import PartnerHub
from hub.domain.membership import Peer
from hub.errors import ConfigError
from hub.services import links
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.relay import keeping
from hub.store.links import Link
from tests.services.relay.world import Site

Chain = tuple[Site, Site, Site]
HANDLE = "hub-two"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


class Opener:
    """Finds no way to the other hub, and notes a failure that would be waited out for an hour."""

    def __init__(self, site: Site) -> None:
        self.tries = 0
        self._site = site

    def __call__(self, peer: Peer, link: Link) -> PartnerHub:
        self.tries += 1
        with self._site.hub.db.write() as tx:
            keeping.store.failed(tx, link.peer_id, 0, "no way", self._site.hub.clock() + 3600 * keeping.SECOND)
        raise ConfigError(f"there is no way to {peer.handle}")


@pytest.fixture
def opener(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Work on the link of hub one to hub two, looking every hundredth of a second."""
    one, _, _ = chain
    links.add(one.hub, OPERATOR, HANDLE, url="https://two.example/", push=True, pull=False)
    monkeypatch.setattr(keeping, "LOOK_SECONDS", 0.01)
    made, stop = Opener(one), threading.Event()
    keeper = threading.Thread(target=keeping.keep, args=(one.hub, stop, made))
    keeper.start()
    yield made
    stop.set()
    keeper.join(30)
    assert not keeper.is_alive()


def until(true: Callable[[], bool]) -> None:
    """Return once it is true."""
    turn = threading.Event()
    for _ in range(3_000):
        if true():
            return
        turn.wait(0.01)
    raise AssertionError("it has not become true")


def leased(site: Site) -> bool:
    """Say whether somebody works on the link of this hub."""
    return links.shown(site.hub, OPERATOR, HANDLE).link.leased_until is not None


def test_a_link_that_is_paused_is_let_go_of_and_taken_up_again_when_it_is_resumed(chain: Chain, opener: Opener) -> None:
    one, _, _ = chain
    until(lambda: opener.tries == 1 and leased(one))
    links.update(one.hub, OPERATOR, HANDLE, paused=True)
    until(lambda: not leased(one))
    before = opener.tries
    links.update(one.hub, OPERATOR, HANDLE, paused=False)
    until(lambda: opener.tries > before and leased(one))


def test_a_link_that_waits_after_a_failure_is_tried_at_once_when_an_operator_changes_anything(
    chain: Chain, opener: Opener
) -> None:
    one, _, _ = chain
    until(lambda: opener.tries == 1)
    links.update(one.hub, OPERATOR, HANDLE)
    until(lambda: opener.tries > 1)
