"""Every change of a key is signed: by the peer that proves it, or by the hub, which says on whose word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from hub.client import keyfile
from hub.domain.key_material import PrivateKey
from hub.domain.key_statement import signers
from hub.domain.keys import KeyRing, SigningKey
from hub.errors import Conflict, InvalidRequest, SignatureError
from hub.services import audit, keys
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import key_statements as store
from tests.services.cast import DAY, HUB_KEY, SECOND, Cast
from tests.services.desk import Desk, messages
from tests.services.statements import enrolment, rotation, withdrawal

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/hub/key-statement.schema.json").read_text())


def statements(cast: Cast, key: SigningKey) -> list[dict[str, Any]]:
    """Return what is kept of a key, each checked against its schema."""
    with cast.hub.db.read() as tx:
        found = [json.loads(body) for body in store.of_keys(tx, [key.id]).get(key.id, [])]
    for one in found:
        Draft202012Validator(SCHEMA, validate_formats=True).validate(one)
    return found


def rotated(desk: Desk, handle: str = "aa", **more: Any) -> tuple[PrivateKey, SigningKey]:
    """Rotate a peer's key as its administrator does, and sign with the new one from now on."""
    old, new = desk.keys[handle], keyfile.generate()
    said = rotation(desk.hub, handle, old, new, **more)
    part = {"aa": "moderator", "bb": "admin"}[handle]
    made = keys.rotate(
        desk.hub, desk.cast.caller(part), handle, old.public.kid, public_key=new.public.text, statement=said
    )
    return new, made


def test_an_administrator_proves_that_he_has_the_key(cast: Cast) -> None:
    pair = keyfile.generate()
    proof = enrolment(cast.hub, "bb", pair)
    made = keys.enrol(cast.hub, cast.caller("admin"), "bb", public_key=pair.public.text, statement=proof)
    assert statements(cast, made) == [proof]
    assert made.valid_from == cast.hub.clock()
    (line,) = audit.recent(cast.hub, OPERATOR, limit=1)
    kept = json.dumps(proof, sort_keys=True, separators=(",", ":")).encode()
    assert line.line.detail["statement"] == hashlib.sha256(kept).hexdigest()


def test_an_operator_vouches_and_the_hub_signs_that_he_does(cast: Cast) -> None:
    made = keys.enrol(cast.hub, OPERATOR, "bb", public_key=keyfile.generate().public.text)
    (said,) = statements(cast, made)
    assert (said["action"], said["vouched_by"], said["peer"]) == ("enrol", "operator", made.identity)
    assert signers(said, [HUB_KEY.public], signee=said["hub"]) == {HUB_KEY.public.kid}


def test_an_administrator_revokes_without_a_key_and_the_hub_says_on_whose_word(cast: Cast) -> None:
    kid = cast.kids["bb"]
    made = keys.revoke(cast.hub, cast.caller("admin"), "bb", kid, reason="retired")
    said = statements(cast, made)[-1]
    assert (said["action"], said["vouched_by"]) == ("revoke", "administrator")
    assert signers(said, [HUB_KEY.public], signee=said["hub"])


