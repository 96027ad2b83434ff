"""How long something is kept, on the command line: ``90d``, ``36h``, or ``forever``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import click

_FORM: Final = re.compile(r"([1-9][0-9]{0,5})(h|d|y)", re.ASCII)
_SECONDS: Final = {"h": 3600, "d": 24 * 3600, "y": 365 * 24 * 3600}


@dataclass(frozen=True, slots=True)
class Duration:
    """A time in seconds; None is for ever."""

    seconds: int | None


class DurationType(click.ParamType[Duration]):
    """Hours, days or years, or the word forever."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        """Return the time."""
        if isinstance(value, Duration):
            return value
        if value == "forever":
            return Duration(None)
        match = _FORM.fullmatch(value)
        if match is None:
            self.fail("give a time such as 90d, 36h or 2y, or forever", param, ctx)
        return Duration(int(match[1]) * _SECONDS[match[2]])


DURATION: Final = DurationType()
