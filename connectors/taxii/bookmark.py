"""From where to go on: an instant up to which a server can have nothing more for us, however it dates its objects."""

from __future__ import annotations

from typing import Final

from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import ConfigError

SECOND: Final = 1_000_000
UNDATED_SECONDS: Final = 300
"""How far before a run a server without dates is asked again: as much as its clock may differ between its processes."""


def read(bookmark: str | None) -> int | None:
    """Return a bookmark as microseconds. Raises ConfigError when it is not one of ours."""
    if bookmark is None:
        return None
    try:
        return parse_timestamp(bookmark)
    except ValueError:
        raise ConfigError("the bookmark is no timestamp; remove the connector's state to begin anew") from None


def write(instant: int) -> str:
    """Return the text of a bookmark."""
    return format_timestamp(instant)


def before(instant: int) -> int:
    """Return the instant just before a date, at the resolution the server seems to count in.

    Objects may share a date, and a page may end between them: `added_after` the date itself would leave out the rest.
    """
    if instant % SECOND == 0:
        return instant - SECOND
    return instant - (1_000 if instant % 1_000 == 0 else 1)


def safe(last: int, now: int, overlap: int) -> int:
    """Return from where to ask again after everything up to ``last`` was given; all in microseconds.

    :param now: a date after it is not believed: what comes until then would be passed over.
    :param overlap: objects may become visible so much later than they are dated.
    """
    last = min(last, now)
    return min(before(last), last - overlap)
