"""The STIX extension in which a connector keeps what STIX has no place for of an IODEF incident, as published."""

from __future__ import annotations

from typing import Any, Final

from hub.domain.signature_extensions import PROJECT_IDENTITY_ID

IODEF_EXTENSION_ID: Final = "extension-definition--6b4f0c93-2d1e-4c57-9a3b-7e2c6f0b9e71"

IODEF_EXTENSION_DEFINITION: Final[dict[str, Any]] = {
    "type": "extension-definition",
    "spec_version": "2.1",
    "id": IODEF_EXTENSION_ID,
    "created_by_ref": PROJECT_IDENTITY_ID,
    "created": "2026-11-22T00:00:00.000Z",
    "modified": "2026-11-22T00:00:00.000Z",
    "name": "IODEF details",
    "description": (
        "Parts of an IODEF v2 incident (RFC 7970, Recommendation ITU-T X.1541) that STIX has no place for, written as "
        "RFC 8727 writes them: `incident` holds members of the class Incident, `document` those of IODEF-Document, "
        "and `absent` names members that the incident did not have."
    ),
    "schema": "schemas/hub/iodef-details.schema.json",
    "version": "1.0.0",
    "extension_types": ["property-extension"],
}
