"""How long to leave somebody alone who does not answer: longer after each failure in a row, never for ever."""

from __future__ import annotations

from typing import Final

FIRST_SECONDS: Final = 2.0
LONGEST_SECONDS: Final = 60.0
"""A hub that was away for a night is tried within a minute of its return: an attempt costs both next to nothing."""


def wait_seconds(failures: int, chance: float) -> float:
    """Return the seconds to wait after so many failures in a row.

    :param chance: from 0 to 1, by chance: half of the time to wait is left to it, so that many do not return at once.
    """
    whole = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(max(failures, 1) - 1, 16))
    return float(whole * (0.5 + chance / 2))
