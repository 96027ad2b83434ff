"""The commands that manage peers, groups, members, collections, credentials and keys, on a hub of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import hub.cli
from hub.cli import cybex
from hub.cli.output import text_of
from hub.domain.credentials import Basic, Bearer
from hub.domain.membership import PeerKind
from hub.services import peers
from hub.services.actor import LOCAL_OPERATOR
from hub.services.authentication import authenticate
from hub.services.context import Hub
from hub.store.database import Database
from tests.services.cast import make_hub

GROUPS = ("peer", "group", "member", "collection", "credential", "relay-right", "key")
VENDOR = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"


@pytest.fixture
def own_hub(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub without peers but its own, which every command opens."""
    database = Database.open(sqlite_url)
    made = make_hub(database)
    peers.add(made, LOCAL_OPERATOR, handle="hub", name="The hub", kind=PeerKind.HUB)
    for module in (
        *(name.replace("-", "_") for name in GROUPS if name != "key"),
        "key_ring",
        "key_changes",
        "refusals",
        "audit",
    ):
        monkeypatch.setattr(f"hub.cli.{module}.open_hub_at", lambda data: made)
    yield made
    database.close()


Run = Callable[..., Any]


@pytest.fixture
def run(own_hub: Hub) -> Run:
    """Run a command that must succeed and return its JSON."""

    def running(*arguments: str, text: bool = False) -> Any:
        result = CliRunner().invoke(cybex, [*arguments] if text else [*arguments, "--json"])
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result.stdout if text else json.loads(result.stdout)

    return running


@pytest.fixture
def world(run: Run) -> Run:
    run("peer", "add", "aa", "--name", "CIRT AA", "--country", "FI", "--region", "europe")
    run("peer", "add", "bb", "--name", "CIRT BB", "--kind", "sector")
    run("group", "add", "alpha", "--title", "Alpha")
    run("member", "put", "alpha", "aa", "--rights", "read,write,moderate")
    return run


def test_peers_are_added_changed_suspended_and_restored(world: Run) -> None:
    assert [row["handle"] for row in world("peer", "list")] == ["aa", "bb", "hub"]
    assert world("peer", "update", "aa", "--name", "CIRT of AA", "--country", "")["country"] is None
    assert world("peer", "show", "aa")["itu_region"] == "europe"
    assert world("peer", "suspend", "aa")["suspended"] is True
    assert world("peer", "restore", "aa")["suspended"] is False


def test_a_group_changes_in_what_is_given(world: Run) -> None:
    assert world("group", "show", "alpha")["signature_required"] is True
    changed = world("group", "update", "alpha", "--signatures", "optional", "--description", "North")
    assert (changed["signature_required"], changed["description"], changed["title"]) == (False, "North", "Alpha")
    assert world("group", "update", "alpha", "--description", "")["description"] is None
    assert [row["slug"] for row in world("group", "list")] == ["alpha"]


def test_members_are_added_changed_suspended_restored_and_removed(world: Run) -> None:
    assert world("member", "add", "alpha", "bb")["rights"] == ["read", "write"]
    assert world("member", "put", "alpha", "bb", "--rights", "none")["rights"] == []
    assert world("member", "suspend", "alpha", "bb")["suspended"] is True
    assert [row["suspended"] for row in world("member", "list", "alpha")] == [False, True]
    assert world("member", "restore", "alpha", "bb")["suspended"] is False
    world("member", "remove", "alpha", "bb")
    assert [row["handle"] for row in world("member", "list", "alpha")] == ["aa"]


def test_a_collections_rights_are_set_one_by_one(world: Run) -> None:
    made = world("collection", "add", "alpha", "--title", "S", "--alias", "s", "--type", "sighting", "--type", "note")
    assert made["allowed_types"] == ["note", "sighting"]
    assert {row["alias"] for row in world("collection", "list", "alpha")} == {"indicators", "incidents", "s"}
    world("collection", "rights", "alpha", "s", "aa", "--write", "no")
    row = world("collection", "rights", "alpha", "s", "aa", "--read", "yes")
    assert (row["can_read"], row["can_write"], row["effective"]["can_write"]) == (True, False, False)
    world("collection", "rights", "alpha", "s", "aa", "--read", "inherit", "--write", "inherit")
    assert [row["can_write"] for row in world("collection", "rights", "alpha", "s")] == [None]


def test_a_credential_is_shown_once_works_and_is_revoked(world: Run, own_hub: Hub) -> None:
    made = world("credential", "add", "aa", "--role", "admin", "--username", "aa.admin")
    assert authenticate(own_hub, Basic("aa.admin", made["secret"])).peer.handle == "aa"
    token = world("credential", "add", "aa", "--kind", "bearer", "--role", "feed", "--expires", "2027-06-30")
    assert token["expires_at"] == "2027-06-30T00:00:00.000000Z"
    assert authenticate(own_hub, Bearer(token["secret"])).role == "feed"
    assert world("credential", "add", "aa", "--never-expires")["expires_at"] is None
    listed = CliRunner().invoke(cybex, ["credential", "list", "aa"]).stdout
    assert "aa.admin" in listed
    assert made["secret"] not in listed
    assert world("credential", "revoke", "aa", str(made["id"]))["revoked_at"] is not None


def test_relay_rights_are_granted_listed_and_revoked(world: Run) -> None:
    world("relay-right", "grant", "alpha", "aa", VENDOR)
    assert world("relay-right", "list", "alpha") == [{"handle": "aa", "author_identity": VENDOR}]
    world("relay-right", "revoke", "alpha", "aa", VENDOR)
    assert world("relay-right", "list", "alpha") == []


