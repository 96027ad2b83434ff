"""/receipts/{submission}: what the hub has signed of a submission, as it was signed."""

from __future__ import annotations

from typing import Any, Final

import orjson

from hub.services import receipts as service
from hub.services.receipts import Kept
from hub.web.api.call import Answer, Call, Handler


def get(call: Call) -> Answer:
    """Return the receipt and what came later."""
    return Answer(receipts(service.get(call.hub, call.caller, call.path["submission"])))


def receipts(kept: Kept) -> dict[str, Any]:
    """Return the receipts of a submission; each stands there byte by byte as it was made."""
    return {
        "submission": kept.submission,
        "receipt": orjson.Fragment(kept.receipt),
        "later": orjson.Fragment(kept.later),
    }


HANDLERS: Final[dict[str, Handler]] = {"getReceipt": get}
