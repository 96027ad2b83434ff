"""The Prefer header as far as the hub follows it: ``wait`` (RFC 7240 §4.3), how long a client would wait for news."""

from __future__ import annotations

import re
from typing import Final

_WAIT: Final = re.compile(r'wait\s*=\s*(?:([0-9]{1,9})|"([0-9]{1,9})")', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def wait_seconds(header: str | None) -> int | None:
    """Return the seconds of the first ``wait`` in a Prefer header; None when there is none that is a number.

    What cannot be read is left out, as RFC 7240 §2 wants: a preference is never an error.
    """
    for preference in _split(header or ""):
        name = preference.partition(";")[0].strip()
        if name.partition("=")[0].strip().lower() != "wait":
            continue
        found = _WAIT.fullmatch(name)
        return None if found is None else int(found[1] or found[2])
    return None


def _split(header: str) -> list[str]:
    """Cut at the commas that stand in no quoted string."""
    cuts = [match.start() for match in re.finditer(",", _QUOTED.sub(lambda one: "_" * len(one[0]), header))]
    return [header[start:end] for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(header)], strict=True)]
