"""What all parts of the way from CSAF to STIX share: ids, times, marking, and the report."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from connectors.csaf.mapping import limits
from connectors.sdk.report import Report
from hub.domain import tlp
from hub.domain.canonical import jcs
from hub.domain.sco_id import deterministic_id

_NAMESPACE: Final = uuid.UUID("5a1f3d5e-9a5b-5b0f-8f43-0a6d9d2e7c11")
"""UUIDv5 namespace of STIX objects made of advisories; never that of cyber-observables."""

TIMELESS: Final = "2000-01-01T00:00:00.000Z"
"""``created`` and ``modified`` of a publisher: its id is made of its content, so there is one version, and no date says
when it began."""

_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.{6,40}")


def stix_time(text: str) -> str | None:
    """Return an RFC 3339 time as STIX writes it, None when it is none."""
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.replace("t", "T").replace("z", "Z"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    fraction = f"{moment.microsecond:06d}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction[:3] if fraction.endswith('000') else fraction}Z".rjust(24, "0")


@dataclass(slots=True)
class Making:
    """The objects made of one advisory so far. ``key`` is its publisher's namespace and its tracking id."""

    identity: str
    key: tuple[str, str]
    created: str
    modified: str
    level: tlp.Level
    report: Report
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    def stix_id(self, kind: str, *parts: Any) -> str:
        """Return the id of an object of this advisory: the same in every version of it."""
        return f"{kind}--{uuid.uuid5(_NAMESPACE, jcs([kind, self.identity, *self.key, *parts]).decode())}"

    def add(self, kind: str, parts: list[Any], **properties: Any) -> dict[str, Any]:
        """Add a domain object or relationship and return it; empty properties are left out."""
        obj: dict[str, Any] = {
            "type": kind,
            "spec_version": "2.1",
            "id": self.stix_id(kind, *parts),
            "created_by_ref": self.identity,
            "created": self.created,
            "modified": self.modified,
            "object_marking_refs": [tlp.IDS[self.level]],
            **{name: value for name, value in properties.items() if value not in (None, "", [], {})},
        }
        self.objects[obj["id"]] = obj
        return obj

    def publisher(self, properties: Mapping[str, Any]) -> str:
        """Add who published the advisory, and return its id, which is made of what is said of it."""
        said = jcs(["publisher", self.identity, self.level, dict(properties)]).decode()
        name = f"identity--{uuid.uuid5(_NAMESPACE, said)}"
        self.objects[name] = {
            "type": "identity",
            "spec_version": "2.1",
            "id": name,
            "created_by_ref": self.identity,
            "created": TIMELESS,
            "modified": TIMELESS,
            "object_marking_refs": [tlp.IDS[self.level]],
            **properties,
        }
        return name

    def observe(self, obj: dict[str, Any]) -> str:
        """Add a cyber-observable, and return the id that everybody gives it."""
        body = {**obj, "spec_version": "2.1"}
        name = deterministic_id(body) or self.stix_id(obj["type"], obj)
        self.objects.setdefault(name, {**body, "id": name, "object_marking_refs": [tlp.IDS[self.level]]})
        return name

    def text(self, place: str, parts: list[str]) -> str:
        """Return some texts as one; what is too long for people is cut, and the report says so."""
        whole = "\n\n".join(part.strip() for part in parts if part.strip())
        if len(whole) > limits.TEXT:
            self.report.dropped(place, f"a text is cut after {limits.TEXT} characters")
        return whole[: limits.TEXT]
