"""The JSON Schema of CSAF 2.0 as OASIS publishes it, ready to check advisories with."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, RegexOptions, Registry

import hub
from connectors.sdk.kind import ConnectorError

_PACKAGE: Final = Path(hub.__file__).resolve().parent
_PLACES: Final = (_PACKAGE / "schemas" / "csaf", _PACKAGE.parent / "schemas" / "csaf")
"""Inside the installed wheel, and beside the package in a checkout."""

_CVSS: Final = ("2.0", "3.0", "3.1")
_SHOWN: Final = 5


@cache
def csaf_faults() -> Callable[[Any], list[str]]:
    """Return what says at which places an advisory does not keep the schema; the first few, by path.

    :raises ConnectorError: the schemas are not installed.
    """
    place = next((one for one in _PLACES if one.is_dir()), None)
    if place is None:
        raise ConnectorError("the schemas of CSAF are not installed; install the package again")
    files = [f"cvss-v{version}.json" for version in _CVSS]
    scores = [(f"https://www.first.org/cvss/{file}", _cvss(place / file)) for file in files]
    validator = Draft202012Validator(
        json.loads((place / "csaf.json").read_bytes()),
        registry=Registry(scores),
        validate_formats=True,
        pattern_options=RegexOptions(),  # the linear-time engine: no advisory can make it backtrack
        offline=True,
    )

    def faults(value: Any) -> list[str]:
        found = []
        for error in validator.iter_errors(value):
            found.append("/".join(str(part) for part in error.instance_path) or "the document")
            if len(found) == _SHOWN:
                break
        return found

    return faults


def _cvss(path: Path) -> Any:
    """Return a schema of a score; those of draft 4 say nothing that draft 2020-12 reads otherwise."""
    schema = json.loads(path.read_bytes())
    schema.pop("$schema", None)
    schema.pop("$id", None)
    schema.pop("id", None)
    return schema
