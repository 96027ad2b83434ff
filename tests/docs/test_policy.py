"""docs/policy.md names every rule, in the order in which they are asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from hub.domain.audience import Audience
from hub.domain.policy.onward import FARTHEST
from hub.domain.policy.publish import RULES
from hub.domain.policy.reading import READ_RULES, ReadFacts
from hub.domain.releasability import EXTENSION_ID
from hub.domain.tlp import LEVELS

TEXT = (Path(__file__).parents[2] / "docs/policy.md").read_text()
PUBLISHING, READING, ONWARD = re.split(r"^## (?:Reading|Onward relay)$", TEXT, flags=re.MULTILINE)


def rows(section: str) -> list[tuple[str, ...]]:
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in section.splitlines() if line[:1] == "|"
    ]


def test_each_publishing_rule_has_its_section_in_order_with_its_reason() -> None:
    names = [sys.modules[rule.__module__].NAME for rule in RULES]
    sections = re.split(r"^### ", PUBLISHING, flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections] == names
    assert all("*Why:*" in section for section in sections)


def test_each_publishing_rule_gives_its_reason_in_its_docstring() -> None:
    for rule in RULES:
        module = sys.modules[rule.__module__]
        assert (module.__doc__ or "").startswith(f"Rule `{module.NAME}`: ")
        assert "\nReason: " in (module.__doc__ or "")
        assert rule.__doc__


def test_the_reading_rules_are_those_of_the_table() -> None:
    facts = ReadFacts(1, False, 1, None, None, Audience("group"), 1, None, 0, partner_hub=False)
    assert [f"`{rule(facts).rule}`" for rule in READ_RULES] == [row[0] for row in rows(READING)[2:]]


def test_the_reach_of_each_level_is_that_of_the_table() -> None:
    assert {row[0]: row[1] for row in rows(ONWARD)[2:]} == {
        level: "nowhere" if to is None else to.name.lower() for level, to in FARTHEST.items()
    }


def test_the_levels_and_the_extension_are_named() -> None:
    assert f"{', '.join(LEVELS)}." in TEXT.replace("\n  ", " ")
    assert EXTENSION_ID in TEXT
