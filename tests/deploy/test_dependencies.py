"""Each run-time dependency has its reason on record."""

from __future__ import annotations

import re
import tomllib

from tests.deploy.commands import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([^|]{10,}) \| ([^|]{3,}) \|$", re.MULTILINE)


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0].lower()


def test_every_run_time_dependency_has_a_line_that_says_what_it_saves_and_who_maintains_it() -> None:
    extras = [each for group in PROJECT["optional-dependencies"].values() for each in group]
    wanted = sorted(_name(each) for each in PROJECT["dependencies"] + extras)
    adr = (ROOT / "docs" / "adr" / "0001-dependencies.md").read_text()
    assert sorted(match[0] for match in ROW.findall(adr) if match[0] != "package") == wanted


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()
