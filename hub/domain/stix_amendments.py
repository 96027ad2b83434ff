"""What the hub changes in the third-party schemas, in memory; the files under ``schemas/stix`` stay as published.

Each amendment has its reason beside it. The incident suite is a draft whose schemas, texts and examples disagree, so
its schemas are made lenient: of what they know they check the types, and they know of no property that may not be.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

BASE: Final = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"
"""What every ``$id`` of the OASIS schemas starts with."""

INCIDENT_CORE: Final = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
EVENT: Final = "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e"
IMPACT: Final = "extension-definition--7cc33dd6-f6a1-489b-98ea-522d351d71b9"
TASK: Final = "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030"

IMPACT_EXTENSIONS: Final = (
    "availability",
    "confidentiality",
    "economic",
    "external",
    "integrity",
    "monetary",
    "physical",
    "traceability",
)
"""Names of the impact sub-extensions; the text draft puts ``-ext`` behind them, the schemas and examples do not."""

_ASSERTIONS: Final = frozenset(
    {"type", "items", "pattern", "minimum", "maximum", "$ref", "properties", "patternProperties", "allOf"}
)
"""The keywords a lenient schema keeps."""

_WHOLE_OBJECTS: Final = ("core.json", "sdos/incident.json", "#/definitions/STIX_Uncommon")
"""References from the incident suite to the object as a whole, which the hub checks by itself."""


def amended(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Schema]:
    """Return the OASIS schemas by ``$id`` with the hub's amendments; the mapping given is not changed.

    1. A granular marking has ``marking_ref`` or ``lang`` (STIX 2.1 §7.2.3); the schema wants ``marking_ref`` always.
    2. The observables inside an observed-data are checked one by one by the schema of their type; the published
       schema tries 19 schemas on each, and mistakes a custom type such as ``x-profile`` for a standard one.
    3. `phone_number` is reserved (STIX 2.1 §3.8); the schema has it as `phone_numbers`, which stays reserved too.
    4. A CPE is the whole ``cpe`` of a software (STIX 2.1 §6.14); the published expression looks for one inside it.
    """
    result = {name: dict(schema) for name, schema in schemas.items()}
    granular = copy.deepcopy(result[BASE + "common/granular-marking.json"])
    granular["required"] = ["selectors"]
    granular["oneOf"] = [{"required": ["marking_ref"]}, {"required": ["lang"]}]
    result[BASE + "common/granular-marking.json"] = granular
    observed = copy.deepcopy(result[BASE + "sdos/observed-data.json"])
    inner = observed["allOf"][1]["properties"]["objects"]
    inner["patternProperties"] = {"^.*$": {"type": "object"}}
    result[BASE + "sdos/observed-data.json"] = observed
    for path in ("common/core.json", "common/cyber-observable-core.json"):
        generic = copy.deepcopy(result[BASE + path])
        generic["not"]["anyOf"].append({"required": ["phone_number"]})
        result[BASE + path] = generic
    software = copy.deepcopy(result[BASE + "observables/software.json"])
    cpe = software["allOf"][1]["properties"]["cpe"]
    cpe["pattern"] = f"^(?:{cpe['pattern']})$"
    result[BASE + "observables/software.json"] = software
    return result


def impact_schema(core: Mapping[str, Any]) -> Schema:
    """Return the generic object schema, taking the impact sub-extensions under their names without ``-ext`` too."""
    schema = copy.deepcopy(dict(core))
    schema["$id"] = BASE + "common/impact.json"
    forms = schema["properties"]["extensions"]["patternProperties"]
    forms[f"^({'|'.join(IMPACT_EXTENSIONS)})$"] = {"type": "object", "minProperties": 1}
    return schema


def incident_schemas(suite: Mapping[str, Mapping[str, Any]], older: Mapping[str, Any]) -> dict[str, Schema]:
    """Return lenient schemas for incident, event, impact and task.

    :param suite: the four schemas by the id of their extension definition.
    :param older: the earlier single-file schema of the incident extension, whose property names are still in use.
    """
    incident = _lenient(suite[INCIDENT_CORE], suite[INCIDENT_CORE].get("definitions", {}))
    core = _nested(incident, "extensions", INCIDENT_CORE)
    earlier = _lenient(older, older.get("definitions", {}))
    core["properties"] = {**earlier["properties"], **core["properties"]}
    impact = _lenient(suite[IMPACT], suite[IMPACT].get("definitions", {}))
    kinds = _nested(impact, "extensions")["properties"]
    kinds.setdefault("economic", kinds.get("monetary", {}))
    kinds.update({f"{name}-ext": kinds[name] for name in IMPACT_EXTENSIONS if name in kinds})
    return {
        "incident": incident,
        "event": _lenient(suite[EVENT], suite[EVENT].get("definitions", {})),
        "impact": impact,
        "task": _lenient(suite[TASK], suite[TASK].get("definitions", {})),
    }


def _nested(schema: Schema, *names: str) -> Schema:
    """Return the sub-schema of a property, which stands in the last part of an ``allOf``."""
    found: Schema = schema["allOf"][-1]
    for name in names:
        found = found["properties"][name]
    return found


def _lenient(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """Keep the assertions about types; local definitions are written out, so that the result stands alone."""
    kept: Schema = {}
    for key, value in node.items():
        if key not in _ASSERTIONS:
            continue
        if key in ("properties", "patternProperties"):
            kept[key] = {name: _lenient(sub, definitions) for name, sub in value.items()}
        elif key == "items":
            kept[key] = _lenient(value, definitions)
        elif key == "allOf":
            kept[key] = [_lenient(sub, definitions) for sub in value]
        elif key != "$ref":
            kept[key] = value
        elif value.startswith("#/definitions/"):
            if value not in _WHOLE_OBJECTS:
                kept.update(_lenient(definitions[value.removeprefix("#/definitions/")], definitions))
        elif not value.endswith(_WHOLE_OBJECTS):
            kept[key] = BASE + value.partition("/schemas/")[2]
    return kept
