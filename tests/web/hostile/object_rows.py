"""Good envelopes around objects that are not STIX 2.1: each is one line under ``failures`` that names what is wrong."""

from __future__ import annotations

import random
from typing import Any

from tests.web.hostile.row import CANARY, IDENTIFIER, Row, envelope, failing, spoiled

_UUID = "00000000-0000-4000-8000-0000000000ff"
_AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
_NOW = "2026-10-01T00:00:00.000Z"
_DIGITS = "".join(random.Random(1).choices("0123456789", k=10_000))


def _sdo(type_: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "spec_version": "2.1", "id": f"{type_}--{_UUID}", "created": _NOW, "modified": _NOW, **more}


def _circle(*numbers: int) -> bytes:
    """Return marking definitions of which each marks the next, and the last the first."""
    ids = [f"marking-definition--00000000-0000-4000-8000-{number:012d}" for number in numbers]
    return envelope(
        *(
            {
                "type": "marking-definition",
                "spec_version": "2.1",
                "id": own,
                "created": _NOW,
                "name": CANARY,
                "definition_type": "statement",
                "definition": {"statement": CANARY},
                "object_marking_refs": [other],
            }
            for own, other in zip(ids, ids[1:] + ids[:1], strict=True)
        )
    )


MEMBERS: tuple[Row, ...] = tuple(
    failing(f"an object that is {name}", envelope(value), "object")
    for name, value in (
        ("null", None),
        ("a string", CANARY),
        ("a number", 1),
        ("true", True),
        ("a list", [CANARY]),
    )
)

