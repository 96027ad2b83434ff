"""A checkpoint of the log: which log, how many leaves, which root (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from hub.domain.merkle import HASH_BYTES
from hub.errors import InvalidRequest

MAX_SIZE: Final = 2**63 - 1
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LEAST_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself at one moment.

    :param origin: names the log for ever.
    :param extensions: further lines, which nothing here gives a meaning.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode("ascii"), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> Checkpoint:
    """Return the checkpoint in a note's text. Raises InvalidRequest when it has any other form."""
    lines = text.split("\n")
    if lines.pop() != "" or len(lines) < _LEAST_LINES or not all(lines):
        raise _malformed("it is at least three lines: origin, size and root")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None or int(size) > MAX_SIZE:
        raise _malformed("its second line is the number of leaves")
    try:
        hashed = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("its third line is the root in base64") from None
    if len(hashed) != HASH_BYTES or base64.b64encode(hashed).decode("ascii") != root:
        raise _malformed("its third line is the root in base64")
    return Checkpoint(origin, int(size), hashed, tuple(extensions))


def _malformed(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the checkpoint is malformed: {reason}", field="checkpoint")
