"""docs/validation.md lists the rules the code has, no more and no fewer."""

from __future__ import annotations

import re
from pathlib import Path

from hub.domain import limits
from hub.domain.stix_problem import Rule

_DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "validation.md").read_text()


def test_every_rule_is_documented_and_every_documented_rule_exists() -> None:
    section = _DOCUMENT.partition("## The rules")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == sorted(Rule)


def test_the_bounds_of_patterns_are_those_of_the_code() -> None:
    assert f"at most {limits.MAX_PATTERN_LENGTH:,} characters long" in _DOCUMENT
    assert f"{limits.MAX_PATTERN_DEPTH} parentheses deep" in _DOCUMENT
