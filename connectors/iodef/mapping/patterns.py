"""What an IODEF indicator observes as a STIX pattern, and simple STIX patterns as what IODEF observes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.iodef.mapping import limits, observables
from connectors.iodef.mapping.vocabulary import EXTENSION
from hub.domain.pattern import PatternFault, parse
from hub.domain.pattern_syntax import Comparison, ComparisonGroup, Literal, Observation

PATTERN: Final = "stix-pattern"
"""``name`` of the AdditionalData that carries a pattern which no class of IODEF can say."""

_BULK: Final[Mapping[tuple[str, tuple[Any, ...]], str]] = {
    ("domain-name", ("value",)): "domain-name",
    ("ipv4-addr", ("value",)): "ipv4-addr",
    ("ipv6-addr", ("value",)): "ipv6-addr",
    ("url", ("value",)): "site-uri",
    ("email-addr", ("value",)): "e-mail",
    ("mac-addr", ("value",)): "mac",
    ("mutex", ("name",)): "mutex",
    ("windows-registry-key", ("key",)): "windows-reg-key",
    ("user-account", ("account_login",)): "user-name",
    ("email-message", ("subject",)): "email-subject",
    **{("file", ("hashes", name)): "file-hash" for name in observables.METHODS},
}
"""Object paths whose values a BulkObservable lists, and the type it has then."""


class NoPattern(Exception):
    """STIX has no pattern for what an indicator observes; the text says why."""


def literal(text: str) -> str:
    """Return a text as a string constant of a pattern (STIX 2.1 §9.5)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def comparison(obj: Mapping[str, Any]) -> str:
    """Return the comparison that an observable meets."""
    kind = obj["type"]
    terms: list[str] = []
    for name, value in obj.items():
        if name in ("type", "size", "is_multipart"):
            continue
        if isinstance(value, Mapping):
            terms += [f"{kind}:{name}.'{key}' = {literal(str(inner))}" for key, inner in value.items()]
        elif isinstance(value, int):
            terms.append(f"{kind}:{name} = {value}")
        else:
            terms.append(f"{kind}:{name} = {literal(str(value))}")
    return " AND ".join(terms)


def observed(value: Mapping[str, Any]) -> str:
    """Return the observation expression of an Observable. Raises NoPattern."""
    for kind, body in value.items():
        if kind == "AdditionalData":
            for one in body:
                if one.get("name") == PATTERN:
                    return _checked(str(one.get("value", "")))
        elif kind == "BulkObservable":
            return _any(list(_bulk(body)))
        elif kind == "System":
            return _any(_node(body.get("Node", {})))
        elif kind == "RecordData":
            return _any([_all(list(_files(data))) for data in body.get("FileData", ())])
        elif kind in _READERS:
            found = _READERS[kind](body)
            return _all(found) if kind == "FileData" else _any(found)
    raise NoPattern("STIX has no pattern for this kind of observable")


def _address(body: Mapping[str, Any]) -> list[str]:
    found = observables.address(str(body.get("category", "ipv6-addr")), str(body.get("value", "")))
    return [comparison(found)] if found else []


def _domain(body: Mapping[str, Any]) -> list[str]:
    found = observables.domain(str(body.get("Name", "")))
    return [comparison(found)] if found else []


def _node(node: Mapping[str, Any]) -> list[str]:
    addresses = [term for one in node.get("Address", ()) for term in _address(one)]
    return addresses + [term for one in node.get("DomainData", ()) for term in _domain(one)]


def _mail(body: Mapping[str, Any]) -> list[str]:
    terms = []
    if body.get("EmailFrom"):
        terms.append(f"email-message:from_ref.value = {literal(str(body['EmailFrom']))}")
    if body.get("EmailSubject"):
        terms.append(f"email-message:subject = {literal(str(body['EmailSubject']))}")
    return [" AND ".join(terms)] if terms else []


def _files(body: Mapping[str, Any]) -> list[str]:
    found = [observables.file(one) for one in body.get("File", ())]
    return [comparison(one) for one in found if one]


def _keys(body: Mapping[str, Any]) -> list[str]:
    return [comparison(one) for one in observables.registry_keys(body)]


_READERS: Final = {
    "Address": _address,
    "DomainData": _domain,
    "EmailData": _mail,
    "FileData": _files,
    "WindowsRegistryKeysModified": _keys,
}


