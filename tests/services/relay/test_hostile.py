"""A partner that lies, or errs, is told what is wrong; nothing of what it sent is stored, and nobody falls over."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from hub.client import keyfile
from hub.domain.canonical import jcs
from hub.domain.hop import Hop, digest
from hub.domain.hop import signed as signed_hop
from hub.domain.introduction import IntroducedKey, Introduction
from hub.domain.introduction import signed as signed_introduction
from hub.domain.key_material import PrivateKey
from hub.domain.statement import sign_statement
from hub.domain.tlp import IDS
from hub.errors import CybexError, ReceiptError
from hub.services import agreements
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.relay import handover, incoming, outgoing, pushing
from hub.services.relay.incoming import Taken
from tests.services.relay.world import Site, Ticking, Wire, connect, database_at

Chain = tuple[Site, Site, Site]
Json = dict[str, Any]
STRANGER = "identity--00000000-0000-4000-8000-000000000000"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here asks nothing of the database; test_chain and test_withdrawals run on both."""
    return sqlite_url


def batch_of(one: Site, two: Site) -> Json:
    """Return the batch that one hub would hand to another now, as JSON."""
    with one.hub.db.read() as tx:
        agreement = agreements.in_force(tx, one.hub, one.peer(f"hub-{two.name}"), one.hub.clock())
        assert agreement is not None
        lane = next(
            lane for lane in outgoing.lanes(tx, agreement, one.peer(f"hub-{two.name}")) if lane.alias == "incidents"
        )
        prepared = outgoing.prepare(tx, one.hub, lane, outgoing.position(tx, lane))
    found: Json = json.loads(prepared.batch.octets())
    return found


def resigned(batch: Json, site: Site) -> bytes:
    """Return the batch with the header signed by this hub, whatever it says now."""
    header = batch["header"]
    if isinstance(header, dict) and isinstance(header.get("made_at"), str):
        header.pop("signatures", None)
        made = site.hub.clock()
        with suppress(CybexError):  # what cannot be signed goes as it is
            header = sign_statement(header, site.hub.signing_key, signee=site.identity, created=made,
                                    uuid=str(uuid.uuid4()))  # fmt: skip
    return json.dumps(batch | {"header": header}).encode()


def stored(site: Site) -> tuple[int, ...]:
    """Return how many rows there are of what a batch may leave behind."""
    names = ("entry", "relay_path", "relay_batch", "peer", "signing_key", "introduction")
    with site.hub.db.read() as tx:
        counts = [tx.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names]  # noqa: S608
    return tuple(int(one) for one in counts)


def taken(two: Site, octets: bytes, via: str = "hub-one") -> Taken | CybexError:
    try:
        return incoming.take(two.hub, two.peer(via), octets, how="push")
    except CybexError as error:
        return error


HEADER = ("type", "format", "id", "from", "to", "agreement", "group", "collection", "made_at", "introductions", "items")
MAY_LACK = ("reaches", "missing")
WRONG: tuple[Any, ...] = (None, 1, "", "x", [], {}, -1, True, "x" * 10_000, ["x"], [None], 1.5, "\u0000")


@pytest.mark.parametrize("member", [*HEADER, "signatures", "after", "upto", "reaches"])
def test_every_member_of_a_header_is_checked(trio: Chain, member: str) -> None:
    one, two, _ = trio
    good, before = batch_of(one, two), stored(two)
    for value in ("missing", *WRONG):
        batch = deepcopy(good)
        if value == "missing":
            del batch["header"][member]
        else:
            batch["header"][member] = value
        if member == "signatures":
            outcome = taken(two, json.dumps(batch).encode())
        elif member in ("reaches", "introductions") and (isinstance(value, list) or (member, value) == MAY_LACK):
            continue  # each element is judged by itself, and answered for
        else:
            outcome = taken(two, resigned(batch, one))
        assert isinstance(outcome, CybexError), (member, value)
        assert outcome.status < 500
        assert outcome.field or outcome.detail, (member, value)
        assert stored(two) == before, (member, value)


def _first(change: Callable[[Json], None]) -> Callable[[Json, Chain], None]:
    return lambda batch, _: change(batch["header"]["items"][0]["hops"][0])


