"""Warning lists: what each keeps out, and what it must not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.bootstrap import open_hub_at
from hub.domain.pattern_values import Observed
from hub.errors import ConfigError, InvalidRequest
from hub.exports.values import Value, value_of
from hub.exports.warning import OPERATOR, WarningLists, own_list
from tests.cli.operation import succeed
from tests.exports.world import export, indicator

FOLDER = Path(__file__).parents[2] / "hub" / "exports" / "warning_lists"
OWN = own_list(OPERATOR, ["# ours", "", "mine.example", "198.41.0.0/16  # the office", "2a00:1::/32"], "file")


def of(sort: str, text: str) -> Value:
    value = value_of(Observed(sort, text))  # type: ignore[arg-type]
    assert isinstance(value, Value), value
    return value


@pytest.mark.parametrize(
    ("sort", "text", "held"),
    [
        ("address", "10.1.2.3", "special-addresses"),
        ("address", "172.15.0.0/11", "special-addresses"),
        ("address", "203.0.113.9", "special-addresses"),
        ("address", "fe80::1", "special-addresses"),
        ("address", "224.0.0.251", "special-addresses"),
        ("address", "8.8.8.8", "public-resolvers"),
        ("address", "8.8.8.0/24", "public-resolvers"),
        ("address", "8.8.7.0/24", None),
        ("address", "2001:4860:4860::8888", "public-resolvers"),
        ("address", "11.0.0.1", None),
        ("name", "google.com", "top-domains"),
        ("name", "WWW.Google.COM.", "top-domains"),
        ("name", "login.google.com.evil.net", None),
        ("name", "evilgoogle.com", None),
        ("name", "co.uk", "public-suffixes"),
        ("name", "evil.co.uk", None),
        ("url", "https://google.com", "top-domains"),
        ("url", "https://google.com/evil.exe", None),
        ("url", "http://192.168.0.1/x", "special-addresses"),
        ("url", "http://[::1]/x", "special-addresses"),
        ("name", "deep.below.mine.example", OPERATOR),
        ("name", "notmine.example", None),
        ("address", "198.41.7.7", OPERATOR),
        ("url", "http://www.mine.example/x", OPERATOR),
        ("url", "http://198.41.1.1/x", OPERATOR),
        ("email", "x@mine.example", OPERATOR),
    ],
)
def test_a_value_is_kept_out_by_the_list_that_holds_it(sort: str, text: str, held: str | None) -> None:
    assert WarningLists(own=(OWN,)).holding(of(sort, text)) == held


def test_shipped_lists_can_be_passed_over_and_own_ones_cannot() -> None:
    lists = WarningLists(shipped=False, own=(OWN,))
    assert lists.holding(of("address", "8.8.8.8")) is None
    assert lists.holding(of("name", "mine.example")) == OPERATOR


def test_an_entry_that_is_nothing_is_refused_without_being_repeated() -> None:
    with pytest.raises(InvalidRequest) as refused:
        own_list(OPERATOR, ["not an entry"], "file")
    assert "not an entry" not in str(refused.value)


def test_what_is_kept_out_is_counted_under_the_name_of_its_list() -> None:
    objects = [indicator("[domain-name:value = 'google.com' OR ipv4-addr:value = '8.8.8.8']")]
    assert export("domain", objects)[1].left_out == {"warning list top-domains": 1}
    assert b"left out, warning list public-resolvers: 1" in export("ip", objects)[0]


def test_shipped_lists_have_a_source_and_a_licence() -> None:
    said = (FOLDER / "SOURCE.md").read_text()
    files = list(FOLDER.glob("*.txt"))
    assert len(files) == 3
    for file in files:
        row = next(line for line in said.splitlines() if f"`{file.name}`" in line)
        assert row.count("|") == 5
        lines = file.read_text(encoding="ascii").splitlines()
        assert len(set(lines)) == len(lines) > 10
        sort = "name" if "domains" in file.name else "address"
        if file.name != "special-addresses.txt":
            assert [of(sort, line).text for line in lines] == lines


def test_the_operators_list_is_read_when_the_hub_starts_and_a_broken_one_stops_it(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    succeed("init", "--data", data)
    (data / "own.txt").write_text("# ours\nmine.example\n198.41.0.0/16\n")
    settings = data / "hub.toml"
    settings.write_text(re.sub(r"(?m)^#? ?warning_list = .*$", 'warning_list = "own.txt"', settings.read_text()))
    assert 'warning_list = "own.txt"' in settings.read_text()
    (own,) = open_hub_at(data).own_warnings
    assert own.holds(of("name", "www.mine.example"))
    (data / "own.txt").write_text("neither this nor that\n")
    with pytest.raises(ConfigError, match=r"own\.txt: an entry is neither"):
        open_hub_at(data)
    (data / "own.txt").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        open_hub_at(data)
