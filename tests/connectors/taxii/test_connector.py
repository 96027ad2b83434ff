"""The kind, its settings, and the configuration that its documentation shows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.sdk import config
from connectors.taxii.connector import KIND, TaxiiSettings

HERE = Path(__file__).parents[3] / "connectors/taxii"
FINE = {"api_root": "https://taxii.example/root/", "collection": "feed"}


def _blocks() -> dict[str, str]:
    found = re.findall(r"```toml\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    return {f"readme-{place}": text for place, text in enumerate(found)} | {
        "example.toml": (HERE / "example.toml").read_text()
    }


@pytest.mark.parametrize("text", _blocks().values(), ids=_blocks())
def test_the_documented_configuration_is_taken(text: str, tmp_path: Path) -> None:
    tables = config.tables(tomllib.loads(text)["connector"])
    for name, table in tables.items():
        made = config.read(name, table, tmp_path, kind_of=lambda _: KIND)
        assert isinstance(made.settings, TaxiiSettings)
    assert tables


def test_every_setting_is_documented() -> None:
    text = (HERE / "README.md").read_text()
    assert [name for name in TaxiiSettings.__struct_fields__ if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"api_root": None},
        {"discovery": "https://taxii.example/taxii2/"},
        {"username": "aa"},
        {"password_file": "x"},
        {"api_key_header": "X-Key"},
        {"api_key_file": "x"},
        {"api_key_header": "X Key", "api_key_file": "x"},
        {"token_file": "x", "username": "aa", "password_file": "x"},
        {"types": ["Indicator"]},
        {"since": "yesterday"},
        {"versions": "first"},
        {"page": 0},
        {"batch": 100_000},
        {"overlap": -1},
        {"wait": 0},
        {"password": "secret"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_settings_that_cannot_work_are_refused_before_anything_starts(changes: dict[str, Any]) -> None:
    msgspec.convert(FINE, TaxiiSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(FINE | changes, TaxiiSettings)


def test_the_client_library_is_loaded_only_when_it_is_used() -> None:
    program = "import sys, connectors.taxii.connector as it; sys.exit('taxii2client' in sys.modules or it.KIND.name)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == "taxii"
