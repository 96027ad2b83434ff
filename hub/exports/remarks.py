"""What stands around the entries of a text format, as comments: whose it is, how to handle it, what was left out.

The last line counts the entries: a list without it is not whole, and must not be put into use.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain import tlp
from hub.domain.taxii_time import format_timestamp
from hub.exports.shared import Account, Source


def head(mark: str, name: str, source: Source) -> bytes:
    """Return the first lines; nothing else in the export depends on when it was made."""
    lines = (f"cybex export: {name}", f"from: {source.place}, for: {source.peer}", f"made: {made(source)}")
    return "".join(f"{mark} {line}\n" for line in lines).encode("ascii")


def summary(mark: str, account: Account) -> bytes:
    """Return how the list is to be handled, and what is not in it and why; once the account is complete."""
    lines = [
        f"{tlp.label(account.level)} is the strictest marking of what is in here: handle the whole accordingly",
        f"entries: {account.entries}",
    ]
    lines += [f"left out, {reason}: {count}" for reason, count in sorted(account.left_out.items())]
    return "".join(f"{mark} {line}\n" for line in lines).encode("ascii")


def tail(mark: str, account: Account) -> bytes:
    """Return the line that says that the list is whole."""
    return f"{mark} end of list, {account.entries} entries\n".encode("ascii")


def made(source: Source) -> str:
    """Return when the export is made, in whole seconds."""
    return format_timestamp(source.now)[:19] + "Z"


def lines(texts: Iterator[str], size: int = 64 * 1024) -> Iterator[bytes]:
    """Yield lines in chunks of about this size; each text is one line of ASCII."""
    waiting: list[str] = []
    length = 0
    for text in texts:
        waiting.append(text)
        length += len(text) + 1
        if length >= size:
            yield ("\n".join(waiting) + "\n").encode("ascii")
            waiting, length = [], 0
    if waiting:
        yield ("\n".join(waiting) + "\n").encode("ascii")
