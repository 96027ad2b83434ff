"""Objects as the hub would hand them out, and golden files, for the tests of feeds and alerts."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from hub.domain import tlp
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas

AUTHOR = "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"


@cache
def validator() -> StixValidator:
    """The hub's own judge of STIX."""
    return StixValidator(read_schemas())


def assert_valid(objects: Any) -> None:
    """Fail unless the hub would take every object."""
    for obj in objects:
        assert validator().problems(json.loads(json.dumps(obj))) == (), obj


def indicator(number: int = 1, *, level: str | None = "green", **properties: Any) -> dict[str, Any]:
    """An indicator of somebody else."""
    made: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}",
        "created_by_ref": AUTHOR,
        "created": "2026-01-02T03:04:05.678Z",
        "modified": "2026-01-03T03:04:05.678Z",
        "name": f"Secret name {number}",
        "pattern": f"[ipv4-addr:value = '192.0.2.{number}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-02T03:04:05.678Z",
    }
    if level is not None:
        made["object_marking_refs"] = [tlp.IDS[level]]  # type: ignore[index] # a level of the table
    return made | properties


def check_golden(file: Path, found: Any) -> None:
    """Fail unless a result is the one in the file; ``GOLDEN=write`` in the environment writes it instead."""
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text
