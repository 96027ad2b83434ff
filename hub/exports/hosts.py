"""Host names as the DNS has them: lower-case A-labels of letters, digits, hyphens and underscores.

A name in another script is encoded label by label (RFC 3492), never mapped to similar letters: what looks like a known
name stays a name of its own, and can be seen to be one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_NAME: Final = 253
"""Characters of a host name (RFC 1035 §2.3.4)."""

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_LETTERS: Final = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"})
_SECOND_LEVEL: Final = frozenset(
    ["ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "gub", "mil", "ne", "net", "nom", "or", "org", "sch"]
)
"""Labels under which countries register names: ``com.br`` is half of Brazil."""


def host_name(text: str) -> str | None:
    """Return a name of at least two labels as the DNS writes it, without a dot at the end; None for anything else."""
    if not text or len(text) > MAX_NAME:
        return None
    lower = text.lower().removesuffix(".")
    if not lower.isascii():
        encoded = [_a_label(label) for label in lower.split(".")]
        if None in encoded:
            return None
        lower = ".".join(label for label in encoded if label is not None)
    labels = lower.split(".")
    if len(labels) < 2 or len(lower) > MAX_NAME or labels[-1].isdigit() or _hexadecimal(labels[-1]):
        return None
    return lower if all(_LABEL.fullmatch(label) for label in labels) else None


def is_public_suffix(name: str) -> bool:
    """Say whether names of many owners are registered below this one, as far as its form tells that."""
    labels = name.split(".")
    return len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL


def _a_label(label: str) -> str | None:
    """Return the A-label of a lower-case U-label, None when no such label is registered (RFC 5892, the safe part)."""
    if label.isascii():
        return label
    if unicodedata.normalize("NFKC", label) != label or label[:1] == "-" or label[-1:] == "-":
        return None
    if unicodedata.category(label[0])[0] == "M":
        return None
    if any(mark != "-" and unicodedata.category(mark) not in _LETTERS for mark in label):
        return None
    try:
        return "xn--" + label.encode("punycode").decode("ascii")
    except UnicodeError:
        return None


def _hexadecimal(label: str) -> bool:
    """Say whether a last label makes parsers of URLs take the whole for an IPv4 address (WHATWG URL §3.5)."""
    return label.startswith("0x") and all(mark in "0123456789abcdef" for mark in label[2:])
