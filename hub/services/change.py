"""A partial change: what is not named (``...``) stays as it is, which is something else than being set to nothing."""

from __future__ import annotations

from types import EllipsisType
from typing import TypeVar

T = TypeVar("T")


def changed(current: T, wanted: T | EllipsisType) -> T:
    """Return the value after the change."""
    return current if isinstance(wanted, EllipsisType) else wanted
