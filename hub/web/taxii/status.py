"""GET {root}/status/{status-id}/, and the status resource that POST returns too (TAXII 2.1 §4.3)."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any, Final

import orjson
from flask import Response

from hub.domain import taxii_resources
from hub.errors import NotFound
from hub.services import access
from hub.services import status as statuses
from hub.store.submissions import Submission
from hub.web.taxii import answers
from hub.web.taxii.call import Call

HUB: Final = {"software": "cybex", "version": version("cybex")}
"""Value of the custom property ``x_cybex_hub`` (TAXII 2.1 §7.1)."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def get(call: Call, slug: str, uuid: str) -> Response:
    """Return the status of a submission of the caller's peer."""
    if _UUID.fullmatch(uuid) is None:
        with call.hub.db.read() as tx:
            access.group(tx, call.caller, slug)
        raise NotFound("there is no such status")
    submission = statuses.get(call.hub, call.caller, slug, uuid)
    call.negotiate()
    return answers.resource(resource(submission))


def resource(submission: Submission) -> dict[str, Any]:
    """Return a submission as a status resource."""
    return taxii_resources.status(
        submission.uuid,
        complete=submission.state == "complete",
        received_at=submission.received_at,
        total=submission.total,
        successes=submission.successes,
        failures=submission.failures,
        pendings=submission.pendings,
        hub=HUB,
        receipt=None if submission.receipt is None else orjson.Fragment(submission.receipt),
    )
