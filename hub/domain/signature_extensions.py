"""The two STIX extensions that carry X.590 signatures, as published: their ids never change, their versions may."""

from __future__ import annotations

from typing import Any, Final

PROJECT_IDENTITY_ID: Final = "identity--c6236e82-eea3-4928-ab54-6f6262741c0b"
INLINE_EXTENSION_ID: Final = "extension-definition--39598bb5-0ce9-4cbf-8c8c-1701d928daf7"
DETACHED_EXTENSION_ID: Final = "extension-definition--6d005cb7-3e64-480e-bb5d-c7a1e886c30f"

SIGNATURE_TYPE: Final = "jss-signature"
INLINE_EXTENSION: Final = {"extension_type": "toplevel-property-extension"}
DETACHED_EXTENSION: Final = {"extension_type": "new-sdo"}

_PUBLISHED: Final = "2026-11-22T00:00:00.000Z"

PROJECT_IDENTITY: Final[dict[str, Any]] = {
    "type": "identity",
    "spec_version": "2.1",
    "id": PROJECT_IDENTITY_ID,
    "created": _PUBLISHED,
    "modified": _PUBLISHED,
    "name": "CYBEX hub project",
    "description": "The project that publishes the extension definitions of the CYBEX hub.",
    "identity_class": "organization",
}

EXTENSION_DEFINITIONS: Final[tuple[dict[str, Any], ...]] = (
    {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": INLINE_EXTENSION_ID,
        "created_by_ref": PROJECT_IDENTITY_ID,
        "created": _PUBLISHED,
        "modified": _PUBLISHED,
        "name": "JSS inline signatures",
        "description": (
            "The author of an object signs it with the JSON signature scheme of Recommendation ITU-T X.590: the "
            "top-level list `signatures` holds JSS signature objects over the whole object."
        ),
        "schema": "schemas/hub/jss-inline.schema.json",
        "version": "1.0.0",
        "extension_types": ["toplevel-property-extension"],
        "extension_properties": ["signatures"],
    },
    {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": DETACHED_EXTENSION_ID,
        "created_by_ref": PROJECT_IDENTITY_ID,
        "created": _PUBLISHED,
        "modified": _PUBLISHED,
        "name": "JSS detached signature",
        "description": (
            "An object of its own, `jss-signature`, holds one JSS signature (Recommendation ITU-T X.590) over one "
            "version of another STIX object, which stays untouched."
        ),
        "schema": "schemas/hub/jss-signature.schema.json",
        "version": "1.0.0",
        "extension_types": ["new-sdo"],
    },
)
