"""The way of an object over hubs is told to whoever may read it, and proves itself to whoever knows one hub's key."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from hub.client import object_path as client
from hub.client.object_path import Checked
from hub.domain.canonical import parse
from hub.domain.keys import KeyRing
from hub.errors import Forbidden, NotFound
from hub.services import groups, object_paths
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.actor import Actor
from hub.store import keys as key_store
from hub.web.api.object_paths import object_path
from tests.services.relay.world import Site, connect

Chain = tuple[Site, Site, Site]
Json = dict[str, Any]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


def told(site: Site, actor: Actor, stix_id: str) -> Json:
    """Return what the API answers."""
    answer: Json = json.loads(json.dumps(object_path(stix_id, object_paths.found(site.hub, actor, stix_id))))
    return answer


def ring(site: Site) -> KeyRing:
    with site.hub.db.read() as tx:
        return KeyRing(key_store.of_peer(tx, site.peer("hub").id))


def checked(site: Site, handle: str, answer: Json, body: Json | None) -> Checked:
    """Return what an answer proves to a CIRT of this hub that knows the key of its hub, and nothing else."""
    bodies = {one["sha256"]: body for one in answer["versions"]}
    return client.check(
        answer, bodies, hub=site.identity, ring=ring(site), asker=site.identities[handle], now=site.hub.clock()
    )


def relayed(chain: Chain) -> Json:
    one, two, three = chain
    (posted,) = one.share("aa", one.incident("aa"))
    one.push(two), two.push(three)
    return posted


def test_dd_at_the_third_hub_proves_the_whole_way_with_the_key_of_its_own_hub(chain: Chain) -> None:
    one, two, three = chain
    posted = relayed(chain)
    answer = told(three, three.caller("dd"), posted["id"])
    found = checked(three, "dd", answer, posted)
    assert found.holds, found
    (trail,) = found.trails
    (way,) = trail.ways
    hops = [step.hop for step in way]
    assert [hop.hub for hop in hops if hop] == [one.identity, two.identity, three.identity]
    assert [hop.giver for hop in hops if hop] == [one.identities["aa"], one.identity, two.identity]
    assert all(hop is not None and hop.log_index is not None for hop in hops)
    assert trail.signature == "signed by its author, CIRT aa: verified"
    assert trail.onward is None  # dd did not publish it
    assert answer["versions"][0]["ways"][0]["receipt"]["document"] is None  # it names what else was in the batch


def test_an_operator_sees_where_it_went_with_receipts_that_hold(chain: Chain) -> None:
    _, two, three = chain
    posted = relayed(chain)
    found = object_paths.found(two.hub, OPERATOR, posted["id"])
    bodies = object_paths.stored_objects(two.hub, OPERATOR, found)
    seen = client.check(
        told(two, OPERATOR, posted["id"]), bodies, hub=two.identity, ring=object_paths.own_keys(two.hub),
        asker=two.identity, now=two.hub.clock(),
    )  # fmt: skip
    assert seen.holds, seen
    (trail,) = seen.trails
    ((given,), (got,)) = (trail.receipts, trail.onward or ())
    assert (given.hub, given.outcome, given.checked) == (two.identity, "accepted", True)
    assert (got.hub, got.outcome, got.checked) == (three.identity, "accepted", True)
    at_three = told(three, OPERATOR, posted["id"])["versions"][0]
    assert got.log_index == at_three["log_index"]
    assert at_three["ways"][0]["receipt"]["log_index"] == got.log_index
    with pytest.raises(Forbidden):
        object_paths.stored_objects(two.hub, two.caller("cc"), found)


def test_its_author_sees_where_it_went_on_to_without_the_rest_of_the_batch(chain: Chain) -> None:
    one, two, _ = chain
    posted = relayed(chain)
    (other,) = one.share("bb", one.incident("bb"))
    one.push(two)
    answer = told(one, one.caller("aa"), posted["id"])
    found = checked(one, "aa", answer, posted)
    assert found.holds, found
    (onward,) = found.trails[0].onward or ()
    assert (onward.hub, onward.outcome, onward.checked) == (two.identity, "accepted", False)
    assert onward.log_index is not None
    assert other["id"] not in json.dumps(answer)
    assert told(one, one.caller("bb"), posted["id"])["versions"][0]["onward"] is None


def test_who_may_not_read_an_object_is_told_of_no_way(chain: Chain) -> None:
    one, _, three = chain
    (secret,) = one.share("aa", one.incident("aa", "amber"))
    one.cirt("stranger", group=False)
    for site, actor, stix_id in (
        (one, one.caller("stranger"), secret["id"]),
        (three, three.caller("dd"), secret["id"]),
        (three, three.caller("dd"), "incident--00000000-0000-4000-8000-000000000000"),
    ):
        with pytest.raises(NotFound) as refused:
            object_paths.found(site.hub, actor, stix_id)
        assert refused.value.detail == "there is no such object"
    with pytest.raises(Forbidden):
        object_paths.found(one.hub, one.caller("hub-two"), secret["id"])


def test_where_the_members_are_hidden_the_submitter_is_not_named(chain: Chain) -> None:
    one = chain[0]
    groups.update(one.hub, OPERATOR, one.slug, member_visibility="hidden", signature_required=False)
    unknown = one.incident("aa")
    del unknown["created_by_ref"]
    status = one.post("bb", unknown)
    assert not status.failures, status.failures
    answer = told(one, one.caller("aa"), unknown["id"])
    assert one.identities["bb"] not in json.dumps(answer)
    assert answer["versions"][0]["here"][0]["from"] == one.identity


def test_two_ways_to_one_hub_are_both_shown(chain: Chain) -> None:
    one, _, three = chain
    connect(one, three)
    posted = relayed(chain)
    one.push(three)
    found = checked(three, "dd", told(three, three.caller("dd"), posted["id"]), posted)
    assert found.holds, found
    assert sorted(len(way) for way in found.trails[0].ways) == [2, 3]


def _hop(change: Callable[[Json], None], number: int = 0) -> Callable[[Json], None]:
    return lambda answer: change(answer["versions"][0]["ways"][0]["hops"][number])


def _drop(answer: Json) -> None:
    del answer["versions"][0]["ways"][0]["hops"][0]


def _swap(answer: Json) -> None:
    answer["versions"][0]["ways"][0]["hops"].reverse()


def _cut_the_middle(answer: Json) -> None:
    del answer["versions"][0]["ways"][0]["hops"][1]


def _other_key(answer: Json) -> None:
    introduction = next(one for one in answer["introductions"] if one["peer"]["name"] == "Hub one")
    author = next(one for one in answer["introductions"] if one["peer"]["name"] == "CIRT aa")
    introduction["keys"] = author["keys"]


LIES: dict[str, Callable[[Json], None]] = {
    "another giver": _hop(lambda hop: hop.update({"from": "identity--1c5d9e2e-35b5-4c8e-9d7a-5a0f0c6f7a01"})),
    "another time": _hop(lambda hop: hop.update(accepted_at="2026-01-01T00:00:00.000000Z")),
    "another place in its log": _hop(lambda hop: hop.update(log_index=7), 1),
    "no signature": _hop(lambda hop: hop.pop("signatures")),
    "another form": _hop(lambda hop: hop.update(format="2")),
    "the first hub left out": _drop,
    "a hub in the middle left out": _cut_the_middle,
    "swapped": _swap,
    "another key for a hub": _other_key,
    "an author nobody introduces": lambda answer: answer["introductions"].pop(),
    "another place in this log": lambda answer: answer["versions"][0].update(log_index=4711),
    "the hop of this hub to somebody else": lambda answer: answer["versions"][0]["here"][0].update(
        to="identity--1c5d9e2e-35b5-4c8e-9d7a-5a0f0c6f7a01"
    ),
    "no hop of this hub": lambda answer: answer["versions"][0].update(here=[]),
    "a receipt that proves nothing": lambda answer: answer["versions"][0]["ways"][0]["receipt"].update(problem="no"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_hub_that_lies_about_the_way_is_found_out(chain: Chain, lie: str) -> None:
    three = chain[2]
    posted = relayed(chain)
    answer = told(three, three.caller("dd"), posted["id"])
    assert checked(three, "dd", answer, posted).holds
    LIES[lie](answer)
    assert not checked(three, "dd", answer, posted).holds


def test_other_bytes_or_none_are_found_out(chain: Chain) -> None:
    three = chain[2]
    posted = relayed(chain)
    answer = told(three, three.caller("dd"), posted["id"])
    changed = deepcopy(posted) | {"name": "Something else"}
    assert not checked(three, "dd", answer, changed).holds
    assert not checked(three, "dd", answer, None).holds
    assert parse(json.dumps(answer).encode())


def test_what_a_member_posts_begins_at_this_hub(chain: Chain) -> None:
    three = chain[2]
    own = three.share("dd", three.incident("dd"))[0]
    answer = told(three, three.caller("dd"), own["id"])
    (stop,) = answer["versions"]
    assert stop["ways"] == []
    assert stop["here"][0]["from"] == three.identities["dd"]
    assert checked(three, "dd", answer, own).holds
