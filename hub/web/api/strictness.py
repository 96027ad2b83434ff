"""Checks a request against its operation: what the document does not name is refused, and no value is ever repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import Request
from jsonschema_rs import Draft202012Validator, ValidationErrorKind

from hub.domain import limits
from hub.domain.canonical import Json, parse
from hub.domain.media_type import parse_media_ranges
from hub.errors import InvalidRequest, NotAcceptable, NotFound, UnsupportedMediaType
from hub.web.api.document import Operation, Parameter
from hub.web.body import read_body

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_JSON: Final = frozenset({"application/json", "application/problem+json", "application/*", "*/*"})
MAX_DEPTH: Final = 8
"""Levels of nesting of a body; the deepest resource has two."""


BOUNDS: Final = {
    "previewObjects": (limits.PREVIEW_BODY_BYTES, limits.MAX_DEPTH),
    "reportConnectorRun": (limits.CONNECTOR_RUN_BYTES, MAX_DEPTH),
}
"""Octets and levels of the bodies that hold STIX objects, or a report, by operation."""


def check_accept(header: str | None) -> None:
    """Raise NotAcceptable when the client cannot want JSON."""
    if header is None or not header.strip():
        return
    if not any(media.type in _JSON and media.q > 0 for media in parse_media_ranges(header)):
        raise NotAcceptable("this API answers with application/json", field="Accept")


def path_values(operation: Operation, given: Mapping[str, str]) -> dict[str, str]:
    """Return the names in a path. Raises NotFound for one that nothing can have."""
    for parameter in operation.path:
        if not parameter.validator.is_valid(given[parameter.name]):
            raise NotFound()
    return dict(given)


def query_values(operation: Operation, request: Request) -> dict[str, str | int]:
    """Return the parameters of the query string. Raises InvalidRequest for any other, a repeated or a missing one."""
    known = {parameter.name: parameter for parameter in operation.query}
    values: dict[str, str | int] = {}
    for name, texts in request.args.lists():
        if name not in known:
            raise InvalidRequest("there is no such parameter", field=_plausible(name, "query"))
        if len(texts) != 1:
            raise InvalidRequest("give it once", field=name)
        values[name] = _query_value(known[name], texts[0])
    for parameter in operation.query:
        if parameter.required and parameter.name not in values:
            raise InvalidRequest("it is required", field=parameter.name)
    return values


def _query_value(parameter: Parameter, text: str) -> str | int:
    value: str | int = text
    if parameter.is_integer:
        if _INTEGER.fullmatch(text) is None:
            raise InvalidRequest("it must be an integer", field=parameter.name)
        value = int(text)
    _require_valid(parameter.validator, value, parameter.name)
    return value


def body_value(operation: Operation, request: Request) -> dict[str, Any]:
    """Return the body, an object that the document allows; empty for an operation that takes none.

    Raises:
        UnsupportedMediaType: it is not ``application/json``.
        TooLarge: it has more than ``limits.API_BODY_BYTES`` octets, or what `BOUNDS` says.
        MalformedJson: it is not I-JSON.
        InvalidRequest: a property is unknown, missing or of the wrong form.
    """
    if operation.body is None:
        return {}
    media = parse_media_ranges(request.headers.get("Content-Type", ""))
    if [each.type for each in media] != ["application/json"]:
        raise UnsupportedMediaType("send application/json", field="Content-Type")
    most, depth = BOUNDS.get(operation.id, (limits.API_BODY_BYTES, MAX_DEPTH))
    value = parse(read_body(request.environ, most), max_depth=depth)
    _require_valid(operation.body, value, "")
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    return value


def _require_valid(validator: Draft202012Validator, value: Json, where: str) -> None:
    errors = list(validator.iter_errors(value))
    if not errors:
        return
    # The outermost first: an unknown property explains more than what is wrong inside it.
    error = min(errors, key=lambda each: (len(each.instance_path), [str(step) for step in each.instance_path]))
    place = ".".join(str(step) for step in error.instance_path) or where
    field, reason = _explanation(error.kind, place)
    raise InvalidRequest(reason, field=field or None)


def _explanation(kind: object, place: str) -> tuple[str, str]:
    """Return the field at fault and what it must be, out of the schema and never out of the value."""
    prefix = f"{place}." if place else ""
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        return _plausible(next(iter(kind.unexpected), ""), place, prefix), "there is no such property"
    if isinstance(kind, ValidationErrorKind.Required):
        return f"{prefix}{kind.property}", "it is required"
    if isinstance(kind, ValidationErrorKind.Enum):
        return place, "use one of: " + ", ".join("null" if each is None else str(each) for each in kind.options)
    if isinstance(kind, ValidationErrorKind.Type):
        return place, "it must be of type " + " or ".join(kind.types)
    return place, _REASONS.get(type(kind).__name__, "it does not have the form that the API document says")


_REASONS: Final = {
    "MinLength": "it is too short",
    "MaxLength": "it is too long",
    "MinItems": "it has too few entries",
    "MaxItems": "it has too many entries",
    "UniqueItems": "it holds an entry twice",
    "MinProperties": "name at least one property to change",
    "Minimum": "it is too small",
    "Maximum": "it is too large",
    "Format": "it must be an RFC 3339 date-time",
}


def _plausible(name: str, otherwise: str, prefix: str = "") -> str:
    """Return a name out of a request if it looks like one; anything else could be content and is not repeated."""
    return prefix + name if _NAME.fullmatch(name) else otherwise