FORMS: tuple[Row, ...] = tuple(
    failing(name, body, fails)
    for name, body, fails in (
        ("an empty object", envelope({}), "type"),
        ("an object without a type", spoiled(type=...), "type"),
        ("a type that is a number", spoiled(type=1), "type"),
        ("a type that is a list", spoiled(type=[CANARY]), "type"),
        ("a type in capitals", spoiled(type="Indicator"), "type"),
        ("a type of 100,000 characters", spoiled(type="a" * 100_000), "type"),
        ("a bundle inside the envelope", envelope({"type": "bundle", "id": f"bundle--{_UUID}", "objects": []}), "type"),
        ("an object without an id", spoiled(id=...), "id"),
        ("an id that is null", spoiled(id=None), "id"),
        ("an id that is an object", spoiled(id={CANARY: 1}), "id"),
        ("an id of another type", spoiled(id=f"malware--{_UUID}"), "id"),
        ("an id that climbs out of a folder", spoiled(id=f"indicator--../../../{CANARY}"), "id"),
        ("an id with a slash", spoiled(id=f"{IDENTIFIER}/{CANARY}"), "id"),
        ("an id with a newline behind it", spoiled(id=IDENTIFIER + "\n"), "id"),
        ("an id with a header behind it", spoiled(id=f"{IDENTIFIER}\r\nX-{CANARY}: 1"), "id"),
        ("an id with a NUL", spoiled(id=IDENTIFIER + "\x00"), "id"),
        ("an id with an escaped quote", spoiled(id=f"{IDENTIFIER}' OR '1'='1{CANARY}"), "id"),
        ("an id of a million characters", spoiled(id="indicator--" + "0" * 1_000_000), "id"),
        ("an id in full-width digits", spoiled(id=IDENTIFIER.replace("0", "\uff10")), "id"),
        ("an id in Arabic digits", spoiled(id=IDENTIFIER.replace("0", "\u0660")), "id"),
        ("an id with a Cyrillic a", spoiled(id=IDENTIFIER.replace("ca", "c\u0430")), "id"),
        ("an id with a right-to-left override", spoiled(id="\u202e" + IDENTIFIER), "id"),
        ("an id with a zero-width space", spoiled(id=IDENTIFIER + "\u200b"), "id"),
        ("an id in capitals", spoiled(id=IDENTIFIER.upper()), "id"),
        ("an id with a UUID in braces", spoiled(id="indicator--{" + _UUID + "}"), "id"),
        ("STIX 2.0", spoiled(spec_version="2.0"), "spec_version"),
        ("no spec_version", spoiled(spec_version=...), "spec_version"),
        ("a spec_version that is a number", spoiled(spec_version=2.1), "spec_version"),
        ("a spec_version that is a list", spoiled(spec_version=["2.1"]), "spec_version"),
        ("no created", spoiled(created=...), "created"),
        ("no modified", spoiled(modified=...), "modified"),
        ("modified before created", spoiled(modified="2020-01-01T00:00:00.000Z"), "modified"),
        ("a created that is a number", spoiled(created=1767225600), "created"),
        ("a created without a time", spoiled(created="2026-10-01"), "created"),
        ("a created with an offset", spoiled(created="2026-10-01T00:00:00.000+00:00"), "created"),
        ("the 30th of February", spoiled(created="2026-02-30T00:00:00.000Z"), "created"),
        ("the hour 25", spoiled(created="2026-01-01T25:00:00.000Z"), "created"),
        ("the year 0", spoiled(created="0000-01-01T00:00:00.000Z"), "created"),
        ("the year 99999", spoiled(created="99999-01-01T00:00:00.000Z"), "created"),
        ("a timestamp in Arabic digits", spoiled(created="\u0662\u0660\u0662\u0666-10-01T00:00:00.000Z"), "created"),
        ("a timestamp with a newline behind it", spoiled(modified=_NOW + "\n"), "modified"),
        ("a timestamp with a NUL", spoiled(modified=_NOW + "\x00"), "modified"),
        ("a second with 10,000 characters that no database compresses",
         spoiled(modified=f"2026-10-01T00:00:00.{_DIGITS}Z"), "modified"),
        ("a timestamp that is an object", spoiled(modified={"$date": CANARY}), "modified"),
        ("a revoked that is a string", spoiled(revoked="true"), "revoked"),
        ("a name that is an object", spoiled(name={CANARY: CANARY}), "name"),
        ("a confidence of 101", spoiled(confidence=101), "confidence"),
        ("a confidence below zero", spoiled(confidence=-1), "confidence"),
        ("labels that are a string", spoiled(labels=CANARY), "labels"),
        ("labels that are empty", spoiled(labels=[]), "labels"),
        ("a property called __proto__", spoiled(__proto__={"admin": CANARY}), "property-name"),
        ("a property with a NUL in its name", spoiled(**{f"x\x00{CANARY}": 1}), "property-name"),
        ("a property with an empty name", spoiled(**{"": CANARY}), "property-name"),
        ("a property in 4-byte characters", spoiled(**{"\U0001f600" + CANARY: 1}), "property-name"),
        ("a created_by_ref that is no identity", spoiled(created_by_ref=f"malware--{_UUID}"), "created_by_ref"),
        ("a created_by_ref that is a list", spoiled(created_by_ref=[CANARY]), "created_by_ref"),
        ("somebody else's created_by_ref", spoiled(created_by_ref="identity--00000000-0000-4000-8000-000000000001"),
         "ownership"),
        ("external_references that are a string", spoiled(external_references=CANARY), "external_references"),
        ("a reference without a source", spoiled(external_references=[{"url": CANARY}]), "external_references"),
        ("a kill chain of numbers", spoiled(kill_chain_phases=[1, 2]), "kill_chain_phases"),
        ("a language that is none", spoiled(lang=CANARY + "_" * 50), "lang"),
        ("an indicator without a pattern", spoiled(pattern=...), "pattern"),
        ("a pattern that is a number", spoiled(pattern=1), "pattern"),
        ("a pattern that is empty", spoiled(pattern=""), "pattern"),
        ("a pattern that is a word", spoiled(pattern=CANARY), "pattern"),
        ("a pattern cut off", spoiled(pattern=f"[file:name = '{CANARY}"), "pattern"),
        ("10,000 open parentheses in a pattern", spoiled(pattern="(" * 10_000), "pattern"),
        ("10,000 open brackets in a pattern", spoiled(pattern="[" * 10_000), "pattern"),
        ("parentheses 10,000 deep in a pattern",
         spoiled(pattern="[" + "(" * 10_000 + f"file:name = '{CANARY}'" + ")" * 10_000 + "]"), "pattern"),
        ("a pattern of 100,000 alternatives",
         spoiled(pattern="[" + " OR ".join([f"a:b = '{CANARY}'"] * 30_000) + "]"), "pattern"),
        ("60,000 NOTs in a pattern", spoiled(pattern="[file:name " + "NOT " * 15_000 + "= 'a']"), "pattern"),
        ("a pattern with a NUL", spoiled(pattern="[file:name = '\x00']\x00"), "pattern"),
        ("a pattern in STIX 1", spoiled(pattern=f"<stix:Indicator>{CANARY}</stix:Indicator>"), "pattern"),
        ("a pattern repeated 10^4000 times", spoiled(pattern=f"[a:b = 1] REPEATS 1{'0' * 4000} TIMES"), "pattern"),
        ("a valid_until before valid_from", spoiled(valid_until="2020-01-01T00:00:00Z"), "valid_until"),
        ("an SCO with the id of another type",
         envelope({"type": "ipv4-addr", "spec_version": "2.1", "id": f"domain-name--{_UUID}", "value": "192.0.2.1"}),
         "id"),
        ("a relationship between words",
         envelope(_sdo("relationship", relationship_type=CANARY, source_ref=CANARY, target_ref=CANARY)), "source_ref"),
        ("9,000 refs that are no ids", envelope(_sdo("report", name="r", published=_NOW, object_refs=[CANARY] * 9000)),
         "object_refs"),
        ("an ipv4 address with an embedded NUL",
         envelope({"type": "ipv4-addr", "spec_version": "2.1", "id": f"ipv4-addr--{_UUID}", "value": "\x00"}), "value"),
        ("a file with hashes that are a list",
         envelope({"type": "file", "spec_version": "2.1", "id": f"file--{_UUID}", "hashes": [CANARY]}), "hashes"),
    )
)  # fmt: skip

