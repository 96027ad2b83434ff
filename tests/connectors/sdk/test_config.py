"""A connector's table: everything that is wrong is named before anything starts, and no secret stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.sdk import config, limits
from connectors.sdk.exchange import Tools
from connectors.sdk.kind import Kind, Settings
from hub.errors import ConfigError


class MispSettings(Settings, frozen=True, forbid_unknown_fields=True):
    url: str
    pages: int = 10


KIND = Kind("misp", "For tests", MispSettings, source=lambda _s, _t: None)  # type: ignore[arg-type, return-value] # never opened
TABLE: dict[str, Any] = {
    "kind": "misp",
    "direction": "in",
    "url": "https://hub.example/alpha/",
    "token_file": "hub.token",
    "key_file": "aa.pem",
    "settings": {"url": "https://misp.example/"},
}


def read(tmp_path: Path, **changes: Any) -> config.Connector:
    table = {name: value for name, value in {**TABLE, **changes}.items() if value is not None}
    return config.read("misp-in", table, tmp_path, kind_of=lambda _: KIND)


def test_the_hubs_side_and_the_kinds_own_settings_are_apart(tmp_path: Path) -> None:
    made = read(tmp_path, every="15m", collection="incidents")
    assert (made.api_root, made.target) == ("https://hub.example/alpha/", "alpha/incidents")
    assert made.settings == MispSettings(url="https://misp.example/")
    assert (made.every_seconds, made.folder) == (900, tmp_path / "connectors" / "misp-in")
    assert read(tmp_path, url="https://hub.example", group="alpha").api_root == "https://hub.example/alpha/"
    assert (made.table.network.allow_private, made.table.allow_http) == (False, False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": None}, "connector.misp-in"),
        ({"intervall": "15m"}, "connector.misp-in"),
        ({"direction": "both"}, "connector.misp-in.direction"),
        ({"direction": "out"}, "connector.misp-in.direction"),
        ({"key_file": None}, "connector.misp-in"),
        ({"every": "15 minutes"}, "connector.misp-in"),
        ({"every": "1s"}, "connector.misp-in"),
        ({"max_seconds": 0}, "connector.misp-in.max_seconds"),
        ({"max_bytes": 1}, "connector.misp-in.max_bytes"),
        ({"url": "http://hub.example/alpha/"}, "connector.misp-in.url"),
        ({"url": "https://aa:secret@hub.example/alpha/"}, "connector.misp-in.url"),
        ({"url": "ftp://hub.example/"}, "connector.misp-in.url"),
        ({"group": "taxii2"}, "connector.misp-in.group"),
        ({"identity": "aa"}, "connector.misp-in.identity"),
        ({"types": ["indicator"]}, "connector.misp-in"),
        ({"certificate": "a.pem"}, "connector.misp-in"),
        ({"network": {"allow_everything": True}}, "connector.misp-in.network"),
        ({"network": {"certificate": "a.pem"}}, "connector.misp-in.network"),
        ({"network": {"timeout": 0}}, "connector.misp-in.network.timeout"),
        ({"settings": {}}, "connector.misp-in.settings"),
        ({"settings": {"url": 1}}, "connector.misp-in.settings.url"),
        ({"settings": {"url": "x", "key": "secret"}}, "connector.misp-in.settings"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_what_is_wrong_is_named_by_its_key_and_its_value_is_not_shown(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigError) as told:
        read(tmp_path, **changes)
    assert told.value.field == field
    assert "secret" not in told.value.detail


@pytest.mark.parametrize("name", ["", "MISP", "a_b", "../x", "-a", "a" * 64])
def test_a_name_that_could_not_be_a_folder_and_a_label_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        config.tables({name: {}})


def test_a_file_is_bounded_and_read_strictly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "connectors.toml"
    with pytest.raises(ConfigError, match="--config"):
        config.load(file)
    file.write_text("[connector.a]\nkind = 'x'\n")
    assert config.load(file) == {"a": {"kind": "x"}}
    for text in ("connector = 1", "[connector]\na = 1", "[connector.a", "\xff"):
        file.write_bytes(text.encode("latin-1"))
        with pytest.raises(ConfigError):
            config.load(file)
    monkeypatch.setattr(limits, "SETTINGS_FILE_BYTES", 10)
    file.write_text("[connector.a]\nkind = 'x'\n")
    with pytest.raises(ConfigError, match="longer"):
        config.load(file)


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "hub.token").write_text("abc\n")
    assert read(tmp_path).login().token == "abc"
    (tmp_path / "hub.token").write_text("")
    with pytest.raises(ConfigError) as told:
        read(tmp_path).login()
    assert told.value.field == "connector.misp-in.token_file"


def test_the_tools_of_a_test_are_the_tools_of_the_runner(tools: Tools) -> None:
    assert tools.path("~/x").is_absolute()
