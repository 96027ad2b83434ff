"""`cybex key` and `cybex proposal` over the network, against a real hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import cybex
from hub.client import keyfile
from hub.domain.credentials import Bearer
from hub.domain.membership import CredentialKind, Right, Role
from hub.domain.taxii_time import parse_timestamp
from hub.services import credentials, groups, keys, members, proposals
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.authentication import authenticate
from hub.store import key_statements
from tests.client.hub_server import HubServer

ALL = {Right.READ, Right.WRITE, Right.MODERATE}


@pytest.fixture
def admin(running: HubServer, tmp_path: Path) -> Any:
    """Run a command as an administrator of a peer; it must succeed, and its JSON is returned."""

    def run(handle: str, *arguments: str, fails: str | None = None) -> Any:
        token = tmp_path / f"{handle}.admin"
        if not token.exists():
            issued = credentials.add(
                running.hub, OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.ADMIN, label="admin"
            )
            token.write_text(issued.secret or "")
        where = ["--url", running.api_root, "--token-file", str(token), "--json"]
        result = CliRunner().invoke(cybex, [*arguments, *where])
        if fails is not None:
            assert fails in f"{result.output}{result.exception}"
            return None
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    return run


def said_of(running: HubServer, handle: str, kid: str) -> list[str]:
    """Return who did what with a key, as its statements say."""
    key = keys.shown(running.hub, OPERATOR, handle, kid)
    with running.hub.db.read() as tx:
        found = [json.loads(body) for body in key_statements.of_keys(tx, [key.id])[key.id]]
    return [f"{one['action']} {one.get('vouched_by', 'peer')}" for one in found]


def test_a_peer_rotates_its_key_and_may_repeat_it(running: HubServer, tmp_path: Path, admin: Any) -> None:
    old = running.key_file("aa", tmp_path)
    rotate = ("key", "rotate", "--key", str(old), "--out", str(tmp_path / "aa2.pem"), "--overlap", "7d")
    made = admin("aa", *rotate)
    new = keyfile.read(tmp_path / "aa2.pem")
    assert made["kid"] == new.public.kid
    assert keyfile.identity_beside(tmp_path / "aa2.pem", new) == running.identity["aa"]
    assert said_of(running, "aa", new.public.kid) == ["rotate peer"]
    replaced = keys.shown(running.hub, OPERATOR, "aa", running.keys["aa"].public.kid)
    assert replaced.valid_until == made_at(made) + 7 * 24 * 3600 * 1_000_000
    assert admin("aa", *rotate) == made


def made_at(made: dict[str, Any]) -> int:
    return parse_timestamp(made["valid_from"])


def test_a_peer_enrols_a_second_key_and_revokes_the_stolen_one_with_it(
    running: HubServer, tmp_path: Path, admin: Any
) -> None:
    second = tmp_path / "second.pem"
    keyfile.write(second, keyfile.generate())
    kid = admin("aa", "key", "enrol", "--key", str(second))["kid"]
    assert said_of(running, "aa", kid) == ["enrol peer"]
    stolen = running.keys["aa"].public.kid
    done = admin("aa", "key", "compromise", stolen[:10], "--since", "2026-01-01", "--key", str(second))
    assert (done["kid"], done["revocation_reason"]) == (stolen, "compromised")
    assert said_of(running, "aa", stolen) == ["enrol operator", "compromise peer"]


def test_a_peer_that_lost_its_key_revokes_with_its_credential(running: HubServer, admin: Any) -> None:
    kid = running.keys["aa"].public.kid
    admin("aa", "key", "revoke", "aa", kid, "--reason", "retired")
    assert said_of(running, "aa", kid) == ["enrol operator", "revoke administrator"]


def test_what_is_not_its_own_is_refused(running: HubServer, tmp_path: Path, admin: Any) -> None:
    admin("aa", "key", "revoke", "bb", running.keys["bb"].public.kid, "--reason", "retired", fails="another peer")
    admin("aa", "key", "revoke", "aa", "0" * 8, "--reason", "retired", fails="8 or more digits")
    other = running.key_file("bb", tmp_path)
    admin("aa", "key", "rotate", "--key", str(other), "--out", str(tmp_path / "x.pem"), fails="404")
    admin("aa", "key", "rotate", "--key", str(other), "--out", str(other), fails="never overwritten")


def test_two_moderators_agree_over_the_network(running: HubServer, admin: Any) -> None:
    for handle in ("aa", "bb"):
        members.put(running.hub, OPERATOR, "alpha", handle, ALL)
    members.put(running.hub, OPERATOR, "alpha", "cc", {Right.READ})
    groups.update(running.hub, OPERATOR, "alpha", two_person=True)
    admin("aa", "proposal", "list")
    issued = credentials.add(running.hub, OPERATOR, "aa", kind=CredentialKind.BEARER, role=Role.ADMIN, label="x")
    moderator = authenticate(running.hub, Bearer(issued.secret or ""))
    for rights in ({Right.WRITE}, set[Right]()):
        proposals.put_member(running.hub, moderator, "alpha", "cc", rights)
    first, second = admin("bb", "proposal", "list")
    admin("aa", "proposal", "confirm", first["id"], fails="another moderator")
    assert admin("bb", "proposal", "confirm", first["id"])["state"] == "confirmed"
    assert admin("bb", "proposal", "reject", second["id"])["state"] == "rejected"
    assert admin("bb", "proposal", "list") == []
    assert len(admin("bb", "proposal", "list", "--all")) == 2
    assert members.shown(running.hub, OPERATOR, "alpha", "cc")[1].rights == {Right.WRITE}
