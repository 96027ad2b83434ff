"""How often a server process looks for garbage in circles."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 50_000
"""New containers before the youngest are looked at: an envelope of 1,000 objects makes some 20,000, and keeps them all.

Python's own 700 makes it walk through the envelope over and over while it is being worked on, which costs a sixth of
the processor time of ingest and finds nothing: what the hub makes goes by reference counts, and circles are rare. Those
that there are wait for at most so many containers more, some 10 MiB.
"""

_MIDDLE: Final = 10
_OLD: Final = 10


def settle() -> None:
    """Make the collector leave alone what the process has loaded so far, and look less often at what comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, _MIDDLE, _OLD)
