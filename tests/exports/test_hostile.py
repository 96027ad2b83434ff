"""Whatever authors write, no value breaks out of its line, rule, cell or zone, and none is silently another value."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree  # noqa: ICN001 - it reads what this test made
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from suricataparser import parse_rules

from hub.exports.csv_table import COLUMNS
from hub.exports.formats import FORMATS
from tests.exports.world import SNORT, YARA, export, indicator, values
from tests.exports.zone_reader import read_zone

NASTY = [
    '\n', '\r', '\t', '\x00', '\x0b', '\x85', '\u2028', '\u2029', '\u202e', '\u200b', '"', "'", '\\', ';', '#',
    '//', '/*', '*/', '|', '|3B|', '`', '$(x)', '${x}', '%00', '%0a', '<b>', '&amp;', ']]>', '--', '( )', ')',
    '=cmd()', '@SUM(1)', ' ', ',', '$INCLUDE x', '$ORIGIN .', '*.', '\uff45vil', '\u0435vil', '\u24d4',
    '\u3002', '\xdf', '\u0131', '\u0130', '\uff10', '1.2.3.4', '::1%eth0', 'a' * 64, 'a' * 3000, '.', '..', '-',
    'xn--', '@', ':', '[', ']', '{', '}', '?', '%', '\ufeff', '\U0001f600', 'e\u0301',
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from(NASTY), st.sampled_from(["evil", "net", "a", "1", "10.0.0.1", "http"])), max_size=6
)
VALUES = st.one_of(
    TEXTS.map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    TEXTS.map(lambda parts: "http://evil.net/" + "".join(parts)),
    TEXTS.map(lambda parts: "".join(parts) + ".evil.net"),
    TEXTS.map(lambda parts: "http://" + "".join(parts) + ".net/x?y"),
)
PATHS = st.sampled_from(
    [
        "ipv4-addr:value",
        "domain-name:value",
        "url:value",
        "email-addr:value",
        "network-traffic:dst_ref.value",
        "file:hashes.MD5",
    ]
)
SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def quoted(text: str) -> str:
    """Return a text as a string of a pattern."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def hostile(path: str, value: str) -> list[dict[str, Any]]:
    """Return an indicator with a value, its text everywhere else too, and one beside it that must come through."""
    return [
        indicator(f"[{path} = {quoted(value)}]", name=value, description=value, labels=[value]),
        indicator("[ipv4-addr:value = '5.6.7.8']"),
        indicator("[domain-name:value = 'beside.net']"),
        indicator("[url:value = 'http://beside.net/x']"),
    ]


@SETTINGS
@given(PATHS, VALUES)
@example("domain-name:value", "evil.net\nbeside.net")
@example("domain-name:value", "evil.net CNAME rpz-passthru.\n; x")
@example("url:value", 'http://evil.net/"; sid:1; ) \npass ip any any -> any any (')
@example("url:value", "http://evil.net/#\r\n0.0.0.0/0")
@example("network-traffic:dst_ref.value", "0.0.0.0/0")
def test_lists_hold_nothing_but_whole_values(path: str, value: str) -> None:
    objects = hostile(path, value)
    networks = [ip_network(line) for line in values("ip", objects)]
    assert ip_network("5.6.7.8") in networks or any(ip_network("5.6.7.8").subnet_of(one) for one in networks)  # type: ignore[arg-type]
    assert all(one.prefixlen >= 8 for one in networks)
    label = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    names = values("domain", objects)
    assert "beside.net" in names
    assert all(re.fullmatch(rf"(?:{label}\.)+{label}", name) and len(name) <= 253 for name in names)
    urls = values("url", objects)
    assert "http://beside.net/x" in urls
    assert all(re.fullmatch(r"(?:https?|ftp)://[^\s\"'\\;<>#`{}|^]+", url) and urlsplit(url).hostname for url in urls)
    assert all(re.fullmatch(r"[0-9a-f]{32}", digest) for digest in values("hash", objects))


@SETTINGS
@given(PATHS, VALUES)
@example("url:value", 'http://evil.net/a|b;c:"d"\\')
@example("domain-name:value", "evil.net$INCLUDE")
def test_a_zone_and_rules_can_be_read_back_whole(path: str, value: str) -> None:
    objects = hostile(path, value)
    zone = read_zone(export("rpz", objects)[0].decode("ascii"))
    assert "beside.net.cybex.rpz." in zone.policies
    made, account = export("suricata", objects)
    lines = [line for line in made.decode("ascii").splitlines() if not line.startswith("#")]
    rules = parse_rules("\n".join(lines))
    assert len(rules) == len(lines) == account.entries >= 5
    for rule in rules:
        assert rule.action == "alert"
        contents = [option.value.strip('"') for option in rule.options if option.name == "content"]
        assert all(re.fullmatch(r"(?:[A-Za-z0-9./_~-]|\|[0-9A-F]{2}\|)+", content) for content in contents)
        assert [option.name for option in rule.options].count("sid") == 1


@SETTINGS
@given(PATHS, VALUES)
@example("email-addr:value", "=cmd|' /C calc'!A0@evil.net")
def test_documents_and_tables_can_be_read_back_whole(path: str, value: str) -> None:
    objects = hostile(path, value)
    text = export("csv", objects)[0].decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(text.splitlines()) >= 5
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows[1:] for cell in row)
    event = json.loads(export("misp", objects)[0])["Event"]
    assert {"5.6.7.8", "beside.net"} <= {one["value"] for one in event["Attribute"]}
    assert json.loads(export("iodef-json", objects)[0])["Incident"]
    root = ElementTree.fromstring(export("iodef", objects)[0])  # noqa: S314 - what the export made
    assert len(root) >= 3
    assert json.loads(export("stix", objects)[0])["objects"] == objects


