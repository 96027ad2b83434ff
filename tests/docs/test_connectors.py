"""docs/connectors.md is right: commands, keys, defaults and bounds; and every example that is shipped can be loaded."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from connectors.sdk import config, kinds, limits
from connectors.sdk.config import Network, Table
from connectors.sdk.kind import Kind, Settings
from hub.cli import cybex
from hub.domain import limits as hub_limits
from hub.services.connectors import OVERDUE_RUNS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "connectors").glob("*/example.toml"))


class AnySettings(Settings, frozen=True, forbid_unknown_fields=True):
    url: str
    token_file: str


def test_every_command_on_the_page_exists() -> None:
    commands = re.findall(r"^(?: {4})?(cybex connector .*)$", PAGE, re.MULTILINE)
    assert len(commands) >= 9
    for line in commands:
        words = shlex.split(line)[1:]
        command: click.Command = cybex
        context = click.Context(cybex)
        while words and isinstance(command, click.Group):
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_table_of_kinds_is_what_the_command_prints() -> None:
    printed = json.loads(CliRunner().invoke(cybex, ["connector", "kinds", "--json"]).stdout)
    ours = {row["kind"]: ", ".join(row["directions"]) for row in printed if row["package"] == "cybex"}
    rows = re.findall(
        r"^\| \[(\w+)\]\(\.\./(connectors/\w+/README\.md)\) \| ([a-z, ]+) \| .+ \| .+ \|$", PAGE, re.MULTILINE
    )
    assert {name: ways for name, _, ways in rows} == ours
    assert [name for name, _, _ in rows] == sorted(ours)
    for name, page, _ in rows:
        assert page == f"connectors/{name}/README.md"
        assert (ROOT / page).is_file()


def test_the_table_of_keys_is_the_configurations() -> None:
    top, network = PAGE.split("| key under `network`")
    for struct, text in ((Table, top), (Network, network.split("\n## ")[0])):
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        named = {name for line in rows for name in re.findall(r"`(\w+)`", " ".join(line.split("|")[1:3]))}
        fields = set(struct.__struct_fields__) - {"network", "settings"}
        assert fields <= named, fields - named


def test_defaults_and_bounds_are_the_programs() -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Table)}
    assert f"| `max_seconds` | a run that takes longer is ended | {defaults['max_seconds']} |" in PAGE
    assert f"| `page` | objects handed over at once, `out` | {defaults['page']} |" in PAGE
    assert f"| `collection` | id or alias | `{defaults['collection']}` |" in PAGE
    assert f"envelopes of {limits.BATCH_OBJECTS}" in PAGE
    assert f"The last {limits.RUNS_KEPT} are" in PAGE
    assert f"at most {hub_limits.CONNECTOR_REPORT_LINES} lines" in PAGE
    assert f"after {limits.BACKOFF_SECONDS} seconds" in PAGE
    assert f"({hub_limits.CONNECTOR_RUN_BYTES // 1024} KiB at most)" in (ROOT / "docs" / "api.md").read_text()
    assert limits.BACKOFF_SECONDS_MAX == 3600
    assert (limits.PAUSED_AFTER, limits.PARALLEL_RUNS, OVERDUE_RUNS) == (5, 4, 3)


def test_the_example_on_the_page_can_be_loaded(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    kind = Kind("misp", "For this test", AnySettings, source=lambda _s, _t: None)  # type: ignore[arg-type, return-value] # never opened
    for name, table in config.tables(tomllib.loads(text)["connector"]).items():
        assert config.read(name, table, tmp_path, kind_of=lambda _: kind).every_seconds == 900


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_the_example_of_each_kind_can_be_loaded_by_that_kind(file: Path) -> None:
    tables = config.load(file)
    assert tables
    for name, table in tables.items():
        assert config.read(name, table, file.parent).kind is kinds.named(file.parent.name)
