"""What may be chosen about an export; kept with a token, or given in the query of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from hub.domain import limits
from hub.errors import InvalidRequest
from hub.exports.hosts import host_name

ACTIONS: Final = ("alert", "drop", "reject")
POLICIES: Final = ("nxdomain", "nodata", "drop")
HASHES: Final = ("any", "md5", "sha1", "sha256", "sha512")
MAX_SID: Final = 2**32 - 1
_SHORTEST_ZONE: Final = 120
"""Characters of a zone's name: what is left of 253 is for the names in it."""


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one export. Every format takes all of them and heeds those that mean something to it.

    :param min_confidence: indicators below it are left out, and those that say none. :param anomalous: include those
        that are only of the types anomalous-activity and anonymization. :param warning_lists: heed them.
    :param keep_out: the reader's own warning list: addresses, networks, names; a name keeps out what is below it.
    :param aggregate: join neighbouring networks. :param sid_start: first signature id; ``sid_count`` follow.
    """

    min_confidence: int = 0
    anomalous: bool = False
    warning_lists: bool = True
    keep_out: tuple[str, ...] = ()
    aggregate: bool = True
    hash_algorithm: str = "any"
    action: str = "alert"
    sid_start: int = 9_000_000
    sid_count: int = 1_000_000
    zone: str = "cybex.rpz"
    rpz_policy: str = "nxdomain"
    ttl: int = 300

    def as_json(self) -> dict[str, Any]:
        """Return the choices that differ from what holds without them."""
        plain = Options()
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != getattr(plain, name)
        }


def read(given: Mapping[str, Any]) -> Options:
    """Return options as JSON has them. Raises InvalidRequest, which names the field."""
    known = {each.name for each in fields(Options)}
    for name in given:
        if name not in known:
            raise InvalidRequest("there is no such option of an export", field="options")
    checked = {name: _CHECKS[name](name, value) for name, value in given.items()}
    made = Options(**checked)
    if made.sid_start + made.sid_count - 1 > MAX_SID:
        raise InvalidRequest("the range of signature ids ends above 4294967295", field="sid_start")
    return made


def read_texts(given: Mapping[str, str]) -> Options:
    """Return options as a query or a command line has them: all texts. Raises InvalidRequest."""
    return read({name: _typed(name, text) for name, text in given.items()})


def _typed(name: str, text: str) -> Any:
    kind = _KINDS.get(name)
    if kind == "bool":
        if text not in ("true", "false"):
            raise InvalidRequest("use true or false", field=name)
        return text == "true"
    if kind == "int":
        if not (text.isascii() and text.isdigit() and len(text) < 12):
            raise InvalidRequest("it must be a whole number", field=name)
        return int(text)
    return text.split(",") if kind == "list" else text


def _between(least: int, most: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise InvalidRequest(f"it must be a whole number from {least} to {most}", field=name)
        return value

    return check


def _one_of(values: tuple[str, ...]) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in values:
            raise InvalidRequest("use one of: " + ", ".join(values), field=name)
        return str(value)

    return check


def _flag(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise InvalidRequest("use true or false", field=name)
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and 0 < len(each) <= 253 for each in value):
        raise InvalidRequest("it must be a list of addresses, networks and names", field=name)
    if len(value) > limits.EXPORT_KEEP_OUT:
        raise InvalidRequest(f"it may have at most {limits.EXPORT_KEEP_OUT} entries", field=name)
    return tuple(value)


def _zone(name: str, value: Any) -> str:
    zone = host_name(value) if isinstance(value, str) else None
    if zone is None or len(zone) > _SHORTEST_ZONE:
        raise InvalidRequest("it must be a zone name of two labels or more, such as cybex.rpz", field=name)
    return zone


_CHECKS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "min_confidence": _between(0, 100),
    "anomalous": _flag,
    "warning_lists": _flag,
    "keep_out": _texts,
    "aggregate": _flag,
    "hash_algorithm": _one_of(HASHES),
    "action": _one_of(ACTIONS),
    "sid_start": _between(1, MAX_SID),
    "sid_count": _between(limits.EXPORT_RULES, MAX_SID),
    "zone": _zone,
    "rpz_policy": _one_of(POLICIES),
    "ttl": _between(1, 86_400),
}
_KINDS: Final = {
    "min_confidence": "int",
    "anomalous": "bool",
    "warning_lists": "bool",
    "keep_out": "list",
    "aggregate": "bool",
    "sid_start": "int",
    "sid_count": "int",
    "ttl": "int",
}
NAMES: Final = tuple(_CHECKS)
"""Every option by name."""
