"""A JSON document in a file that somebody else has written."""

from __future__ import annotations

from typing import IO

from hub.domain import limits
from hub.domain.canonical import Json, parse
from hub.errors import InvalidRequest


def read_json(file: IO[bytes], most: int = limits.AGREEMENT_BYTES) -> Json:
    """Return the document, read strictly (I-JSON). Raises InvalidRequest, MalformedJson.

    :param most: octets.
    """
    octets = file.read(most + 1)
    if len(octets) > most:
        raise InvalidRequest(f"the file is longer than {most} octets; is it the right one?", field="file")
    return parse(octets)
