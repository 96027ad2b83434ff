"""How much of a conversion's report a hub keeps: whole counts, and as many lines as fit, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

FATES: Final = ("kept", "merged", "guessed", "dropped")
FIELD_LENGTH: Final = 100
"""Characters of a field's name: a path of six steps."""

REASON_LENGTH: Final = 200
"""Characters of a reason: two sentences."""


def shortened(report: Mapping[str, Any], *, lines: int) -> dict[str, Any]:
    """Return a report with so many lines at most, each cut to what a hub takes; ``left_out`` says how many lack."""
    given = report["lines"]
    shown = [
        {
            "fate": line["fate"],
            "field": line["field"][:FIELD_LENGTH],
            "became": line["became"][:FIELD_LENGTH],
            "reason": line["reason"][:REASON_LENGTH],
            "count": line["count"],
        }
        for line in given[:lines]
    ]
    counts = {fate: report[fate] for fate in FATES}
    return {**counts, "lines": shown, "left_out": len(given) - len(shown)}
