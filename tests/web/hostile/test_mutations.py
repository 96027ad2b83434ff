"""Signed envelopes with something changed at random: never an error of the hub, and never half of an envelope."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.hostile.signature_rows import SIGNED
from tests.web.hostile.target import Target
from tests.web.taxii.world import OBJECTS, TAXII, address, malware

ENVELOPE: dict[str, Any] = {"objects": [SIGNED, malware(250), address("192.0.2.250")]}
_BYTES = json.dumps(ENVELOPE).encode()
_WITHOUT_SHRINKING_HELP = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2.1", "indicator", SIGNED["id"], SIGNED["created"], "\x00", "\ud800", "9" * 400, "../.."]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value in a JSON tree."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in members:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def changed_trees(draw: st.DrawFn) -> bytes:
    """Return the envelope with one to three values replaced, removed or added."""
    tree = copy.deepcopy(ENVELOPE)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list(places(tree)) or [("objects",)]))
        node: Any = tree
        for step in path:
            node = node[step]
        change = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if change == "remove" and (isinstance(node, list) or last in node):
            del node[last]
        elif change == "add" and isinstance(node, dict):
            node[draw(st.text(max_size=12))] = draw(values)
        elif isinstance(node, list) or last in node:
            node[last] = draw(values)
    return json.dumps(tree).encode()


@st.composite
def changed_octets(draw: st.DrawFn) -> bytes:
    """Return the envelope with some octets flipped, put in or left out."""
    octets = bytearray(_BYTES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(octets) - 1))
        change = draw(st.integers(0, 2))
        if change == 0:
            octets[at] ^= 1 << draw(st.integers(0, 7))
        elif change == 1:
            octets[at:at] = draw(st.binary(min_size=1, max_size=4))
        else:
            del octets[at : at + draw(st.integers(1, 8))]
    return bytes(octets)


@settings(max_examples=200, deadline=None, suppress_health_check=_WITHOUT_SHRINKING_HELP, derandomize=True)
@given(body=changed_trees() | changed_octets())
def test_whatever_changes_the_answer_accounts_for_what_is_stored(sqlite_target: Target, body: bytes) -> None:
    before = sqlite_target.counts()
    answer = sqlite_target.world.aa.call("POST", OBJECTS, body, {"Content-Type": TAXII})
    stored = sqlite_target.counts()["entry"] - before["entry"]
    if answer.status != 202:
        assert answer.status in (400, 422), answer.body
        assert sqlite_target.counts() == before
        return
    status = answer.json
    assert status["status"] == "complete"
    assert status["total_count"] == len(json.loads(body)["objects"])
    assert status["total_count"] == status["success_count"] + status["failure_count"]
    fresh = [line for line in status.get("successes", []) if "message" not in line]
    if status["id"] in sqlite_target.answered:  # a repeat has the earlier status, and changes nothing
        fresh = []
    sqlite_target.answered.add(status["id"])
    assert stored == len(fresh)
    for line in status.get("failures", []):
        assert ": " in line["message"]
