"""Who has removed what was withdrawn is known at the hub where it began, however many hubs are between."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest

from hub.domain.acknowledgement import EVERY_VERSION, Acknowledgement, signed
from hub.domain.audience import Audience
from hub.services import acknowledgements, retractions
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.relay import pushing, reaching
from hub.services.retractions import Progress
from hub.store import retractions as store
from hub.web.api.retractions import retraction as resource
from tests.services.relay.world import Site

Chain = tuple[Site, Site, Site]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


def withdrawn(chain: Chain) -> str:
    """Let aa withdraw what all three hubs have; return its id."""
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    one.push(two), two.push(three)
    one.withdraw("aa", posted["id"])
    one.push(two), two.push(three)
    return str(posted["id"])


def removes(site: Site, handle: str, stix_id: str) -> None:
    """Let a CIRT say that it has removed an object."""
    said = Acknowledgement(
        uuid=str(uuid.uuid4()),
        hub=site.identity,
        group=site.slug,
        stix_id=stix_id,
        version=EVERY_VERSION,
        outcome="removed",
        created=site.hub.clock(),
        by=site.identities[handle],
    )
    document = signed(said, site.keys[handle], uuid=str(uuid.uuid4()))
    acknowledgements.post(site.hub, site.caller(handle), json.loads(json.dumps(document)))


def told(how: str, here: Site, up: Site) -> None:
    """Let a hub's numbers go to the hub that it had the withdrawal from."""
    if how == "tells":
        reaching.tell(here.hub, here.peer(f"hub-{up.name}"), here.wire_to(up))
    else:
        pushing.refresh(up.hub, up.peer(f"hub-{here.name}"), up.wire_to(here))


def _up(how: str, chain: Chain) -> None:
    told(how, chain[2], chain[1])
    told(how, chain[1], chain[0])


def progress(site: Site, handle: str, stix_id: str) -> Progress:
    (found,) = retractions.found(site.hub, site.caller(handle), stix_id)
    return found


@pytest.mark.parametrize("how", ["tells", "is asked"])
def test_removal_at_the_third_hub_is_known_at_the_first(chain: Chain, how: str) -> None:
    one, two, three = chain
    stix_id = withdrawn(chain)
    _up(how, chain)
    assert resource(progress(one, "aa", stix_id))["hubs"] == [{"peer": "hub-two", "holders": 2, "removed": 0}]
    removes(three, "dd", stix_id)
    _up(how, chain)
    seen = resource(progress(one, "aa", stix_id))
    assert seen["hubs"] == [{"peer": "hub-two", "holders": 2, "removed": 1}]
    assert (seen["removed"], seen["holders"], seen["open"]) == (0, 2, ["bb", "hub-two"])
    removes(two, "cc", stix_id)
    removes(one, "bb", stix_id)
    told(how, two, one)
    seen = resource(progress(one, "aa", stix_id))
    assert seen["hubs"] == [{"peer": "hub-two", "holders": 2, "removed": 2}]
    assert (seen["removed"], seen["holders"], seen["open"]) == (2, 2, [])
    (at_two,) = retractions.found(two.hub, OPERATOR, stix_id)
    assert {one_.handle: one_.beyond for one_ in at_two.holders or ()} == {"cc": None, "hub-three": (1, 1)}


def test_what_is_known_is_told_once_and_again_when_it_changes(chain: Chain) -> None:
    _, two, three = chain
    stix_id = withdrawn(chain)
    wire, up = three.wire_to(two), three.peer("hub-two")
    assert [reaching.tell(three.hub, up, wire) for _ in range(2)] == [1, 0]
    removes(three, "dd", stix_id)
    assert [reaching.tell(three.hub, up, wire) for _ in range(2)] == [1, 0]


def test_the_size_of_a_veiled_audience_is_told_to_no_hub(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, _ = chain
    stix_id = withdrawn(chain)
    real = store.of_acts

    def veiled(tx: object, uuids: object) -> list[store.Retraction]:
        return [
            replace(row, holders=Audience(row.holders.kind, row.holders.peers, veiled=True))
            for row in real(tx, uuids)  # type: ignore[arg-type]  # handed on as they came
        ]

    monkeypatch.setattr(store, "of_acts", veiled)
    told("tells", two, one)
    monkeypatch.undo()
    assert resource(progress(one, "aa", stix_id))["hubs"] == [{"peer": "hub-two", "holders": 1, "removed": 0}]


def test_a_hub_that_lies_about_an_act_it_was_not_told_of_is_passed_over(chain: Chain) -> None:
    one, two, three = chain
    stix_id = withdrawn(chain)
    with three.hub.db.read() as tx:
        (report,) = reaching.due(tx, three.hub, three.peer("hub-two"))
    assert reaching.take(two.hub, two.peer("hub-one"), [report]) == 0  # by another hub
    changes: list[dict[str, object]] = [
        {"removed": 5}, {"holders": -1}, {"holders": "1"}, {"act": str(uuid.uuid4())}, {"at": "now"},
        {"hub": two.identity}, {"signatures": []}, {"more": 1}, {"type": "x"}, {"format": "2"}, {"removed": 10**9},
    ]  # fmt: skip
    for change in changes:
        assert reaching.take(two.hub, two.peer("hub-three"), [report | change]) == 0, change
    assert reaching.take(two.hub, two.peer("hub-three"), [None, 1, [], "x"]) == 0
    assert retractions.found(two.hub, OPERATOR, stix_id)[0].removed == 0
    assert reaching.take(two.hub, two.peer("hub-three"), [report]) == 1
    assert one.ids("bb") == set()
