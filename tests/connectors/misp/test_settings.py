"""The settings, the examples, and what is said where the libraries are missing."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

import connectors.misp
from connectors.misp import server
from connectors.misp.connector import KIND
from connectors.misp.settings import MispSettings
from connectors.sdk import config
from connectors.sdk.exchange import Tools
from connectors.sdk.kind import ConnectorError

FOLDER = Path(connectors.misp.__file__).parent
PEER = "identity--5b0b8c3e-7b0a-4a57-9d3f-1d8f0c6f2b11"


def test_every_table_of_the_example_is_a_configuration() -> None:
    file = FOLDER / "example.toml"
    tables = config.load(file)
    assert {config.read(name, table, file.parent).kind.name for name, table in tables.items()} == {"misp"}
    assert len(tables) == 4


def test_every_table_of_the_readme_is_a_configuration() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        for name, table in config.tables(tomllib.loads(block)["connector"]).items():
            assert config.read(name, table, FOLDER).kind.name == "misp"


def test_the_readme_names_every_setting() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8") + (FOLDER / "example.toml").read_text(encoding="utf-8")
    missing = [name for name in MispSettings.__struct_fields__ if name not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "exactly one of url, feed and file"),
        ({"url": "https://misp.example", "key_file": "k", "feed": "f"}, "exactly one of url, feed and file"),
        ({"url": "https://misp.example"}, "url and key_file go together"),
        ({"feed": "f", "key_file": "k"}, "url and key_file go together"),
        ({"url": "ftp://misp.example", "key_file": "k"}, "url is no http or https address"),
        ({"url": "https://user:pass@misp.example", "key_file": "k"}, "url is no http or https address"),
        ({"feed": "file:///etc"}, "feed is no http or https address"),
        ({"feed": "f", "organisations": {"x": "CERT"}}, "no STIX identity id"),
        ({"feed": "f", "sharing_groups": {"Gulf": "group"}}, "no uuid"),
        ({"feed": "f", "sharing_groups": {PEER[-36:]: "everybody"}}, "sharing_groups"),
        ({"feed": "f", "origin_tag": ""}, "origin_tag is no tag"),
        ({"feed": "f", "default_tlp": "red"}, "default_tlp"),
        ({"feed": "f", "distribution": 4}, "distribution"),
        ({"feed": "f", "missing_distribution": 5}, "missing_distribution"),
        ({"feed": "f", "this_community": "relay"}, "this_community"),
        ({"feed": "f", "verify": False}, "verify"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_kept_is_refused_by_its_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=re.escape(message)):
        msgspec.convert(given, MispSettings)


def test_your_organisation_only_cannot_be_configured_to_leave() -> None:
    rules = msgspec.convert({"feed": "f", "all_communities": "relay"}, MispSettings).rules(PEER)
    assert 0 not in rules.levels


@pytest.mark.parametrize("missing", ["pymisp", "misp_stix_converter"])
def test_without_the_extra_it_says_how_to_install_it(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == missing else object())
    for opens in (KIND.source, KIND.target):
        assert opens is not None
        with pytest.raises(ConnectorError) as caught:
            opens(MispSettings(feed="f"), tools)
        assert "pip install 'cybex[misp]'" in caught.value.detail


def test_the_kind_is_loaded_without_the_libraries() -> None:
    libraries = "('pymisp', 'stix2', 'misp_stix_converter')"
    code = f"import sys, connectors.misp.connector; print([n for n in {libraries} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
