"""docs/signing.md says what the code does: its commands run, its ids and numbers are the real ones."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli.key import key
from hub.cli.sign import sign
from hub.cli.verify import verify
from hub.domain import jss, limits
from hub.domain.key_material import ALGORITHMS
from hub.domain.key_statement import ACTIONS
from hub.domain.keys import SigningKey
from hub.domain.signature_extensions import EXTENSION_DEFINITIONS
from hub.services.keys import REASONS
from tests.domain.signing import INDICATOR

_ROOT = Path(__file__).parents[2]
_TEXT = (_ROOT / "docs/signing.md").read_text()
_COMMANDS = re.findall(r"^cybex .*$", _TEXT, re.MULTILINE)


def test_the_commands_run_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("incident.json").write_text(json.dumps(INDICATOR))
    for line in _COMMANDS:
        name, *arguments = shlex.split(line, comments=True)[1:]
        target = arguments[arguments.index(">") + 1] if ">" in arguments else None
        arguments = arguments[: arguments.index(">")] if target else arguments
        result = CliRunner().invoke({"key": key, "sign": sign, "verify": verify}[name], arguments)
        assert result.exit_code == 0, (line, result.output)
        if target:
            Path(target).write_text(result.stdout)
        if name == "key":
            entry = {**json.loads(Path("aa.pub.json").read_text()), "valid_from": "2020-01-01T00:00:00Z"}
            Path("directory.json").write_text(json.dumps({"keys": [entry]}))
    assert len(_COMMANDS) == 5
    assert json.loads(result.stdout) == json.loads(Path("signed.json").read_text())


def test_ids_schemas_and_names_are_the_real_ones() -> None:
    for definition in EXTENSION_DEFINITIONS:
        assert definition["id"] in _TEXT
        assert definition["schema"] in _TEXT
        assert (_ROOT / definition["schema"]).is_file()
    for name in (*ALGORITHMS, *jss.HASHES, *jss.KEY_PROPERTIES):
        assert f"`{name}`" in _TEXT
    assert "five minutes" in _TEXT
    assert limits.SIGNATURE_FUTURE_SECONDS == 5 * 60
    assert limits.KEY_STATEMENT_AGE_SECONDS == 7 * 24 * 3600
    assert limits.KEY_OVERLAP_SECONDS == 90 * 24 * 3600
    for action in (*ACTIONS, *REASONS):
        assert f"`{action}`" in _TEXT or action == "compromised"
    for name in re.findall(r"schemas/hub/[a-z-]+\.schema\.json", _TEXT):
        assert (_ROOT / name).is_file()


def test_the_printed_directory_has_the_members_of_a_key() -> None:
    block = re.search(r"```json\n(.*?)```", _TEXT, re.DOTALL)
    assert block is not None
    (entry,) = json.loads(block[1])["keys"]

    inside = {"id", "peer_id", "created_at", "pseudonym_id"}
    assert set(entry) - {"handle"} == set(SigningKey.__slots__) - inside