def _forged(batch: Json, chain: Chain) -> None:
    """A hop that says another hub had it first, signed by the wrong key."""
    one, two, three = chain
    item, obj = batch["header"]["items"][0], batch["objects"][0]
    first = _hop(three.identity, three.identity, one.identity, obj, one.hub.signing_key)
    item["hops"] = [first, _hop(one.identity, three.identity, two.identity, obj, one.hub.signing_key, first)]


def _hop(hub: str, giver: str, to: str, obj: Json, key: PrivateKey, before: Mapping[str, Any] | None = None) -> Json:
    sha256 = hashlib.sha256(jcs(obj)).digest()
    hop = Hop(hub, giver, to, obj["id"], obj["modified"], sha256, 1_790_000_000_000_000, None,
              None if before is None else digest(before))  # fmt: skip
    return signed_hop(hop, key, uuid=str(uuid.uuid4()), at=1_790_000_000_000_000)


def _loop(batch: Json, chain: Chain) -> None:
    one, two, _ = chain
    item, obj = batch["header"]["items"][0], batch["objects"][0]
    first = _hop(two.identity, two.identity, one.identity, obj, two.hub.signing_key)
    item["hops"] = [first, _hop(one.identity, two.identity, two.identity, obj, one.hub.signing_key, first)]


def _unknown_hub(batch: Json, chain: Chain) -> None:
    one, two, _ = chain
    item, obj = batch["header"]["items"][0], batch["objects"][0]
    first = _hop(STRANGER, STRANGER, one.identity, obj, keyfile.generate())
    item["hops"] = [first, _hop(one.identity, STRANGER, two.identity, obj, one.hub.signing_key, first)]


def _amber(batch: Json, chain: Chain) -> None:
    one = chain[0]
    obj = one.signed("aa", one.incident("aa", "amber"))[0]
    _replace(batch, obj, chain)


def _replace(batch: Json, obj: Json, chain: Chain, giver: str | None = None) -> None:
    one, two, _ = chain
    batch["objects"][0] = obj
    item = batch["header"]["items"][0]
    item["sha256"] = hashlib.sha256(jcs(obj)).hexdigest()
    item["hops"] = [_hop(one.identity, giver or one.identities["aa"], two.identity, obj, one.hub.signing_key)]


def _local_author(batch: Json, chain: Chain) -> None:
    """What an author of the receiving hub has not signed."""
    one, two, _ = chain
    obj = one.incident("aa") | {"created_by_ref": two.identities["cc"]}
    _replace(batch, obj, chain, two.identities["cc"])


def _unsigned_by_another(batch: Json, chain: Chain) -> None:
    """What bb gave to his hub in the name of aa."""
    one = chain[0]
    _replace(batch, one.incident("aa"), chain, one.identities["bb"])


def _other_bytes(batch: Json, _: Chain) -> None:
    batch["objects"][0]["name"] = "Something else"


