"""Small changes of a valid object: one property removed, replaced, renamed or added, at any depth."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.domain.stix_examples import Object, examples, ref

_VALUES = st.sampled_from(
    [
        "",
        "x",
        "X-y",
        "en-NG",
        "2.0",
        "2026-02-30T00:00:00.000Z",
        "2025-12-31T23:59:59.999Z",
        "2030-01-01T00:00:00.000001Z",
        "2026-01-02T03:04:05.6780Z",
        "2026-01-02T03:04:05Z",
        "2016-12-31T23:59:60.000Z",
        "2016-11-30T23:59:60.000Z",
        "2026-01-01T00:00:00+00:00",
        "cve",
        "CVE-12",
        "a@b",
        "a_b.example",
        "http://[",
        "[file:name = 'a'",
        "[file:size = 5] START t'2026-01-01T00:00:00Z'",
        -1,
        0,
        101,
        2.5,
        True,
        False,
        {},
        [],
        [""],
        {"a": 1},
        {"MD5": "xyz"},
        {"SHA-256": "0" * 64},
        {"no": {"name": "b"}},
        ["no-such-language"],
        [{"selectors": ["name"], "lang": "fr"}],
        [{"selectors": ["absent"], "marking_ref": ref("marking-definition")}],
        [{"selectors": ["labels.[7]"], "marking_ref": ref("marking-definition")}],
        {"x-a-ext": {"b": 1}},
        {ref("extension-definition"): {"extension_type": "new-sdo"}},
        {ref("extension-definition"): {"extension_type": "other"}},
        {"something": {"b": 1}},
    ]
)
_KINDS = ("identity", "marking-definition", "url", "file", "relationship", "bundle", "x-acme", "domain-name", "UPPER")
_NAMES = st.sampled_from(["x_new", "lang", "revoked", "severity", "A", "ab", "extensions", "granular_markings", "end"])


def _places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found: list[tuple[str | int, ...]] = [path] if path else []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        found.extend(_places(value, (*path, key)))
    return found


@st.composite
def mutants(draw: st.DrawFn) -> Object:
    """A valid object of any type with one change."""
    obj = draw(st.sampled_from(examples()))
    place = draw(st.sampled_from([p for p in _places(obj) if p != ("type",)]))
    parent: Any = obj
    for step in place[:-1]:
        parent = parent[step]
    last = place[-1]
    change = draw(st.sampled_from(["remove", "replace", "kind", "append", "add", "digit"]))
    old = parent[last]
    if change == "remove":
        del parent[last]
    elif change == "replace":
        parent[last] = draw(_VALUES)
    elif change == "add":
        obj[draw(_NAMES)] = draw(_VALUES)
    elif isinstance(old, str):
        if change == "kind" and "--" in old:
            parent[last] = ref(draw(st.sampled_from(_KINDS)))
        elif change == "digit":
            at = draw(st.integers(0, max(0, len(old) - 1)))
            parent[last] = old[:at] + draw(st.sampled_from(["0", "1", "9", "-", ".", "Z", "a", "'"])) + old[at + 1 :]
        else:
            parent[last] = old + draw(st.sampled_from([" ", "\n", "0", "é", "--"]))
    return obj
