"""Files that are there whole or not at all, and folders in which nobody leads us astray."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.sdk.kind import ConnectorError

FILES: Final = 10_000
"""Documents in a folder: its list is read at every run, and what was read of it is remembered in the bookmark."""


def write_whole(path: Path, data: bytes) -> bool:
    """Write a file so that a reader sees the old or the new one; say whether it was not there like this before."""
    if path.is_file() and path.read_bytes() == data:
        return False
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return True


def documents(folder: Path) -> Iterator[Path]:
    """Yield the documents of a folder by name; links and folders are none.

    :raises ConnectorError: it cannot be read, or holds too many.
    """
    try:
        entries = [entry for entry in os.scandir(folder) if entry.name.lower().endswith((".xml", ".json"))]
        found = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    except OSError as error:
        raise ConnectorError(f"the folder cannot be read: {type(error).__name__}; check `folder`") from error
    if len(found) > FILES:
        raise ConnectorError(f"the folder holds more than {FILES} documents; move away those that were read")
    for name in found:
        if not name.startswith("."):
            yield folder / name


def read_at_most(path: Path, limit: int) -> bytes | None:
    """Return the octets of a file, None when there are more than the limit.

    :raises ConnectorError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConnectorError(f"a document cannot be read: {type(error).__name__}; check its rights") from error
    return data if len(data) <= limit else None