LIES: dict[str, Callable[[Json, Chain], None]] = {
    "a hop without a signature": _first(lambda hop: hop.pop("signatures")),
    "a hop of another time": _first(lambda hop: hop.update(accepted_at="2026-01-01T00:00:00.000000Z")),
    "a hop to another hub": _first(lambda hop: hop.update(to=STRANGER)),
    "a hop of another hub": _first(lambda hop: hop.update(hub=STRANGER)),
    "a hop about other bytes": _first(lambda hop: hop.update(sha256="0" * 64)),
    "a hop that has one before it": _first(lambda hop: hop.update(previous="0" * 64)),
    "a hop of another form": _first(lambda hop: hop.update(format="2")),
    "a hop that is none": lambda batch, _: batch["header"]["items"][0].update(hops=[7]),
    "no hop": lambda batch, _: batch["header"]["items"][0].update(hops=[]),
    "a forged hop": _forged,
    "a loop": _loop,
    "a hub that nobody knows": _unknown_hub,
    "AMBER where the ceiling is GREEN": _amber,
    "an author of this hub who has not signed": _local_author,
    "an author whom another member names": _unsigned_by_another,
    "other bytes than were named": _other_bytes,
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_lying_partner_brings_is_refused_and_not_stored(trio: Chain, lie: str) -> None:
    one, two, _ = trio
    batch = batch_of(one, two)
    LIES[lie](batch, trio)
    outcome = taken(two, resigned(batch, one))
    assert isinstance(outcome, Taken), outcome
    assert outcome.failures, outcome
    assert all(rule and message for _, rule, message in outcome.failures)
    assert two.ids("cc") == set()


def test_seventeen_hops_are_refused_by_name(chain: Chain) -> None:
    one, two, _ = chain
    one.share("aa", one.incident("aa"))
    batch = batch_of(one, two)
    item = batch["header"]["items"][0]
    item["hops"] = item["hops"] * 17
    outcome = taken(two, resigned(batch, one))
    assert isinstance(outcome, CybexError)
    assert "hops" in (outcome.field or "")
    assert outcome.status == 400 or outcome.status == 413 or outcome.status == 422


def test_a_batch_for_another_hub_or_by_another_is_not_taken(chain: Chain) -> None:
    one, two, three = chain
    one.share("aa", one.incident("aa"))
    octets = json.dumps(batch_of(one, two)).encode()
    at_three, by_three = taken(three, octets, "hub-two"), taken(two, octets, "hub-three")
    for outcome in (at_three, by_three):
        assert isinstance(outcome, CybexError)
        assert outcome.field == "batch.header.from"


def test_a_known_batch_id_with_other_content_is_answered_as_the_first_and_brings_nothing(chain: Chain) -> None:
    one, two, _ = chain
    one.share("aa", one.incident("aa"))
    first = batch_of(one, two)
    good = taken(two, json.dumps(first).encode())
    assert isinstance(good, Taken)
    (other,) = one.share("aa", one.incident("aa"))
    second = batch_of(one, two)
    second["header"]["id"] = first["header"]["id"]
    again = taken(two, resigned(second, one))
    assert isinstance(again, Taken)
    assert again.receipt == good.receipt
    assert other["id"] not in two.ids("cc")


def test_under_an_agreement_that_ended_or_another_one_nothing_is_taken(chain: Chain) -> None:
    one, two, _ = chain
    one.share("aa", one.incident("aa"))
    batch = batch_of(one, two)
    other = deepcopy(batch)
    other["header"]["agreement"] = str(uuid.uuid4())
    wrong = taken(two, resigned(other, one))
    assert isinstance(wrong, CybexError)
    assert wrong.field == "batch.header.agreement"
    agreements.end(two.hub, OPERATOR, "hub-one")
    ended = taken(two, json.dumps(batch).encode())
    assert isinstance(ended, CybexError)
    assert ended.status == 403
    assert two.ids("cc") == set()


def test_positions_that_jump_are_refused_with_the_place_to_go_on_from(chain: Chain) -> None:
    one, two, _ = chain
    one.share("aa", one.incident("aa"))
    batch = batch_of(one, two)
    batch["header"] |= {"after": "5", "upto": "9"}
    outcome = taken(two, resigned(batch, one))
    assert isinstance(outcome, incoming.OutOfStep)
    assert outcome.position == "0"
    for after, upto in (("9", "5"), ("x", "y"), ("-1", "5"), ("٣", "5")):
        batch["header"] |= {"after": after, "upto": upto}
        refused = taken(two, resigned(batch, one))
        assert isinstance(refused, CybexError)
        assert refused.status == 400, (after, upto)


def _introduction(one: Site, identity: str, key: PrivateKey, **changes: Any) -> Json:
    at = one.hub.clock()
    said = Introduction(
        hub=one.identity, identity=identity, handle="zz", name="CIRT", kind="national", country=None, itu_region=None,
        keys=(IntroducedKey(key.public.kid, key.public.algorithm, key.public.text, at),), issued_at=at,
    )  # fmt: skip
    found: Json = json.loads(signed_introduction(said, one.hub.signing_key, uuid=str(uuid.uuid4())))
    return found | changes


def test_an_introduction_never_touches_who_is_at_home_here_or_elsewhere(chain: Chain) -> None:
    one, two, three = chain
    connect(one, three)
    (posted,) = three.share("dd", three.incident("dd"))
    three.push(two)
    assert two.ids("cc") == {posted["id"]}
    mine = keyfile.generate()
    before = stored(two)
    one.share("aa", one.incident("aa"))
    with two.hub.db.read() as tx:
        kids = set(tx.execute(text("SELECT kid FROM signing_key")).scalars())
    for identity in (two.identities["cc"], three.identities["dd"], two.identity, three.identity):
        batch = batch_of(one, two)
        batch["header"]["introductions"] = [_introduction(one, identity, mine)]
        batch["header"]["items"], batch["objects"] = [], []
        del batch["header"]["after"], batch["header"]["upto"]
        taken(two, resigned(batch, one))
    wrong: list[Json] = [{"issued_at": "2040-01-01T00:00:00.000000Z"}, {"signatures": []}, {"keys": [{}]},
                         {"hub": STRANGER},
                         {"peer": {}}, {"type": "x"}, {"format": 2}, {"keys": "x"}]  # fmt: skip
    for changes in wrong:
        batch = batch_of(one, two)
        batch["header"]["introductions"] = [_introduction(one, str(STRANGER), mine) | changes]
        batch["header"]["items"], batch["objects"] = [], []
        del batch["header"]["after"], batch["header"]["upto"]
        outcome = taken(two, resigned(batch, one))
        assert isinstance(outcome, Taken)
        assert outcome.not_introduced, changes
    with two.hub.db.read() as tx:
        assert set(tx.execute(text("SELECT kid FROM signing_key")).scalars()) == kids
    assert stored(two)[:2] == before[:2]


def test_a_receipt_that_lies_moves_nothing(chain: Chain) -> None:
    one, two, _ = chain
    one.share("aa", one.incident("aa"))
    real = Wire.push
    lies: list[Callable[[Json], Any]] = [
        lambda answer: answer["receipt"].pop("signatures"),
        lambda answer: answer["receipt"]["objects"].clear(),
        lambda answer: answer["receipt"].update(submitter=two.identity),
        lambda answer: answer.pop("receipt"),
        lambda answer: answer.update(receipt=None),
        lambda answer: answer["receipt"]["objects"][0].update(decision="refused", rule="x"),
    ]

    class Liar(Wire):
        lie: Callable[[Json], Any]

        def push(self, octets: bytes) -> Json:
            answer = real(self, octets)
            self.lie(answer)
            return answer

    for lie in lies:
        wire = Liar(one, two)
        wire.lie = lie
        with pytest.raises(ReceiptError):
            pushing.run(one.hub, one.peer("hub-two"), wire)
    assert one.push(two).objects == 1
    assert handover.SENT == "sent"
    assert len(two.ids("cc")) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_mutation_of_a_batch_is_more_than_an_error(hostile: tuple[Site, Site, bytes], data: st.DataObject) -> None:
    one, two, octets = hostile
    batch = json.loads(octets)
    places: list[tuple[Any, Any]] = []
    _places(batch, places)
    parent, key = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()):
        del parent[key]
    else:
        parent[key] = data.draw(st.sampled_from(WRONG))
    before = stored(two)
    outcome = taken(two, resigned(batch, one) if data.draw(st.booleans()) else json.dumps(batch).encode())
    if isinstance(outcome, CybexError):
        assert outcome.status < 500
        assert stored(two) == before


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Three hubs in a chain; one incident of aa waits at the first, and nothing arrives."""
    folder, clock = tmp_path_factory.mktemp("trio"), Ticking()
    one, two, three = (Site.make(name, database_at(folder / f"{name}.db"), clock) for name in ("one", "two", "three"))
    one.cirt("aa")
    one.cirt("bb")
    two.cirt("cc")
    three.cirt("dd")
    connect(one, two)
    connect(two, three)
    one.share("aa", one.incident("aa"))
    return one, two, three


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Site, bytes]:
    folder, clock = tmp_path_factory.mktemp("hostile"), Ticking()
    one, two = (
        Site.make("one", database_at(folder / "1.db"), clock),
        Site.make("two", database_at(folder / "2.db"), clock),
    )
    one.cirt("aa"), two.cirt("cc")
    connect(one, two)
    one.share("aa", one.incident("aa"), one.incident("aa", object_marking_refs=[IDS["clear"]]))
    return one, two, json.dumps(batch_of(one, two)).encode()


def _places(value: Any, found: list[tuple[Any, Any]]) -> None:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(members):
        found.append((value, key))
        _places(inner, found)
