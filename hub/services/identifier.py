"""New identifiers out of the hub's own source of randomness."""

from __future__ import annotations

import uuid
from collections.abc import Callable


def uuid4(token_bytes: Callable[[int], bytes]) -> str:
    """Return a random UUID (RFC 9562 version 4) in lower case."""
    return str(uuid.UUID(bytes=token_bytes(16), version=4))
