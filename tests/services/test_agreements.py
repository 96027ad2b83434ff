"""Two hubs agree: what both signed stands on both sides, nothing else does, and either of them ends it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.client import keyfile
from hub.domain.agreement import GroupMapping
from hub.domain.statement import sign_statement
from hub.errors import Conflict, CybexError, Forbidden, InvalidRequest, NotFound, SignatureError
from hub.services import agreements, hub_cards, keys, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.hub_identity import hub_identity
from tests.services.cast import DAY
from tests.services.desk import Desk
from tests.services.pair import GREEN, Pair, make_pair

Document = dict[str, Any]


@pytest.fixture
def pair(desk: Desk, sqlite_template: Path, tmp_path: Path) -> Iterator[Pair]:
    with make_pair(desk, sqlite_template, tmp_path) as made:
        yield made


def offered(pair: Pair, *mappings: GroupMapping, days: int = 365) -> Document:
    expires = pair.here.clock() + days * DAY
    made = agreements.offer(pair.here, OPERATOR, "hub-b", groups=mappings or [GREEN], hop_budget=3, expires=expires)
    return made.document


def in_force(pair: Pair) -> tuple[str | None, str | None]:
    """Return the id of what is in force here and there."""
    found = []
    for hub, handle in ((pair.here, "hub-b"), (pair.there, "hub-a")):
        with hub.db.read() as tx:
            agreement = agreements.in_force(tx, hub, peers.shown(hub, OPERATOR, handle), hub.clock())
        found.append(None if agreement is None else agreement.id)
    return found[0], found[1]


def test_what_both_have_signed_is_in_force_at_both_and_what_one_has_signed_at_neither(pair: Pair) -> None:
    offer = offered(pair)
    assert in_force(pair) == (None, None)
    accepted = agreements.accept(pair.there, OPERATOR, offer)
    assert in_force(pair) == (None, offer["id"])
    agreements.accept(pair.here, OPERATOR, accepted.document)
    assert in_force(pair) == (offer["id"], offer["id"])
    stored = [agreements.shown(hub, OPERATOR, offer["id"]) for hub in (pair.here, pair.there)]
    assert stored[0].document == stored[1].document
    assert [one.in_force for one in stored] == [True, True]


def test_each_hub_gives_by_the_pair_seen_from_its_own_side(pair: Pair) -> None:
    agreement = pair.agree(GroupMapping(("alpha", "regional"), "forth", "amber", same_group=True))
    with pair.here.db.read() as tx:
        own = hub_identity(tx)
    (terms,) = agreement.giving(own)
    assert (terms.group, terms.there, terms.tlp_ceiling) == ("alpha", "regional", "amber")
    assert agreement.giving(pair.peer.identity) == []


def test_accepting_twice_changes_nothing(pair: Pair) -> None:
    offer = offered(pair)
    first = agreements.accept(pair.there, OPERATOR, offer)
    again = agreements.accept(pair.there, OPERATOR, offer)
    assert again.document == first.document
    assert len(agreements.listed(pair.there, OPERATOR)) == 1


@pytest.mark.parametrize("ender", ["here", "there"])
def test_either_side_ends_it_at_once_and_an_ended_one_never_comes_back(pair: Pair, ender: str) -> None:
    whole = agreements.shown(pair.here, OPERATOR, pair.agree().id).document
    hub, handle = (pair.here, "hub-b") if ender == "here" else (pair.there, "hub-a")
    agreements.end(hub, OPERATOR, handle)
    assert in_force(pair)[ender == "there"] is None
    with pytest.raises(Conflict):
        agreements.accept(hub, OPERATOR, whole)
    assert in_force(pair)[ender == "there"] is None


def test_a_new_agreement_takes_the_place_of_the_one_before_which_never_comes_back(pair: Pair) -> None:
    pair.agree()
    second = pair.agree(GroupMapping(("alpha", "regional"), "both", "clear"))
    assert in_force(pair) == (second.id, second.id)
    agreements.end(pair.here, OPERATOR, "hub-b")
    assert in_force(pair) == (None, second.id)


def test_it_is_in_force_within_its_time_alone(pair: Pair) -> None:
    agreement = pair.agree(days=2)
    pair.desk.wait(2 * 86_400 - 1)
    assert in_force(pair) == (agreement.id, agreement.id)
    pair.desk.wait(1)
    assert in_force(pair) == (None, None)


def test_a_suspended_hub_and_one_that_is_a_hub_no_longer_have_nothing_in_force(pair: Pair) -> None:
    agreement = pair.agree()
    peers.update(pair.here, OPERATOR, "hub-b", suspended=True)
    assert in_force(pair) == (None, agreement.id)


def test_a_hub_whose_key_was_stolen_has_agreed_to_nothing(pair: Pair) -> None:
    pair.agree()
    key = keys.of_peer(pair.here, OPERATOR, "hub-b")[1][0]
    keys.revoke(pair.here, OPERATOR, "hub-b", key.kid, reason="compromised")
    assert in_force(pair)[0] is None


def _ceiling(document: Document) -> None:
    document["groups"][0]["tlp_ceiling"] = "amber"


def _group(document: Document) -> None:
    document["groups"][0]["slugs"] = ["bravo", "regional"]


def _budget(document: Document) -> None:
    document["hop_budget"] = 16


def _third(document: Document) -> None:
    document["hubs"][0]["identity"] = "identity--0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"


def _unsigned(document: Document) -> None:
    del document["signatures"]


@pytest.mark.parametrize("change", [_ceiling, _group, _budget, _third, _unsigned], ids=lambda one: one.__name__)
def test_what_was_changed_after_signing_is_refused(pair: Pair, change: Callable[[Document], None]) -> None:
    document = copy.deepcopy(offered(pair))
    change(document)
    with pytest.raises((SignatureError, InvalidRequest)):
        agreements.accept(pair.there, OPERATOR, document)
    assert agreements.listed(pair.there, OPERATOR) == []


def test_a_strangers_signature_counts_for_nobody(pair: Pair) -> None:
    document = offered(pair)
    unsigned = {name: value for name, value in document.items() if name != "signatures"}
    stranger, now = keyfile.generate(), pair.here.clock()
    for signee in (unsigned["hubs"][0]["identity"], "identity--0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"):
        forged = sign_statement(
            unsigned, stranger, signee=signee, created=now, uuid="0b6b1b0e-6f3e-4c11-9a42-0d6ad4d6a8f1"
        )
        with pytest.raises(SignatureError):
            agreements.accept(pair.there, OPERATOR, forged)


def test_what_only_this_hub_has_signed_is_not_accepted_here(pair: Pair) -> None:
    with pytest.raises(SignatureError):
        agreements.accept(pair.here, OPERATOR, offered(pair))


def test_an_offer_that_was_rewritten_under_its_id_is_not_what_was_offered(pair: Pair) -> None:
    offer = offered(pair)
    other = {name: value for name, value in offer.items() if name != "signatures"}
    other["groups"][0] |= {"tlp_ceiling": "amber"}
    with pair.there.db.read() as tx:
        own = hub_identity(tx)
    forged = sign_statement(
        other,
        pair.there.signing_key,
        signee=own,
        created=pair.there.clock(),
        uuid="0b6b1b0e-6f3e-4c11-9a42-0d6ad4d6a8f1",
    )
    with pytest.raises(Conflict):
        agreements.accept(pair.here, OPERATOR, forged)
    assert in_force(pair) == (None, None)


def test_a_document_is_examined_without_being_stored(pair: Pair) -> None:
    offer = offered(pair, GroupMapping(("alpha", "nowhere"), "both", "green"))
    seen = agreements.examine(pair.there, OPERATOR, offer)
    assert seen.problems == ("there is no group nowhere here: make it, or have another offer made",)
    assert seen.signed_by == (seen.agreement.hubs[0].identity,)
    with pytest.raises(InvalidRequest):
        agreements.accept(pair.there, OPERATOR, offer)
    assert agreements.listed(pair.there, OPERATOR) == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"handle": "aa"}, NotFound, id="with a peer that is no hub"),
        pytest.param({"handle": "hub"}, NotFound, id="with this hub"),
        pytest.param({"groups": [GroupMapping(("zulu", "regional"), "both", "green")]}, NotFound, id="no such group"),
        pytest.param({"groups": []}, InvalidRequest, id="no groups"),
        pytest.param({"hop_budget": 0}, InvalidRequest, id="no hops"),
        pytest.param({"hop_budget": 17}, InvalidRequest, id="too many hops"),
        pytest.param({"days": -1}, InvalidRequest, id="over already"),
        pytest.param({"days": 3_000}, InvalidRequest, id="for too long"),
    ],
)
def test_an_offer_that_cannot_be_kept_is_not_made(pair: Pair, change: dict[str, Any], error: type[CybexError]) -> None:
    asked = {"handle": "hub-b", "groups": [GREEN], "hop_budget": 3, "days": 30} | change
    expires = pair.here.clock() + asked.pop("days") * DAY
    with pytest.raises(error):
        agreements.offer(pair.here, OPERATOR, asked.pop("handle"), expires=expires, **asked)
    assert agreements.listed(pair.here, OPERATOR) == []


def test_only_an_operator_agrees(pair: Pair) -> None:
    caller = pair.desk.callers["aa"]
    for call in (
        lambda: agreements.listed(pair.here, caller),
        lambda: agreements.accept(pair.here, caller, offered(pair)),
        lambda: agreements.end(pair.here, caller, "hub-b"),
        lambda: hub_cards.own(pair.here, caller),
    ):
        with pytest.raises(Forbidden):
            call()


class TestCards:
    def test_a_hub_is_known_by_its_card_with_its_key(self, pair: Pair) -> None:
        _, ring = keys.of_peer(pair.here, OPERATOR, "hub-b")
        assert [key.kid for key in ring] == [pair.there.signing_key.public.kid]
        with pair.there.db.read() as tx:
            assert pair.peer.identity == hub_identity(tx)

    def test_the_same_card_again_changes_nothing(self, pair: Pair) -> None:
        card = hub_cards.own(pair.there, OPERATOR)
        kid = pair.there.signing_key.public.kid
        assert hub_cards.adopt(pair.here, OPERATOR, card, handle="hub-b", fingerprint=kid.upper()).new == ()

    def test_a_card_with_another_fingerprint_or_a_changed_word_makes_nobody_known(self, pair: Pair) -> None:
        card: Any = hub_cards.own(pair.there, OPERATOR)
        kid = pair.there.signing_key.public.kid
        for changed, fingerprint in (
            (card, "0" * 64),
            (card, kid[:63]),
            (card | {"url": "https://evil.example/"}, kid),
            (card | {"introduction": card["introduction"] | {"issued_at": "2020-01-01T00:00:00.000000Z"}}, kid),
        ):
            with pytest.raises((InvalidRequest, SignatureError)):
                hub_cards.adopt(pair.here, OPERATOR, changed, handle="hub-x", fingerprint=fingerprint)
        with pytest.raises(NotFound):
            peers.shown(pair.here, OPERATOR, "hub-x")

    def test_this_hubs_own_card_is_no_other_hubs(self, pair: Pair) -> None:
        card = hub_cards.own(pair.here, OPERATOR)
        with pytest.raises(Conflict):
            hub_cards.adopt(pair.here, OPERATOR, card, handle="hub-x", fingerprint=pair.here.signing_key.public.kid)

    def test_a_card_with_a_new_key_for_a_hub_that_is_known_is_not_believed(self, pair: Pair) -> None:
        stolen = keyfile.generate()
        card: Any = hub_cards.own(pair.there, OPERATOR)
        identity = card["introduction"]["hub"]
        said = card["introduction"] | {
            "keys": [
                card["introduction"]["keys"][0]
                | {"kid": stolen.public.kid, "algorithm": stolen.public.algorithm, "public_key": stolen.public.text}
            ]
        }
        del said["signatures"]
        uuids = iter(f"0b6b1b0e-6f3e-4c11-9a42-0d6ad4d6a8f{n}" for n in range(9))
        now = pair.here.clock()
        inside = sign_statement(said, stolen, signee=identity, created=now, uuid=next(uuids))
        whole = {"type": card["type"], "format": card["format"], "introduction": inside}
        forged = sign_statement(whole, stolen, signee=identity, created=now, uuid=next(uuids))
        with pytest.raises(Conflict):
            hub_cards.adopt(pair.here, OPERATOR, forged, handle="hub-b", fingerprint=stolen.public.kid)
