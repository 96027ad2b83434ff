"""/groups/{slug}/keys and /groups/{slug}/jwks: what a reader of a group verifies signatures against."""

from __future__ import annotations

from typing import Final

from hub.services import key_directory as service
from hub.web.api.call import Answer, Call, Handler


def get(call: Call) -> Answer:
    """Return the key directory of a group, whole: a part of it would make good signatures look bad."""
    issued = service.signed(call.hub, call.caller, call.path["slug"])
    return Answer(issued.document, digest=issued.digest)


def get_jwk_set(call: Call) -> Answer:
    """Return the keys that stand now as a JWK Set."""
    issued = service.as_jwk_set(call.hub, call.caller, call.path["slug"])
    return Answer(issued.document, digest=issued.digest)


HANDLERS: Final[dict[str, Handler]] = {"getKeyDirectory": get, "getJwkSet": get_jwk_set}
"""By operation of the document."""
