"""What a client may post: an envelope, or the bundle that many clients send instead (TAXII 2.1 §3.7, §5.5)."""

from __future__ import annotations

from hub.domain import limits
from hub.domain.canonical import Json
from hub.errors import Unprocessable


def read_envelope(value: Json, *, max_objects: int = limits.MAX_OBJECTS) -> list[Json]:
    """Return the members of ``objects``, in order and unchecked; every other property is ignored (TAXII 2.1 §7.1.1).

    Raises:
        Unprocessable: the value is neither an envelope nor a bundle, or brings no objects, or too many.
    """
    if not isinstance(value, dict):
        raise Unprocessable("the body must be one JSON object, an envelope")
    if "type" in value and value["type"] != "bundle":
        raise Unprocessable("the body must be an envelope; put STIX objects into its objects list", field="objects")
    objects = value.get("objects")
    if not isinstance(objects, list):
        raise Unprocessable("an envelope must have a list of STIX objects", field="objects")
    if not objects:
        raise Unprocessable("the list must have at least one STIX object", field="objects")
    if len(objects) > max_objects:
        raise Unprocessable(
            f"the list must not have more than {max_objects} objects; post it in parts", field="objects"
        )
    return objects
