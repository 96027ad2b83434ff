"""A strict reader of RFC 5424 §6, written from its ABNF alone, to judge what the connector writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(
    rb"<(0|[1-9][0-9]{0,2})>([1-9][0-9]{0,2}) (\S+) (-|[!-~]{1,255}) (-|[!-~]{1,48}) (-|[!-~]{1,128}) (-|[!-~]{1,32}) "
)
_TIMESTAMP = re.compile(
    rb"-|[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    rb"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_NAME = re.compile(rb"[!#-<>-\\^-~]{1,32}")  # PRINTUSASCII without = ] "


class Malformed(ValueError):
    """It is no SYSLOG-MSG."""


@dataclass(frozen=True)
class Parsed:
    pri: int
    version: int
    timestamp: str
    host: str
    app_name: str
    procid: str
    msgid: str
    data: list[tuple[str, list[tuple[str, str]]]]
    text: str | None


def parse(octets: bytes) -> Parsed:
    """Return one whole message. Raises Malformed."""
    header = _HEADER.match(octets)
    if header is None or int(header[1]) > 191 or not _TIMESTAMP.fullmatch(header[3]):
        raise Malformed("header")
    data, at = _structured_data(octets, header.end())
    text = None
    if at < len(octets):
        if octets[at : at + 1] != b" ":
            raise Malformed("structured data")
        rest = octets[at + 1 :]
        if not rest.startswith(b"\xef\xbb\xbf"):
            raise Malformed("no byte order mark")
        text = rest[3:].decode("utf-8")
    words = [header[number].decode("ascii") for number in range(3, 8)]
    return Parsed(int(header[1]), int(header[2]), *words, data=data, text=text)


def _structured_data(octets: bytes, at: int) -> tuple[list[tuple[str, list[tuple[str, str]]]], int]:
    if octets[at : at + 1] == b"-":
        return [], at + 1
    elements = []
    while octets[at : at + 1] == b"[":
        name, at = _name(octets, at + 1)
        parameters = []
        while octets[at : at + 1] == b" ":
            key, at = _name(octets, at + 1)
            if octets[at : at + 2] != b'="':
                raise Malformed("parameter")
            value, at = _value(octets, at + 2)
            parameters.append((key, value))
        if octets[at : at + 1] != b"]":
            raise Malformed("element")
        elements.append((name, parameters))
        at += 1
    if not elements:
        raise Malformed("no structured data")
    return elements, at


def _name(octets: bytes, at: int) -> tuple[str, int]:
    match = _NAME.match(octets, at)
    if match is None:
        raise Malformed("name")
    return match[0].decode("ascii"), match.end()


def _value(octets: bytes, at: int) -> tuple[str, int]:
    made = bytearray()
    while True:
        one = octets[at : at + 1]
        if one == b"":
            raise Malformed("the end of a value is missing")
        if one == b'"':
            return made.decode("utf-8"), at + 1
        if one == b"]":
            raise Malformed("a bracket is not escaped")
        if one == b"\\" and octets[at + 1 : at + 2] in (b'"', b"\\", b"]"):
            at += 1
            one = octets[at : at + 1]
        made += one
        at += 1


def frames(octets: bytes) -> list[bytes]:
    """Return the messages of a stream with octet counting (RFC 5425 §4.3). Raises Malformed."""
    found = []
    while octets:
        match = re.match(rb"([1-9][0-9]*) ", octets)
        if match is None or len(octets) < match.end() + int(match[1]):
            raise Malformed("frame")
        found.append(octets[match.end() : match.end() + int(match[1])])
        octets = octets[match.end() + int(match[1]) :]
    return found
