"""The OpenAPI 3.1 document as the program reads it: routes, parameters and bodies come from it and cannot drift."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from jsonschema_rs import Draft202012Validator

METHODS: Final = ("get", "post", "put", "patch", "delete")
_TEMPLATE: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a path or a query."""

    name: str
    required: bool
    is_integer: bool
    validator: Draft202012Validator


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    :param secured: False only for what everybody may read.
    :param rule: the path as Flask spells it.
    """

    id: str
    method: str
    rule: str
    secured: bool
    path: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    body: Draft202012Validator | None


@cache
def document_bytes() -> bytes:
    """Return the document as it is served."""
    return json.dumps(document(), ensure_ascii=False).encode()


@cache
def document() -> dict[str, Any]:
    """Return the document as a value: ``openapi.json`` with what each file in ``operations/`` adds to it.

    Such a file has ``tags``, ``paths``, ``parameters`` and ``schemas``, each of them optional, and may refer to what
    the others define. Raises ValueError when two files define the same.
    """
    here = resources.files("hub.web.api")
    whole: dict[str, Any] = json.loads((here / "openapi.json").read_bytes())
    for file in sorted((here / "operations").iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".json"):
            continue
        part = json.loads(file.read_bytes())
        whole["tags"] += part.get("tags", [])
        for target, added in (
            (whole["paths"], part.get("paths", {})),
            (whole["components"]["parameters"], part.get("parameters", {})),
            (whole["components"]["schemas"], part.get("schemas", {})),
        ):
            if target.keys() & added.keys():
                raise ValueError(f"{file.name} defines again what is defined already")
            target.update(added)
    return whole


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation of the document."""
    whole = document()
    base = whole["servers"][0]["url"]
    return tuple(
        _operation(whole, base + path, method, item)
        for path, item in whole["paths"].items()
        for method in METHODS
        if method in item
    )


def _operation(whole: dict[str, Any], path: str, method: str, item: dict[str, Any]) -> Operation:
    operation = item[method]
    declared = [_resolved(whole, each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    body = operation.get("requestBody")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        rule=_TEMPLATE.sub(r"<\1>", path),
        secured=bool(operation.get("security", whole["security"])),
        path=tuple(_parameter(each) for each in declared if each["in"] == "path"),
        query=tuple(_parameter(each) for each in declared if each["in"] == "query"),
        body=None if body is None else _validator(body["content"]["application/json"]["schema"]),
    )


def _parameter(declared: dict[str, Any]) -> Parameter:
    schema = declared["schema"]
    return Parameter(
        declared["name"], declared.get("required", False), schema.get("type") == "integer", _validator(schema)
    )


def _resolved(whole: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference inside the document, such as ``#/components/parameters/after``."""
    if "$ref" not in value:
        return value
    found: dict[str, Any] = whole
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return _compiled(json.dumps(schema, sort_keys=True))


@cache
def _compiled(schema: str) -> Draft202012Validator:
    """Return the validator of a schema; operations that ask for the same share one, for a hundred take 20 MiB."""
    # The components stand beside the schema, so that its references resolve as they do in the document.
    beside = {"components": document()["components"]} if '"$ref"' in schema else {}
    return Draft202012Validator({**json.loads(schema), **beside}, validate_formats=True)