def _bulk(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the comparison of each line (RFC 7970 §3.29.3.1: one value a line); none may be lost on the way."""
    kind = str(body.get("ext-type") if body.get("type") == EXTENSION else body.get("type", ""))
    lines = [line.strip() for line in str(body.get("BulkObservableList", "")).splitlines() if line.strip()]
    if len(lines) > limits.VALUES:
        raise NoPattern(f"it lists more than {limits.VALUES} values")
    for line in lines:
        found = observables.bulk(kind, line)
        if found is None:
            raise NoPattern("a listed value is not of the type that the list has, or STIX has none for it")
        yield comparison(found)


def _any(terms: list[str]) -> str:
    """Return an observation of any of these; those of one type may share one."""
    found = list(dict.fromkeys(term for term in terms if term))
    if not found:
        raise NoPattern("there is nothing in it that STIX has a pattern for")
    if len({term.partition(":")[0] for term in found}) == 1:
        return f"[{' OR '.join(_grouped(term) for term in found) if len(found) > 1 else found[0]}]"
    return " OR ".join(term if term.startswith("[") else f"[{term}]" for term in found)


def _all(terms: list[str]) -> str:
    """Return an observation of all of these; each may be seen in another place."""
    found = [term if term.startswith("[") else f"[{term}]" for term in dict.fromkeys(terms) if term]
    if not found:
        raise NoPattern("there is nothing in it that STIX has a pattern for")
    return " AND ".join(found)


def _grouped(term: str) -> str:
    return f"({term})" if " AND " in term else term


def expressed(
    value: Mapping[str, Any], named: Mapping[str, tuple[str, Mapping[str, Any]]], others: Mapping[str, str]
) -> str:
    """Return the pattern of an IndicatorExpression (RFC 7970 §3.29.5).

    :param named: what carries an ``observable-id`` in the document.
    :param others: patterns of the indicators read before, by their id. Raises NoPattern.
    """
    operator = str(value.get("operator", "and"))
    if operator not in ("and", "or"):
        raise NoPattern("STIX patterns over observations have no NOT and no XOR")
    parts = [observed(one) for one in value.get("Observable", ())]
    parts += [expressed(one, named, others) for one in value.get("IndicatorExpression", ())]
    parts += [referred(str(one), named) for one in value.get("uid-ref", ())]
    for one in value.get("IndicatorReference", ()):
        if str(one.get("uid-ref")) not in others:
            raise NoPattern("it refers to an indicator that is not in the document before it")
        parts.append(others[str(one["uid-ref"])])
    if not parts:
        raise NoPattern("the expression is empty")
    joined = f" {operator.upper()} ".join(f"({part})" if len(parts) > 1 and "] " in part else part for part in parts)
    return _checked(joined)


def referred(name: str, named: Mapping[str, tuple[str, Mapping[str, Any]]]) -> str:
    """Return the pattern of what carries an ``observable-id``. Raises NoPattern."""
    if name not in named:
        raise NoPattern("it refers to an observable that is not in the document")
    kind, body = named[name]
    return observed({kind: body})


def _checked(pattern: str) -> str:
    """Return a pattern that is one. Raises NoPattern."""
    try:
        parse(pattern)
    except PatternFault as fault:
        raise NoPattern("what comes out is not a STIX pattern") from fault
    return pattern


def observable_of(pattern: str) -> dict[str, Any]:
    """Return the Observable that says a pattern: a list of values where it is one, else the pattern itself."""
    listed = _listed(pattern)
    if listed is not None:
        return {"BulkObservable": {"type": listed[0], "BulkObservableList": "\n".join(listed[1])}}
    extra = {"name": PATTERN, "dtype": "string", "meaning": "a STIX 2.1 pattern", "value": pattern}
    return {"AdditionalData": [extra]}


def _listed(pattern: str) -> tuple[str, list[str]] | None:
    """Return the type and the values of a pattern that is an OR of equal comparisons; None for any other."""
    try:
        tree = parse(pattern)
    except PatternFault:
        return None
    if not isinstance(tree, Observation):
        return None
    root = tree.comparison
    terms = root.operands if isinstance(root, ComparisonGroup) and root.operator == "OR" else (root,)
    kinds: set[str | None] = set()
    values: list[str] = []
    for term in terms:
        if not isinstance(term, Comparison) or term.operator != "=" or term.negated:
            return None
        if not isinstance(term.value, Literal) or not isinstance(term.value.value, str):
            return None
        kind = _BULK.get((term.path.object_type, term.path.steps))
        value = term.value.value
        if kind in ("ipv4-addr", "ipv6-addr") and "/" in value:
            kind = f"{kind[:4]}-net"
        kinds.add(kind)
        values.append(value)
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    if kind is None or any(not _same(kind, value) for value in values):
        return None
    return kind, values


def _same(kind: str, value: str) -> bool:
    """Say whether a value comes back from a line as it went in."""
    found = observables.bulk(kind, value)
    return found is not None and "\n" not in value and value == _only(found)


def _only(obj: Mapping[str, Any]) -> Any:
    values = [value for name, value in obj.items() if name not in ("type", "is_multipart")]
    value = values[0] if values else None
    return next(iter(value.values())) if isinstance(value, Mapping) else value
