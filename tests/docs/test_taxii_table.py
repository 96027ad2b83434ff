"""docs/taxii.md can be wrong, so it is tested: every id has one row, and every row names tests that exist."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "taxii.md"
ROW = re.compile(r"\| ([A-Z]-[A-Z]?[0-9]{2,3}b?) \| (.+) \| (`.*`) \|")
REFERENCE = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def ids(letter: str, *spans: tuple[int, int], width: int = 2) -> list[str]:
    return [f"{letter}-{number:0{width}}" for first, last in spans for number in range(first, last + 1)]


STANDARD = ids(
    "T",
    *[(1, 14), (20, 27), (30, 41), (45, 47), (50, 52), (55, 74), (80, 87), (90, 92), (95, 98), (100, 105), (110, 114)],
    *[(120, 127), (130, 133), (140, 145), (150, 154), (160, 162), (170, 176), (180, 183), (190, 194), (200, 203)],
    *[(210, 213), (220, 228)],
    width=3,
)
INTEROPERABILITY = [*(f"I-C{number:02}" for number in range(1, 9)), *ids("I", (1, 44))]
CHOICES = [*ids("A", (1, 26)), "A-07b"]
CLIENTS = ids("K", (1, 8), (10, 12), (15, 20), (25, 26), (30, 33), (35, 38), (40, 50))
FAULTS = [*ids("M", (1, 32)), *ids("O", (1, 19)), *ids("W", (1, 17))]
EVERY_ID = [*STANDARD, *INTEROPERABILITY, *CHOICES, *CLIENTS, *FAULTS]


def rows() -> list[tuple[str, str, str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [(match[1], match[2], match[3]) for line in lines if (match := ROW.fullmatch(line))]


@cache
def named_in(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def test_every_id_has_exactly_one_row_and_no_row_has_another_id() -> None:
    assert Counter(found for found, _, _ in rows()) == Counter(EVERY_ID)


def test_every_line_of_a_table_is_such_a_row() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    others = [line for line in lines if not ROW.fullmatch(line) and not line.startswith(("| id |", "| --- |"))]
    assert others == []


@pytest.mark.parametrize("file", sorted({path for _, _, cell in rows() for path, _ in REFERENCE.findall(cell)}))
def test_every_test_that_is_named_exists(file: str) -> None:
    named = {name for _, _, cell in rows() for path, name in REFERENCE.findall(cell) if path == file}
    assert named - named_in(ROOT / file) == set()


def test_every_row_says_something_and_names_a_test() -> None:
    for found, text, cell in rows():
        assert len(text) > 5, found
        assert re.sub(r"<br>", "", REFERENCE.sub("", cell)) == "", found
