"""What docs/exports.md says is so: formats, options, bounds, and a fetch that takes no list that is not whole."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hub.cli import COMMANDS
from hub.domain import limits
from hub.exports.formats import FORMATS
from hub.exports.options import NAMES, Options
from hub.web.api.document import document

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")


def test_every_format_and_option_stands_in_a_table_with_its_default() -> None:
    cells = {line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")}
    assert set(re.findall(r"`([a-z_-]+)`", " ".join(cells))) == {*FORMATS, *NAMES}
    for line in PAGE.partition("## Options")[2].partition("## ")[0].splitlines():
        if line.startswith("| `"):
            names, values = re.findall(r"`([a-z_]+)`", line.split("|")[1]), line.split("|")[2].strip().split(", ")
            for name, value in zip(names, values, strict=True):
                default = getattr(Options(), name)
                said = str(default).lower() if isinstance(default, bool) else str(default)
                assert value == ("" if default == () else said)


def test_the_document_of_the_api_has_the_same_formats_and_options() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["ExportToken"]["properties"]["format"]["enum"] == list(FORMATS)
    assert list(schemas["ExportOptions"]["properties"]) == list(NAMES)
    assert schemas["ExportOptions"]["properties"]["keep_out"]["maxItems"] == limits.EXPORT_KEEP_OUT


def test_bounds_and_commands_are_those_of_the_hub() -> None:
    assert f"looks at {limits.EXPORT_OBJECTS:,} objects" in PAGE
    assert f"{limits.EXPORT_BYTES // 2**20} MB at most" in PAGE
    assert limits.EXPORTS_AT_ONCE == 2
    assert f"more than {limits.EXPORT_PATIENCE_SECONDS:.0f} s" in PAGE
    assert f"more than {limits.EXPORT_SERVED_RUNS} gaps" in PAGE
    assert f"/{limits.EXPORT_WIDEST_IPV4} (IPv6: /{limits.EXPORT_WIDEST_IPV6})" in PAGE
    assert f"after {limits.CREDENTIAL_LIFETIME_SECONDS // 86400} days" in PAGE
    assert set(re.findall(r"`?cybex (export[a-z-]*)", PAGE)) <= set(COMMANDS)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("# cybex export: ip\n5.6.7.8\n# end of list, 1 entries\n", True),
        ("; x\n; end of list, 0 entries\n", True),
        ("# cybex export: ip\n5.6.7.8\n", False),
        ("", False),
    ],
    ids=["list", "zone", "cut", "empty"],
)
def test_the_fetch_of_the_recipes_takes_whole_lists_only(text: str, taken: bool, tmp_path: Path) -> None:
    script = re.search(r"^    (fetch\(\) \{.*?^    \})", PAGE, re.MULTILINE | re.DOTALL)
    assert script
    (tmp_path / "source").write_text(text)
    (tmp_path / "list").write_text("before\n")
    command = f'{script[1]}\nfetch "file://{tmp_path}/source" "{tmp_path}/list"'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == taken, done.stderr
    assert (tmp_path / "list").read_text() == (text if taken else "before\n")
