"""Sections of RESULTS.md that a benchmark of its own writes: put in by name, and kept when the rest is written anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
_SECTION: Final = re.compile(r"<!-- begin ([a-z-]+) -->\n.*?<!-- end \1 -->\n", re.DOTALL)


def put(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace the section of this name, or add it at the end."""
    before = path.read_text(encoding="utf-8")
    section = f"<!-- begin {name} -->\n{text.strip()}\n<!-- end {name} -->\n"
    for found in _SECTION.finditer(before):
        if found[1] == name:
            path.write_text(before[: found.start()] + section + before[found.end() :], encoding="utf-8")
            return
    path.write_text(f"{before.rstrip()}\n\n{section}", encoding="utf-8")


def kept(path: Path = RESULTS) -> str:
    """Return all sections, to be put behind what is written anew."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return "".join(f"\n{found[0]}" for found in _SECTION.finditer(text))
