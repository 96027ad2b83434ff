"""``cybex key new``, ``sign`` and ``verify``: a round trip without any hub, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.key import key
from hub.cli.sign import sign
from hub.cli.verify import verify
from hub.errors import ConfigError, Conflict
from tests.domain.signing import AUTHOR, DOMAIN, INDICATOR

_BUNDLE = {
    "type": "bundle",
    "id": "bundle--0f7f2d3a-6d1e-4b2f-9a57-3c1f5f0e9b11",
    "objects": [dict(INDICATOR), dict(DOMAIN)],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key of the author, its directory, and an unsigned bundle."""
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(key, ["new", "--out", "aa.pem", "--identity", AUTHOR, "--json"])
    assert made.exit_code == 0, made.output
    entry = {**json.loads(made.stdout), "handle": "aa", "valid_from": "2020-01-01T00:00:00Z"}
    (tmp_path / "directory.json").write_text(json.dumps({"keys": [entry]}))
    (tmp_path / "bundle.json").write_text(json.dumps(_BUNDLE))
    return tmp_path


def _sign(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(sign, ["--key", "aa.pem", *arguments], input=stdin)


def _verify(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(verify, [*arguments], input=stdin)


@pytest.mark.usefixtures("place")
def test_a_bundle_is_signed_and_verified() -> None:
    signed = _sign("bundle.json")
    assert signed.exit_code == 0
    assert "signed inline" in signed.stderr

    outcome = _verify("-", "--keys", "directory.json", stdin=signed.stdout)

    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.count("verified ") == 2
    assert f"by aa ({AUTHOR}), its author" in outcome.stdout


@pytest.mark.usefixtures("place")
def test_the_outcome_as_json_is_complete() -> None:
    report = json.loads(_verify("-", "--keys", "directory.json", "--json", stdin=_sign("bundle.json").stdout).stdout)

    assert report["verified"] is True
    assert [item["status"] for item in report["objects"]] == ["verified", "verified"]
    assert report["objects"][0]["signers"][0]["handle"] == "aa"
    assert report["objects"][0]["signers"][0]["form"] == "hex"


@pytest.mark.usefixtures("place")
def test_what_was_done_is_reported_as_json_beside_the_document() -> None:
    signed = _sign("--json", "bundle.json")

    assert json.loads(signed.stderr) == {
        "signed": [{"id": INDICATOR["id"], "carrier": "inline"}, {"id": DOMAIN["id"], "carrier": "detached"}]
    }
    assert json.loads(signed.stdout)["id"] == _BUNDLE["id"]


def test_the_signed_document_goes_to_a_file(place: Path) -> None:
    assert _sign("--out", "signed.json", "bundle.json").stdout == ""

    assert _verify("signed.json", "--keys", "directory.json").exit_code == 0
    assert [entry["type"] for entry in json.loads((place / "signed.json").read_text())["objects"]] == [
        "indicator",
        "domain-name",
        "jss-signature",
    ]


@pytest.mark.usefixtures("place")
def test_one_changed_object_is_exit_code_1() -> None:
    changed = _sign("bundle.json").stdout.replace("login.example.com", "login.example.org", 1)

    outcome = _verify("-", "--keys", "directory.json", stdin=changed)

    assert outcome.exit_code == 1
    assert "failed" in outcome.stdout


@pytest.mark.usefixtures("place")
def test_without_a_directory_intact_objects_are_exit_code_1() -> None:
    outcome = _verify("-", stdin=_sign("bundle.json").stdout)

    assert outcome.exit_code == 1
    assert outcome.stdout.count("intact") == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        pytest.param(["missing.json"], None, 2, id="no such file"),
        pytest.param(["-"], "{", 2, id="no JSON"),
        pytest.param(["-"], '{"a":1,"a":2}', 2, id="no I-JSON"),
        pytest.param(["-"], "[]", 2, id="no STIX"),
        pytest.param([], None, 2, id="no file"),
        pytest.param(["bundle.json", "--keys", "bundle.json"], None, 2, id="no directory"),
        pytest.param(["bundle.json", "--keys", "directory.json"], None, 1, id="unsigned"),
        pytest.param(["-", "--keys", "directory.json"], '{"objects":[]}', 1, id="nothing to verify"),
    ],
)
@pytest.mark.usefixtures("place")
def test_exit_codes_tell_unreadable_from_unverified(arguments: list[str], stdin: str | None, code: int) -> None:
    assert _verify(*arguments, stdin=stdin).exit_code == code


def test_who_signs_must_be_said_once(place: Path) -> None:
    (place / "aa.pub.json").unlink()

    refused = _sign("bundle.json")
    assert refused.exit_code == 2
    assert "--identity" in refused.stderr
    assert _sign("--identity", AUTHOR, "bundle.json").exit_code == 0


@pytest.mark.usefixtures("place")
def test_a_missing_key_is_an_error_with_a_remedy() -> None:
    result = CliRunner().invoke(sign, ["--key", "none.pem", "bundle.json"])

    assert isinstance(result.exception, ConfigError)


@pytest.mark.parametrize("name", ["aa.pem", "aa.pub.json"])
def test_a_new_key_never_replaces_one(place: Path, name: str) -> None:
    before: Any = {path.name: path.read_bytes() for path in place.iterdir()}
    for other in {"aa.pem", "aa.pub.json"} - {name}:
        (place / other).unlink()
        del before[other]

    result = CliRunner().invoke(key, ["new", "--out", "aa.pem"])

    assert isinstance(result.exception, Conflict)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


@pytest.mark.parametrize("command", [sign, verify, key, key.commands["new"]], ids=lambda command: command.name)
def test_every_command_explains_itself_with_an_example(command: Any) -> None:
    shown = CliRunner().invoke(command, ["--help"])

    assert shown.exit_code == 0
    assert "Example: cybex" in shown.stdout
