"""An alert as one RFC 5424 message, whatever a peer has written into the object.

A message may travel over UDP, be framed by its length, or end up as a line of a file, so none holds a line break or
any other control character: each becomes U+FFFD. Header fields are made of a few ASCII characters; structured data
escapes what §6.3.3 says; the free text is UTF-8 behind the byte order mark that §6.4 asks for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from hub.domain import tlp
from hub.domain.alert import Alert
from hub.domain.taxii_time import format_timestamp

BOM: Final = b"\xef\xbb\xbf"
NIL: Final = "-"
DOCUMENTATION_NUMBER: Final = 32473
"""The private enterprise number that RFC 5612 keeps for examples: names with ``@`` need one, and ours has none."""

_NOT_IN_HEADER: Final = re.compile(r"[^!-~]")
_MUST_ESCAPE: Final = re.compile(r'(["\\\]])')
_PARAM_LENGTH: Final = 512
"""Characters of one parameter: a message has some ten, and receivers need take no more than 2,048 octets (§6.1)."""
_REPLACEMENT: Final = "\ufffd"
_MSGID: Final = {"matched": "MATCH", "withdrawn": "WITHDRAWN"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who the messages come from.

    :param facility: 0 to 23. :param severity: of a match, 0 to 7; a withdrawal is informational (6).
    :param enterprise: the number behind ``cybex@``.
    """

    host: str
    app_name: str = "cybex"
    facility: int = 16
    severity: int = 5
    enterprise: int = DOCUMENTATION_NUMBER


def message(alert: Alert, origin: Origin, at: int, *, longest: int = 2_048) -> bytes:
    """Return one message of at most so many octets; what is too long is cut from the free text, then from the data.

    :param at: microseconds since the epoch. :param longest: 480 or more, which every receiver takes (§6.1).
    """
    severity = origin.severity if alert.event == "matched" else 6
    head = " ".join(
        (
            f"<{origin.facility * 8 + severity}>1",
            format_timestamp(at),
            _header(origin.host, 255),
            _header(origin.app_name, 48),
            NIL,
            "WITHHELD" if alert.withheld and alert.event == "matched" else _MSGID[alert.event],
        )
    )
    text = BOM + _plain(_sentence(alert)).encode("utf-8", "replace")
    made = f"{head} ".encode("ascii") + _data(alert, origin, longest - len(head) - 2 - min(len(text), 120))
    return _cut(made + b" " + text, longest)


def _sentence(alert: Alert) -> str:
    if alert.event == "withdrawn":
        return f"Withdrawn: {alert.stix_id}"
    label = tlp.label(alert.level or "red")
    if alert.withheld:
        return f"{label} {alert.stix_id}: an object that is asked for; its content is not sent"
    hits = ", ".join(sorted({one.criterion for one in alert.matches}))
    return f"{label} {alert.type}: {alert.name}{f' ({hits})' if hits else ''}"


def _data(alert: Alert, origin: Origin, room: int) -> bytes:
    """Return STRUCTURED-DATA of one element, of as many parameters as there is room for, each whole."""
    element = f"[cybex@{origin.enterprise}".encode("ascii")
    for name, value in _parameters(alert):
        parameter = f' {name}="{_escaped(value)}"'.encode("utf-8", "replace")
        if len(element) + len(parameter) + 1 > room:
            break
        element += parameter
    return element + b"]"


def _parameters(alert: Alert) -> list[tuple[str, str]]:
    """Return names and values, the most useful first: the last ones are left out when there is no room."""
    found = [("id", alert.stix_id), ("event", alert.event), ("uuid", alert.uuid)]
    if alert.level is not None:
        found.append(("tlp", tlp.label(alert.level)))
    if not alert.withheld:
        found += [("type", alert.type), ("version", alert.version)]
        found += [(one.criterion, one.watched) for one in alert.matches]
        if alert.confidence is not None:
            found.append(("confidence", str(alert.confidence)))
    if alert.link:
        found.append(("link", alert.link))
    if not alert.withheld:
        found += [("name", alert.name), *(("label", label) for label in alert.labels)]
    return found


def _header(text: str, longest: int) -> str:
    return _NOT_IN_HEADER.sub("", text)[:longest] or NIL


def _escaped(value: str) -> str:
    return _MUST_ESCAPE.sub(r"\\\1", _plain(value[:_PARAM_LENGTH]))


def _plain(text: str) -> str:
    """Return a text without anything that ends a line, moves a cursor or turns the direction of writing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if unicodedata.category(one) in _UNSEEN else one for one in text)


_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _cut(octets: bytes, longest: int) -> bytes:
    """Return the first octets, and no half character."""
    if len(octets) <= longest:
        return octets
    return octets[:longest].decode("utf-8", "ignore").encode("utf-8")


def framed(octets: bytes) -> bytes:
    """Return a message with its length before it (RFC 5425 §4.3, RFC 6587 §3.4.1): its content can end no frame."""
    return b"%d %b" % (len(octets), octets)