Forgery = Callable[[Desk, PrivateKey, dict[str, Any]], dict[str, Any]]
FORGERIES: dict[str, tuple[Forgery, str]] = {
    "not signed": (lambda _d, _k, said: {**said, "signatures": []}, "statement.signatures"),
    "of another hub": (lambda d, k, _: enrolment(d.hub, "bb", k, hub=d.identity["aa"]), "statement.hub"),
    "of another peer": (lambda d, k, _: enrolment(d.hub, "aa", k), "statement.peer"),
    "of another key": (lambda d, _k, _: enrolment(d.hub, "bb", keyfile.generate()), "statement.kid"),
    "too old": (lambda d, k, _: enrolment(d.hub, "bb", k, at=d.now() - 8 * DAY), "statement.at"),
    "of tomorrow": (lambda d, k, _: enrolment(d.hub, "bb", k, at=d.now() + DAY), "statement.at"),
    "changed": (lambda _d, _k, said: {**said, "valid_until": "2030-01-01T00:00:00Z"}, "statement.signatures"),
    "said to be vouched for": (lambda _d, _k, said: {**said, "vouched_by": "operator"}, "statement.vouched_by"),
    "another action": (lambda _d, _k, said: {**said, "action": "revoke"}, "statement.reason"),
    "no action": (lambda _d, _k, said: {**said, "action": "bless"}, "statement.action"),
    "signed by another key only": (
        lambda d, k, said: {**said, "signatures": enrolment(d.hub, "bb", d.keys["bb"])["signatures"]},
        "statement.signatures",
    ),
    "signed twice": (lambda _d, _k, said: {**said, "signatures": said["signatures"] * 2}, "statement.signatures"),
    "in another name": (
        lambda d, _k, said: {**said, "signatures": [{**said["signatures"][0], "signee": d.identity["aa"]}]},
        "statement.signatures",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_statement_that_does_not_hold_enrols_nothing(name: str, desk: Desk) -> None:
    forge, field = FORGERIES[name]
    pair = keyfile.generate()
    said = forge(desk, pair, enrolment(desk.hub, "bb", pair))
    with pytest.raises((InvalidRequest, SignatureError)) as refused:
        keys.enrol(desk.hub, desk.cast.caller("admin"), "bb", public_key=pair.public.text, statement=said)
    assert refused.value.field == field
    assert pair.public.kid not in {key.kid for key in keys.of_peer(desk.hub, OPERATOR, "bb")[1]}


def test_after_a_rotation_old_objects_stay_valid_and_new_ones_need_the_new_key(desk: Desk) -> None:
    before = desk.share("aa", desk.incident("aa"))
    old, (new, made) = desk.keys["aa"], rotated(desk)
    (said,) = statements(desk.cast, made)
    assert signers(said, [old.public, new.public], signee=desk.identity["aa"]) == {old.public.kid, new.public.kid}
    replaced = keys.shown(desk.hub, OPERATOR, "aa", old.public.kid)
    assert (replaced.valid_until, replaced.revoked_at) == (desk.now(), None)
    desk.wait(1)
    assert "expired" in messages(desk.post("aa", *desk.sign("aa", desk.incident("aa"))))[0]
    assert not desk.post("aa", *desk.sign("aa", desk.incident("aa"), key=new)).failures
    (still,) = [one for one in desk.seen("bb") if one["id"] == before.successes[0]["id"]]
    assert KeyRing.standing(replaced, desk.now() - 2 * SECOND, desk.now())
    assert still["signatures"]


def test_with_an_overlap_both_keys_sign_until_it_ends(desk: Desk) -> None:
    new, _ = rotated(desk, replaced_until=desk.now() + 7 * DAY)
    for key in (desk.keys["aa"], new):
        assert not desk.post("aa", *desk.sign("aa", desk.incident("aa"), key=key)).failures
    desk.wait(7 * 24 * 3600)
    assert desk.post("aa", *desk.sign("aa", desk.incident("aa"))).failures


@pytest.mark.parametrize("overlap", [-SECOND, 91 * DAY], ids=["ends before it begins", "longer than a quarter"])
def test_an_overlap_has_bounds(overlap: int, desk: Desk) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rotated(desk, replaced_until=desk.now() + overlap)
    assert refused.value.field == "replaced_until"
    assert keys.shown(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid).valid_until is None


def test_a_rotation_needs_both_signatures_and_a_key_that_stands(desk: Desk) -> None:
    old, new = desk.keys["bb"], keyfile.generate()
    said = rotation(desk.hub, "bb", old, new)
    admin = desk.cast.caller("admin")

    def rotate(statement: dict[str, Any] | None) -> SigningKey:
        return keys.rotate(desk.hub, admin, "bb", old.public.kid, public_key=new.public.text, statement=statement)

    for signature in said["signatures"]:
        with pytest.raises(SignatureError):
            rotate({**said, "signatures": [signature]})
    with pytest.raises(InvalidRequest):
        rotate(None)
    keys.revoke(desk.hub, admin, "bb", old.public.kid, reason="compromised")
    with pytest.raises(Conflict):
        rotate(said)
    assert new.public.kid not in {key.kid for key in keys.of_peer(desk.hub, OPERATOR, "bb")[1]}


def test_an_operator_rotates_on_his_word(cast: Cast) -> None:
    new = keyfile.generate()
    made = keys.rotate(cast.hub, OPERATOR, "bb", cast.kids["bb"], public_key=new.public.text)
    (said,) = statements(cast, made)
    assert (said["vouched_by"], said["replaces"]) == ("operator", cast.kids["bb"])


def test_a_compromise_with_its_time_ends_belief_in_what_arrives_and_in_what_was_signed_since(desk: Desk) -> None:
    key, admin = desk.keys["bb"], desk.cast.caller("admin")
    early = desk.sign("bb", desk.incident("bb"))
    since = desk.now() + SECOND
    desk.wait(10)
    second = keyfile.generate()
    keys.enrol(desk.hub, OPERATOR, "bb", public_key=second.public.text)
    said = withdrawal(desk.hub, "bb", second, key.public.kid, "compromised", since=since)
    done = keys.revoke(desk.hub, admin, "bb", key.public.kid, reason="compromised", statement=said)
    assert (done.revoked_at, done.reported_at) == (since, desk.now())
    assert "compromised" in messages(desk.post("bb", *early))[0]  # signed before, or dated back by the thief
    assert statements(desk.cast, done)[-1] == said


def test_any_key_of_the_peer_that_stands_signs_a_revocation_and_no_other(desk: Desk) -> None:
    kid, admin = desk.cast.kids["bb"], desk.cast.caller("admin")
    foreign = withdrawal(desk.hub, "bb", desk.keys["aa"], kid, "retired")
    with pytest.raises(SignatureError):
        keys.revoke(desk.hub, admin, "bb", kid, reason="retired", statement=foreign)
    assert keys.shown(desk.hub, OPERATOR, "bb", kid).revoked_at is None
    own = withdrawal(desk.hub, "bb", desk.keys["bb"], kid, "retired")
    assert keys.revoke(desk.hub, admin, "bb", kid, reason="retired", statement=own).revoked_at == desk.now()


def test_a_statement_for_one_reason_is_none_for_another(desk: Desk) -> None:
    kid = desk.cast.kids["bb"]
    said = withdrawal(desk.hub, "bb", desk.keys["bb"], kid, "retired")
    with pytest.raises(InvalidRequest) as refused:
        keys.revoke(desk.hub, desk.cast.caller("admin"), "bb", kid, reason="compromised", statement=said)
    assert refused.value.field == "statement.action"
