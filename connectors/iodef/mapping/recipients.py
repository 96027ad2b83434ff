"""Named recipients of what is RED: a releasability marking, since IODEF has no word for them and the hub wants them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

from hub.domain import releasability
from hub.domain.canonical import jcs

_NAMESPACE: Final = uuid.UUID("0d7f3b52-8c19-5a64-9e2b-41c6a7d0f385")
_CREATED: Final = "2000-01-01T00:00:00.000Z"  # the id says all that the definition does, so it never has a version


def marking_for(recipients: Iterable[str], identity: str) -> dict[str, Any] | None:
    """Return the marking-definition that names these recipients and nobody else; None when there are none.

    :param identity: in whose name it is published: nobody else's marking would count.
    """
    named = sorted(set(recipients))
    if not named:
        return None
    extension = {"extension_type": "property-extension", "onward_relay": False, "recipient_refs": named}
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid.uuid5(_NAMESPACE, jcs([identity, extension]).decode())}",
        "created_by_ref": identity,
        "created": _CREATED,
        "name": "Recipients of private IODEF incidents",
        "extensions": {releasability.EXTENSION_ID: extension},
    }
