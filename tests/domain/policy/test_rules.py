"""The case tables of the publishing rules without markings: membership, types, signature, ownership."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.membership import CollectionRights
from hub.domain.policy import allowed_types, membership, ownership, signature
from hub.domain.policy.decision import deny
from hub.domain.policy.ownership import NOT_YOURS
from hub.domain.tlp import MARKING_DEFINITIONS
from tests.domain.policy.world import AA, BB, COLLECTION, GROUP, STRANGER, VENDOR, incident, publication, signed_by, uid

READ_ONLY = CollectionRights(can_read=True, can_write=False, can_moderate=False)
WRITE_ONLY = CollectionRights(can_read=False, can_write=True, can_moderate=False)
MODERATOR = CollectionRights(can_read=True, can_write=False, can_moderate=True)
SIGNED_GROUP = replace(GROUP, signature_required=True)


def of_type(name: str, **extra: Any) -> dict[str, Any]:
    return incident(**({"type": name, "id": f"{name}--{uid(7)}"} | extra))


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        pytest.param({}, True, id="a member with read and write"),
        pytest.param({"rights": WRITE_ONLY}, True, id="a member with write only"),
        pytest.param({"rights": READ_ONLY}, False, id="a member with read only"),
        pytest.param({"rights": MODERATOR}, False, id="a moderator without write"),
        pytest.param({"rights": None}, False, id="no member, or a suspended one"),
        pytest.param({"submitter": replace(AA, suspended_at=1)}, False, id="a suspended peer"),
        pytest.param({"collection": replace(COLLECTION, group_id=2)}, False, id="a collection of another group"),
    ],
)
def test_membership(changes: dict[str, Any], allowed: bool) -> None:
    decision = membership.check(publication(incident(), **changes))
    assert (decision.allowed, decision.rule) == (allowed, "membership")


@pytest.mark.parametrize(
    ("listed", "name", "allowed"),
    [
        pytest.param(None, "incident", True, id="no list takes every type"),
        pytest.param(None, "x-own-type", True, id="no list takes custom types"),
        pytest.param({"incident"}, "incident", True, id="a listed type"),
        pytest.param({"indicator"}, "incident", False, id="another type"),
        pytest.param({"indicator"}, "incident2", False, id="a type that begins like a listed one"),
        pytest.param({"indicator"}, "marking-definition", True, id="markings go with any type"),
        pytest.param({"indicator"}, "jss-signature", True, id="signatures go with any type"),
        pytest.param({"indicator"}, "extension-definition", True, id="extension definitions go with any type"),
        pytest.param({"indicator"}, "identity", False, id="an identity must be listed"),
        pytest.param(set(), "incident", False, id="an empty list takes nothing"),
        pytest.param(set(), "jss-signature", False, id="an empty list takes no signatures either"),
    ],
)
def test_types(listed: set[str] | None, name: str, allowed: bool) -> None:
    collection = replace(COLLECTION, allowed_types=None if listed is None else frozenset(listed))
    decision = allowed_types.check(publication(of_type(name), collection=collection))
    assert (decision.allowed, decision.rule) == (allowed, "types")


@pytest.mark.parametrize(
    ("body", "changes", "allowed"),
    [
        pytest.param(incident(), {}, True, id="unsigned where optional"),
        pytest.param(incident(), {"group": SIGNED_GROUP}, False, id="unsigned where required"),
        pytest.param(incident(author=None), {"group": SIGNED_GROUP}, False, id="unsigned and without author"),
        pytest.param(of_type("jss-signature"), {"group": SIGNED_GROUP}, True, id="a signature needs no signature"),
        pytest.param(incident(), {"group": SIGNED_GROUP, "attestation": signed_by(AA)}, True, id="signed by the peer"),
        pytest.param(incident(), {"attestation": signed_by(BB)}, False, id="signed by another peer"),
        pytest.param(
            incident(), {"group": SIGNED_GROUP, "attestation": signed_by(BB)}, False, id="required, by another peer"
        ),
        pytest.param(
            incident(author=BB.identity), {"attestation": signed_by(BB)}, False, id="by the author, without relay right"
        ),
        pytest.param(
            incident(author=BB.identity),
            {"attestation": signed_by(BB), "relay_right": True, "group": SIGNED_GROUP},
            True,
            id="by the author, with relay right",
        ),
        pytest.param(
            incident(author=BB.identity),
            {"attestation": signed_by(AA), "relay_right": True},
            True,
            id="by the relaying peer itself",
        ),
        pytest.param(
            incident(author=VENDOR),
            {"attestation": signed_by(BB), "relay_right": True},
            False,
            id="by a third peer, relaying for somebody else",
        ),
        pytest.param(
            incident(),
            {"signature_refusal": deny("signature", "the key is revoked")},
            False,
            id="a failing signature where optional",
        ),
        pytest.param(
            incident(),
            {"signature_refusal": deny("signature", "no match"), "attestation": signed_by(AA)},
            False,
            id="one signature fails, another holds",
        ),
        pytest.param(
            of_type("jss-signature"),
            {"signature_refusal": deny("signature", "no target")},
            False,
            id="a signature over nothing",
        ),
    ],
)
def test_signature(body: dict[str, Any], changes: dict[str, Any], allowed: bool) -> None:
    decision = signature.check(publication(body, **changes))
    assert (decision.allowed, decision.rule) == (allowed, "signature")


def test_the_reason_of_a_failing_signature_reaches_the_status() -> None:
    refusal = deny("jss", "the key is revoked")
    for group in (GROUP, SIGNED_GROUP):
        decision = signature.check(publication(incident(), group=group, signature_refusal=refusal))
        assert (decision.rule, decision.reason) == ("signature", "the key is revoked")


RED = dict(MARKING_DEFINITIONS[4])
PAP_RED_ID = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"


@pytest.mark.parametrize(
    ("body", "relay", "allowed"),
    [
        pytest.param(incident(), False, True, id="one's own"),
        pytest.param(incident(author=BB.identity), False, False, id="another peer's"),
        pytest.param(incident(author=BB.identity), True, True, id="another peer's, with the relay right"),
        pytest.param(incident(author=VENDOR), False, True, id="an author that is no peer"),
        pytest.param(incident(author=None), False, True, id="no author"),
        pytest.param(of_type("relationship", created_by_ref=BB.identity), False, False, id="another's relationship"),
        pytest.param(of_type("jss-signature"), False, True, id="one's own signature"),
        pytest.param(of_type("jss-signature", created_by_ref=VENDOR), False, False, id="a signature of no peer"),
        pytest.param(incident(author=None, type="jss-signature"), False, False, id="a signature by nobody"),
        pytest.param(of_type("jss-signature", created_by_ref=BB.identity), False, False, id="another's signature"),
        pytest.param(of_type("jss-signature", created_by_ref=BB.identity), True, True, id="a relayed signature"),
        pytest.param(of_type("identity", id=AA.identity), False, True, id="one's own identity"),
        pytest.param(of_type("identity", id=BB.identity), False, False, id="another peer's identity under own name"),
        pytest.param(
            incident(author=None, type="identity", id=BB.identity), False, False, id="another peer's identity by nobody"
        ),
        pytest.param(
            of_type("identity", id=BB.identity, created_by_ref=BB.identity), True, True, id="a relayed identity"
        ),
        pytest.param(of_type("identity", id=STRANGER), False, True, id="the identity of a victim"),
        pytest.param(RED, False, True, id="a published TLP marking"),
        pytest.param(
            RED | {"extensions": MARKING_DEFINITIONS[0]["extensions"]}, False, False, id="TLP:RED that says clear"
        ),
        pytest.param(RED | {"id": PAP_RED_ID}, False, False, id="PAP:RED that says TLP"),
    ],
)
def test_ownership(body: dict[str, Any], relay: bool, allowed: bool) -> None:
    decision = ownership.check(publication(body, relay_right=relay))
    assert (decision.allowed, decision.rule) == (allowed, "ownership")


def test_whoever_publishes_for_another_peer_is_told_what_to_do_and_no_name() -> None:
    decision = ownership.check(publication(incident(author=BB.identity)))
    assert decision.reason == NOT_YOURS
    assert BB.name not in decision.reason