MARKINGS: tuple[Row, ...] = tuple(
    failing(name, body, fails)
    for name, body, fails in (
        ("an unknown marking",
         spoiled(object_marking_refs=["marking-definition--00000000-0000-4000-8000-00000000beef"]), "tlp"),
        ("a marking that is a word", spoiled(object_marking_refs=[CANARY]), "object_marking_refs"),
        ("markings that are an object", spoiled(object_marking_refs={CANARY: 1}), "object_marking_refs"),
        ("a marking that is an indicator", spoiled(object_marking_refs=[IDENTIFIER]), "object_marking_refs"),
        ("a granular marking without selectors", spoiled(granular_markings=[{"marking_ref": _AMBER}]),
         "granular_markings"),
        ("a granular marking with neither ref nor lang", spoiled(granular_markings=[{"selectors": ["name"]}]),
         "granular_markings"),
        ("a selector of what is not there",
         spoiled(granular_markings=[{"marking_ref": _AMBER, "selectors": [CANARY]}]), "granular_markings"),
        ("a selector with an index of 400 digits",
         spoiled(granular_markings=[{"marking_ref": _AMBER, "selectors": [f"labels.[{'9' * 400}]"]}]),
         "granular_markings"),
        ("a selector of 10,000 steps",
         spoiled(granular_markings=[{"marking_ref": _AMBER, "selectors": [".".join(["a"] * 10_000)]}]),
         "granular_markings"),
        ("20,000 selectors",
         spoiled(granular_markings=[{"marking_ref": _AMBER, "selectors": [f"labels.[{n}]" for n in range(20_000)]}]),
         "granular_markings"),
        ("a selector that is a number", spoiled(granular_markings=[{"marking_ref": _AMBER, "selectors": [1]}]),
         "granular_markings"),
        ("granular markings that are a string", spoiled(granular_markings=CANARY), "granular_markings"),
        ("a marking of TLP that says another colour",
         envelope({"type": "marking-definition", "spec_version": "2.1", "id": _AMBER, "created": _NOW,
                   "definition_type": "tlp", "definition": {"tlp": CANARY}}), ""),
    )
)  # fmt: skip

CIRCLES: tuple[Row, ...] = (
    failing("a marking definition that marks itself", _circle(901), "marking"),
    failing("two marking definitions that mark each other", _circle(902, 903), "marking"),
    failing("a circle of nine marking definitions", _circle(*range(910, 919)), "marking"),
)

ROWS = MEMBERS + FORMS + MARKINGS + CIRCLES

DISLIKED_BY_DATABASES = tuple(
    row for row in FORMS if any(word in row.name for word in ("NUL", "4-byte", "000 characters", "full-width", "quote"))
)
