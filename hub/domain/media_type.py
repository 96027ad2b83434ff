"""Media types: what a client accepts, and what it says it sends (TAXII 2.1 §3.1; RFC 9110 §5.6, §8.3, §12.5.1).

Reading is generous on purpose: case, spaces, quotes, order and a missing version do not matter; only what cannot be
meant for TAXII 2.1 is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TAXII: Final = "application/taxii+json;version=2.1"
"""The one media type of every answer, byte for byte: taxii2-client and others compare the text."""

STIX: Final = "application/stix+json;version=2.1"

_ELEMENTS: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PARTS: Final = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+')
_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+")
_VERSIONS: Final = frozenset({None, "2.1", "2"})  # Trend Vision One documents ";version=2"

_TAXII_TYPES: Final = frozenset({"application/taxii+json", "application/vnd.oasis.taxii+json"})
_STIX_TYPES: Final = frozenset({"application/stix+json", "application/vnd.oasis.stix+json"})
_WILDCARDS: Final = frozenset({"*/*", "application/*"})
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One element of an Accept header, or one Content-Type: lower-case type, parameters with lower-case names."""

    type: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    q: float = 1.0


def parse_media_ranges(header: str) -> list[MediaRange]:
    """Return the well-formed media ranges of a header in order; what is malformed is left out."""
    ranges = []
    for element in _ELEMENTS.findall(header):
        name, *rest = _PARTS.findall(element) or [""]
        name = name.strip().lower()
        if _TYPE.fullmatch(name) is None:
            continue
        parameters: dict[str, str] = {}
        for part in rest:
            key, equals, value = part.partition("=")
            if equals:
                parameters.setdefault(key.strip().lower(), _unquoted(value.strip()))
        ranges.append(MediaRange(name, parameters, _quality(parameters.pop("q", "1"))))
    return ranges


def accepts_taxii(header: str | None, *, manifest: bool = False) -> bool:
    """Say whether a TAXII 2.1 answer may be sent to a client with this Accept header.

    A type that the endpoint defines is never refused, whatever its ``q`` (TAXII 2.1 §3.1, first rule on 406); no
    header, or an empty one, accepts everything.

    :param manifest: the endpoint whose table names the STIX media type too (TAXII 2.1 §5.3).
    """
    if header is None or not header.strip():
        return True
    for media in parse_media_ranges(header):
        of_version = media.parameters.get("version") in _VERSIONS
        if of_version and (media.type in _TAXII_TYPES or (manifest and media.type in _STIX_TYPES)):
            return True
        if media.q > 0 and (media.type in _WILDCARDS or media.type == _JSON):
            return True
    return False


def is_envelope_type(header: str | None) -> bool:
    """Say whether a body of this Content-Type may hold an envelope, or a bundle from a lenient client."""
    media = parse_media_ranges(header or "")
    if len(media) != 1:
        return False
    if media[0].type == _JSON:
        return True
    return media[0].type in _TAXII_TYPES | _STIX_TYPES and media[0].parameters.get("version") in _VERSIONS


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](?:\.[0-9]{0,3})?", text) else 1.0
