"""Why an advisory is refused."""

from __future__ import annotations


class CsafFault(Exception):
    """An advisory cannot be read; the text says why, without content."""