def test_a_key_is_made_enrolled_found_by_its_beginning_and_revoked(world: Run, tmp_path: Path) -> None:
    made = world("key", "new", "--out", str(tmp_path / "aa.pem"), "--peer", "aa")
    kid = made["kid"]
    assert [row["kid"] for row in world("key", "list", "aa")] == [kid]
    assert world("key", "show", "aa", kid[:8])["kid"] == kid
    revoked = world("key", "revoke", "aa", kid[:12], "--reason", "superseded")
    assert revoked["revocation_reason"] == "superseded"
    world("key", "new", "--out", str(tmp_path / "bb.pem"))
    enrolled = world("key", "add", "bb", str(tmp_path / "bb.pub.json"), "--valid-until", "2028-01-01")
    assert enrolled["valid_until"] == "2028-01-01T00:00:00.000000Z"
    assert len(world("key", "list")) == 2


def test_an_operator_rotates_a_key_and_says_that_one_was_stolen(world: Run, tmp_path: Path) -> None:
    old = world("key", "new", "--out", str(tmp_path / "aa.pem"), "--peer", "aa")["kid"]
    world("key", "new", "--out", str(tmp_path / "aa2.pem"))
    new = world("key", "rotate", "aa", old[:8], str(tmp_path / "aa2.pub.json"), "--overlap", "7d")["kid"]
    rows = {row["kid"]: row for row in world("key", "list", "aa")}
    assert (rows[old]["valid_until"] is not None, rows[new]["valid_until"]) == (True, None)
    done = world("key", "compromise", new[:12], "--since", "2026-11-01")
    assert (done["revocation_reason"], done["revoked_at"]) == ("compromised", "2026-11-01T00:00:00.000000Z")


def test_a_private_key_is_not_taken_for_a_public_one(world: Run, tmp_path: Path) -> None:
    world("key", "new", "--out", str(tmp_path / "bb.pem"))
    assert "private key" in failing("key", "add", "bb", str(tmp_path / "bb.pem")).stderr


def test_a_key_for_an_unknown_peer_leaves_no_file(world: Run, tmp_path: Path) -> None:
    failing("key", "new", "--out", str(tmp_path / "zz.pem"), "--peer", "zz")
    assert list(tmp_path.glob("zz*")) == []


def test_what_was_done_is_in_the_audit(world: Run) -> None:
    actions = [row["action"] for row in world("audit", "lines", "--limit", "2")]
    assert actions == ["member.add", "collection.add"]
    assert world("refusals") == []


def failing(*arguments: str) -> Result:
    """Run a command as the console script does, and return its failure."""

    @click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def script(words: tuple[str, ...]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["cybex", *words])
            hub.cli.main()

    result = CliRunner().invoke(script, ["--", *arguments])
    assert result.exit_code in (1, 2)
    return result


@pytest.mark.parametrize(
    "arguments",
    [
        ("peer", "show", "zz"),
        ("peer", "add", "AA", "--name", "x"),
        ("peer", "add", "aa", "--name", "again"),
        ("group", "add", "api", "--title", "x"),
        ("group", "add", "alpha", "--title", "again"),
        ("group", "update", "alpha", "--default-tlp", "amber", "--tlp-ceiling", "green"),
        ("member", "put", "alpha", "zz"),
        ("member", "suspend", "alpha", "bb"),
        ("collection", "add", "alpha", "--title", "x", "--alias", "indicators"),
        ("collection", "rights", "alpha", "nothing"),
        ("credential", "add", "aa", "--role", "operator"),
        ("credential", "add", "aa", "--expires", "2020-01-01"),
        ("credential", "revoke", "aa", "99"),
        ("relay-right", "revoke", "alpha", "aa", VENDOR),
        ("key", "show", "aa", "12345678"),
    ],
    ids=" ".join,
)
def test_an_error_is_one_line_on_standard_error(arguments: tuple[str, ...], world: Run) -> None:
    result = failing(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert re.fullmatch(r"cybex: [^\n]+\n", result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("member", "put", "alpha", "aa", "--rights", "everything"),
        ("credential", "add", "aa", "--expires", "tomorrow"),
        ("collection", "rights", "alpha", "indicators", "--write", "no"),
        ("peer", "add", "cc"),
        ("peer", "nothing"),
    ],
    ids=" ".join,
)
def test_a_command_that_is_not_understood_exits_with_2_and_a_hint(arguments: tuple[str, ...], world: Run) -> None:
    result = failing(*arguments)
    assert result.exit_code == 2
    assert "--help" in result.stderr
    assert "Traceback" not in result.stderr


def commands() -> list[tuple[str, click.Command]]:
    found = []
    for name in (*GROUPS, "refusals", "audit"):
        command = cybex.get_command(click.Context(cybex), name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", child) for sub, child in command.commands.items()]
    return found


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_has_an_example_and_every_leaf_has_json(name: str, command: click.Command) -> None:
    help_ = command.help or ""
    example = re.search(r"Example: cybex (\S+)", help_)
    assert example is not None
    assert name.startswith(example[1])
    if not isinstance(command, click.Group):
        assert "--json" in {option for parameter in command.params for option in parameter.opts}


def test_lists_are_aligned_and_hostile_names_are_made_harmless(world: Run) -> None:
    lines = world("peer", "list", text=True).splitlines()
    assert lines[0].index("name") == lines[1].index("CIRT AA") == lines[2].index("CIRT BB")
    assert text_of("a\x1b[31mb\u202ec\nd") == "a?[31mb?c?d"
