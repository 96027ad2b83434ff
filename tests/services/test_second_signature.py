"""A second, quantum-safe signature: required, optional or off; and every way to strip, swap or fake it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hub.client import keyfile
from hub.domain.key_material import ML_DSA_65, PrivateKey
from hub.errors import Conflict
from hub.services import groups, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.cast import BOTH, VENDOR
from tests.services.desk import Desk, Stix, domain, later, messages

PQ = {handle: keyfile.generate(ML_DSA_65) for handle in ("aa", "bb")}


def enrol(desk: Desk) -> None:
    for handle, pair in PQ.items():
        keys.enrol(desk.hub, OPERATOR, handle, public_key=pair.public.text)
    desk.wait(1)


def require(desk: Desk, setting: str = "required") -> None:
    groups.update(desk.hub, OPERATOR, "alpha", quantum_safe=setting)


def twice(desk: Desk, handle: str, *objects: Stix, second: PrivateKey | None = None) -> list[Stix]:
    return desk.sign(handle, *objects, second=second or PQ[handle])


def test_what_is_signed_twice_is_stored_and_its_entry_names_the_classical_key(desk: Desk) -> None:
    enrol(desk)
    require(desk)
    signed = twice(desk, "aa", desk.incident(), domain())
    assert not desk.post("aa", *signed).failures
    assert len(signed[0]["signatures"]) == 2
    assert len(signed) == 4
    seen = {one["id"]: one for one in desk.seen("bb")}
    assert all(seen[one["id"]] == one for one in signed)


def test_where_it_is_required_one_signature_is_not_enough(desk: Desk) -> None:
    enrol(desk)
    require(desk)
    status = desk.post("aa", *desk.sign("aa", desk.incident(), domain()))
    assert [message.partition(":")[0] for message in messages(status)] == ["quantum-safe"] * 3


def test_a_peer_may_have_it_required_where_the_group_does_not(desk: Desk) -> None:
    enrol(desk)
    peers.update(desk.hub, OPERATOR, "aa", quantum_safe="required")
    desk.callers["aa"] = desk.cast.caller("moderating-analyst")
    assert "quantum-safe" in messages(desk.post("aa", *desk.sign("aa", desk.incident())))[0]
    assert not desk.post("aa", *twice(desk, "aa", desk.incident())).failures
    assert not desk.post("bb", *desk.sign("bb", desk.incident("bb"))).failures


def test_where_it_is_off_it_is_refused_inline_with_its_object_and_beside_it_alone(desk: Desk) -> None:
    enrol(desk)
    require(desk, "off")
    inline, *beside = twice(desk, "aa", desk.incident(), domain())
    status = desk.post("aa", inline, *beside)
    assert [line["id"] for line in status.failures] == [inline["id"], beside[2]["id"]]
    assert all(message.startswith("quantum-safe: ") for message in messages(status))


def test_a_second_signature_may_come_later_for_what_its_signer_has_signed_before(desk: Desk) -> None:
    enrol(desk)
    (signed,) = desk.sign("aa", desk.incident())
    desk.post("aa", signed)
    _, second = twice(desk, "aa", signed)
    assert not desk.post("aa", second).failures
    obj, first = desk.sign("bb", domain())
    desk.post("bb", obj, first)
    *_, second = desk.sign("bb", obj, first, second=PQ["bb"])
    assert second["type"] == "jss-signature"
    extra = [one for one in desk.sign("bb", obj, first, second=PQ["bb"]) if one["id"] not in (obj["id"], first["id"])]
    assert not desk.post("bb", *extra).failures


Attack = Callable[[Desk, Stix], list[Stix]]


def _stripped(desk: Desk, signed: Stix) -> list[Stix]:
    return [{**signed, "signatures": signed["signatures"][:1]}]


def _without_the_classical_one(desk: Desk, signed: Stix) -> list[Stix]:
    return [{**signed, "signatures": signed["signatures"][1:]}]


def _swapped(desk: Desk, signed: Stix) -> list[Stix]:
    (other,) = twice(desk, "aa", desk.incident())
    return [{**signed, "signatures": [signed["signatures"][0], other["signatures"][1]]}]


def _of_an_older_version(desk: Desk, signed: Stix) -> list[Stix]:
    bare = {name: value for name, value in signed.items() if name not in ("signatures", "extensions")}
    (newer,) = twice(desk, "aa", later(bare))
    return [{**newer, "signatures": [newer["signatures"][0], signed["signatures"][1]]}]


def _by_another_peer(desk: Desk, signed: Stix) -> list[Stix]:
    return twice(desk, "aa", _bare(signed), second=PQ["bb"])


def _by_a_stranger(desk: Desk, signed: Stix) -> list[Stix]:
    return twice(desk, "aa", _bare(signed), second=keyfile.generate(ML_DSA_65))


def _classical_twice(desk: Desk, signed: Stix) -> list[Stix]:
    another = keyfile.generate()
    keys.enrol(desk.hub, OPERATOR, "aa", public_key=another.public.text)
    desk.wait(1)
    (first,), (second,) = desk.sign("aa", _bare(signed)), desk.sign("aa", _bare(signed), key=another)
    return [{**first, "signatures": [*first["signatures"], *second["signatures"]]}]


def _relabelled(desk: Desk, signed: Stix) -> list[Stix]:
    (second,) = _classical_twice(desk, signed)
    second = copy.deepcopy(second)
    second["signatures"][1]["algorithm"] = ML_DSA_65
    return [second]


def _same_key_twice(desk: Desk, signed: Stix) -> list[Stix]:
    return [{**signed, "signatures": [*signed["signatures"], signed["signatures"][1]]}]


def _corrupted(desk: Desk, signed: Stix) -> list[Stix]:
    broken = copy.deepcopy(signed)
    value = broken["signatures"][1]["value"]
    broken["signatures"][1]["value"] = ("B" if value[0] == "A" else "A") + value[1:]
    return [broken]


def _bare(signed: Stix) -> Stix:
    return {name: value for name, value in signed.items() if name not in ("signatures", "extensions")}


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (_stripped, "quantum-safe: a second signature with ML-DSA-65 is required"),
        (_without_the_classical_one, "counts only beside a classical one"),
        (_swapped, "related_to: the signature belongs to another object"),
        (_of_an_older_version, "related_version: the signature belongs to another version"),
        (_by_another_peer, "public_key: it is not an enrolled key"),
        (_by_a_stranger, "public_key: it is not an enrolled key"),
        (_classical_twice, "quantum-safe: a second signature with ML-DSA-65 is required"),
        (_relabelled, "algorithm is not the algorithm of the key"),
        (_same_key_twice, "one key signs an object once"),
        (_corrupted, "value: the signature does not match"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_no_downgrade_passes(desk: Desk, attack: Attack, reason: str) -> None:
    enrol(desk)
    require(desk)
    (signed,) = twice(desk, "aa", desk.incident())
    (message,) = messages(desk.post("aa", *attack(desk, signed)))
    assert reason in message
    assert desk.stored() == []


def test_a_broken_second_signature_is_a_refusal_even_where_none_is_required(desk: Desk) -> None:
    enrol(desk)
    (signed,) = twice(desk, "aa", desk.incident())
    assert "does not match" in messages(desk.post("aa", *_corrupted(desk, signed)))[0]
    obj, first, second = twice(desk, "aa", domain())
    second["signature"]["value"] = "A" + second["signature"]["value"][1:]
    status = desk.post("aa", obj, first, second)
    assert [line["id"] for line in status.failures] == [obj["id"], first["id"], second["id"]]


@pytest.mark.parametrize("where", ["alone", "beside-another-signers"])
def test_a_quantum_safe_signature_alone_does_not_count(desk: Desk, where: str) -> None:
    enrol(desk)
    obj, _first, second = twice(desk, "bb", desk.incident(VENDOR))
    if where == "alone":
        status = desk.post("bb", obj, second)
        assert len(status.failures) == 2
    else:
        desk.share("aa", obj)
        status = desk.post("bb", second)
        assert len(status.failures) == 1
    assert all("counts only beside a classical one" in message for message in messages(status))


@pytest.mark.parametrize("first", ["peer", "group", "member"])
def test_settings_that_contradict_each_other_are_refused_when_they_are_made(desk: Desk, first: str) -> None:
    hub = desk.hub
    if first == "peer":
        peers.update(hub, OPERATOR, "bb", quantum_safe="off")
        with pytest.raises(Conflict, match="bb"):
            groups.update(hub, OPERATOR, "alpha", quantum_safe="required")
        assert groups.shown(hub, OPERATOR, "alpha").quantum_safe == "optional"
    elif first == "group":
        groups.update(hub, OPERATOR, "alpha", quantum_safe="off")
        with pytest.raises(Conflict, match="alpha"):
            peers.update(hub, OPERATOR, "bb", quantum_safe="required")
    else:
        groups.update(hub, OPERATOR, "alpha", quantum_safe="off")
        peers.update(hub, OPERATOR, "ff", quantum_safe="required")
        with pytest.raises(Conflict, match="contradict"):
            members.put(hub, OPERATOR, "alpha", "ff", set(BOTH))


def test_the_order_of_the_two_signatures_does_not_matter(desk: Desk) -> None:
    enrol(desk)
    require(desk)
    (signed,) = twice(desk, "aa", desk.incident())
    turned: dict[str, Any] = {**signed, "signatures": signed["signatures"][::-1]}
    assert not desk.post("aa", turned).failures
