"""Ties the life of a process to the one that started it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait
from typing import Final

STOP_SECONDS: Final = 10.0
"""How long the worker may go on with its piece of work after the signal to stop; what it leaves is done again."""


def end_with_parent() -> None:
    """End this process at once when the one that started it is gone, however that ended: no stray keeps the port."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