RULES = {
    "yara": [
        "rule a { condition: true } /* and then",
        'rule a { strings: $a = "x condition: $a }',
        "rule a { condition: true } }",
        "rule a { condition: true",
        'include "/etc/passwd"\nrule a { condition: true }',
        "// only a comment",
        "rule wellmess { condition: true }",
        "rule a { condition: true }\x00",
        "rule a { condition: true }\u2028rule wellmess { condition: true }",
        "global private rule wellmess { condition: true }",
        "rule a { strings: $a = /x{2,}\\// condition: $a } rule a { condition: true }",
    ],
    "sigma": [
        "title: x\ndetection:\n  a: b\n---\ntitle: y",
        "title: x\n...\ndetection:\n  a: b",
        "%YAML 1.2\ndetection:\n",
        "title: x",
        "detection:\n\ta: b",
        "detection: \x1b[2J",
    ],
    "snort": [
        "pass ip any any -> any any (sid:1;)",
        "alert tcp any any -> any any (msg:\"x\"; sid:1;)\npass ip any any -> any any (sid:2;)",
        "alert tcp any any -> any any (msg:\"x\\\"; sid:1;)",
        "alert tcp any any -> any any (msg:\"x\"; sid:1;) \\",
        "alert tcp any any -> any any (lua:/tmp/x.lua; sid:1;)",
        "alert http any any -> any any (dataset:set,x,type string,save /etc/passwd; sid:1;)",
        "include /etc/passwd",
        "# alert tcp any any -> any any (sid:1;)",
        "var HOME_NET any",
        "config disable_decode_alerts",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text"),
    [(name, text) for name, texts in RULES.items() for text in texts],
    ids=lambda value: repr(value)[:40],
)
def test_a_rule_that_reaches_beyond_itself_is_left_out(language: str, text: str) -> None:
    good = {"yara": YARA, "sigma": "title: good\ndetection:\n  a: b", "snort": SNORT}[language]
    objects = [indicator(good, pattern_type=language), indicator(text, pattern_type=language)]
    made, account = export(language, objects)
    assert account.entries == 1
    assert account.left_out == {"rule that cannot stand among others": 1}
    assert good in made.decode()
    assert "passwd" not in made.decode()


def test_good_rules_of_the_field_are_taken() -> None:
    more = [
        'import "pe"\n/* who: us { */\nrule b : tag { meta: a = "x // y"\n'
        "strings: $h = { E2 34 ?? C8 } $r = /a\\/b{2}/i condition: $h or $r }",
        "private rule c { condition: filesize < 1MB }",
    ]
    _, account = export("yara", [indicator(one, pattern_type="yara") for one in [YARA, *more]])
    assert account.entries == 3, account.left_out
    snort = [
        SNORT,
        "alert tcp $HOME_NET any -> [1.2.3.0/24,!1.2.3.4] [80,443]"
        ' (msg:"a \\"b\\" \\; (c)"; pcre:"/x(y|z)/i"; sid:5; rev:2;)',
        'drop udp any any <> any 53 (msg:"x"; sid:6;)',
    ]
    _, account = export("snort", [indicator(one, pattern_type="snort") for one in snort])
    assert account.entries == 3, account.left_out


@SETTINGS
@given(
    st.lists(st.one_of(st.sampled_from([*NASTY, "---", "title: x", "detection:\n  a: b", "\n"])), max_size=8).map(
        "".join
    )
)
def test_splitting_at_the_marks_gives_back_each_sigma_rule(text: str) -> None:
    good = "title: good\ndetection:\n  a: b"
    made, account = export("sigma", [indicator(text, pattern_type="sigma"), indicator(good, pattern_type="sigma")])
    parts = re.split(r"^---\n", made.decode(), flags=re.MULTILINE)
    assert len(parts) == account.entries + 2
    assert yaml.safe_load(parts[-2]) == {"title": "good", "detection": {"a": "b"}}


@SETTINGS
@given(
    st.lists(
        st.sampled_from(['"', "/", "/*", "*/", "//", "{", "}", "\n", "\\", "rule b ", "x", " condition: true "]),
        max_size=12,
    ).map("".join)
)
def test_no_yara_text_swallows_the_rule_that_follows(text: str) -> None:
    """A much simpler reader of comments and strings comes out of every text that is taken where it went in."""
    made, account = export("yara", [indicator("rule a { " + text + " }", pattern_type="yara")])
    if account.entries:
        rest = re.sub(
            r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|/(?:[^/\\\n*]|\\.)(?:[^/\\\n]|\\.)*/[is]*',
            " ",
            made.decode(),
            flags=re.S,
        )
        assert rest.count("{") == rest.count("}")
        assert '"' not in rest
        assert "/*" not in rest


def test_a_giant_value_is_left_out_and_named() -> None:
    objects = [
        indicator(f"[url:value = 'http://evil.net/{'a' * 3000}']"),
        indicator(f"[domain-name:value = '{'a' * 300}.net']"),
    ]
    assert export("url", objects)[1].left_out["over-long value"] == 1
    assert export("domain", objects)[1].left_out["malformed value"] == 1


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_in_a_name_or_a_description_is_in_no_rule_or_list(name: str) -> None:
    objects = [indicator("[domain-name:value = 'evil.net']", name="SECRETNAME", description="SECRETNAME")]
    made = export(name, objects)[0]
    informs = name in ("stix", "csv", "misp", "iodef", "iodef-json")
    assert (b"SECRETNAME" in made) == informs
