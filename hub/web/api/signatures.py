"""/objects/{stix_id}/signatures: who signed an object, and what each signature is worth today."""

from __future__ import annotations

from typing import Final

from hub.services import signatures as service
from hub.services.signatures import Listed
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import Resource, instant


def get_all(call: Call) -> Answer:
    """List the signatures over every version that the caller may see."""
    stix_id = call.path["stix_id"]
    found = service.of_object(call.hub, call.caller, stix_id)
    return Answer({"object": stix_id, "signatures": [signature(one) for one in found]})


def signature(row: Listed) -> Resource:
    """Return one signature; ``kid`` and ``form`` are null when no enrolled key made it."""
    found = row.found
    return {
        "group": row.group.slug,
        "collection": row.collection.uuid,
        "alias": row.collection.alias,
        "version": row.version,
        "id": row.signature_id,
        "identity": row.signee,
        "handle": row.handle,
        "role": row.role,
        "kid": None if found.key is None else found.key.kid,
        "algorithm": row.algorithm,
        "form": found.form,
        "carrier": row.carrier,
        "signed_at": None if found.signed_at is None else instant(found.signed_at),
        "date_added": instant(row.date_added),
        "standing": found.standing.value,
        "counts": found.counts,
        "reason": found.reason,
    }


HANDLERS: Final[dict[str, Handler]] = {"listSignatures": get_all}
