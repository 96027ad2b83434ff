"""Bodies that are not I-JSON, or not an envelope (RFC 7493; TAXII 2.1 §3.7, §5.5)."""

from __future__ import annotations

import gzip
import json

import zstandard

from tests.web.hostile.row import CANARY, Row, envelope, headed, posted
from tests.web.taxii.world import indicator

_WORD = f'"{CANARY}"'.encode()
_GOOD = envelope(indicator(255, name=CANARY))
MAX_CONTENT_LENGTH = 2_000_000


def _inside(value: bytes) -> bytes:
    """Return an envelope that is good but for one raw value."""
    return _GOOD.replace(_WORD, value)


NOT_JSON: tuple[Row, ...] = tuple(
    posted(name, body)
    for name, body in (
        ("an empty body", b""),
        ("only white space", b" \t\r\n "),
        ("only a NUL", b"\x00"),
        ("a bare word", CANARY.encode()),
        ("an HTML page", f"<html><body>{CANARY}</body></html>".encode()),
        ("an XML document with an entity", f'<!DOCTYPE x [<!ENTITY a "{CANARY}">]><x>&a;</x>'.encode()),
        ("form data", f"objects={CANARY}&limit=1".encode()),
        ("an envelope cut off in the middle", _GOOD[: len(_GOOD) // 2]),
        ("an envelope without its last brace", _GOOD[:-1]),
        ("two envelopes in one body", _GOOD + _GOOD),
        ("an envelope with rubbish behind it", _GOOD + b"}"),
        ("a NUL behind the envelope", _GOOD + b"\x00"),
        ("a name twice in an object", _inside(_WORD + b',"name":' + _WORD)),
        ("the objects list twice", _GOOD[:-1] + b',"objects":[]}'),
        ("a name twice, once written as an escape", _inside(_WORD + b',"\\u006eame":1')),
        ("NaN", _inside(b"NaN")),
        ("Infinity", _inside(b"Infinity")),
        ("minus Infinity", _inside(b"-Infinity")),
        ("a number that overflows", _inside(b"1e999")),
        ("an integer of 54 bits", _inside(b"9007199254740993")),
        ("a negative integer of 54 bits", _inside(b"-9007199254740993")),
        ("an integer of 5,000 digits", _inside(b"9" * 5000)),
        ("a number with 5,000 digits in its exponent", _inside(b"1e" + b"9" * 5000)),
        ("a number with a leading zero", _inside(b"0123")),
        ("a number with a plus sign", _inside(b"+1")),
        ("a hexadecimal number", _inside(b"0x1F")),
        ("a leading half of a surrogate pair", _inside(b'"\\ud800"')),
        ("a trailing half of a surrogate pair", _inside(b'"\\udc00"')),
        ("surrogates in the wrong order", _inside(b'"\\udc00\\ud800"')),
        ("half a surrogate pair in a name", _inside(b'"x","\\ud800":1')),
        ("a surrogate in UTF-8", _inside(b'"\xed\xa0\x80"')),
        ("an overlong slash in UTF-8", _inside(b'"\xc0\xaf"')),
        ("a byte outside UTF-8", _inside(b'"\xff"')),
        ("a UTF-8 sequence cut off", _inside(b'"\xf0\x9f\x98"')),
        ("a code point above U+10FFFF", _inside(b'"\xf4\x90\x80\x80"')),
        ("a byte order mark", b"\xef\xbb\xbf" + _GOOD),
        ("UTF-16 with a byte order mark", _GOOD.decode().encode("utf-16")),
        ("UTF-16 without one", _GOOD.decode().encode("utf-16-le")),
        ("UTF-32", _GOOD.decode().encode("utf-32")),
        ("UTF-7", _GOOD.decode().replace(CANARY, "+AD4-").encode() + b"+AD4-"),
        ("a raw NUL in a string", _inside(b'"\x00"')),
        ("a raw newline in a string", _inside(b'"\n"')),
        ("an unknown escape", _inside(b'"\\x41"')),
        ("a string in single quotes", _inside(b"'a'")),
        ("a comment", _inside(_WORD + b"/* " + CANARY.encode() + b" */")),
        ("a comma behind the last member", _inside(_WORD + b",")),
        ("a name without quotes", b"{objects:[]}"),
        ("100,000 open brackets", b"[" * 100_000),
        ("100,000 open braces", b'{"a":' * 100_000),
        ("500 lists inside each other, closed", b'{"objects":' + b"[" * 500 + b"]" * 500 + b"}"),
        ("65 levels inside an object", _inside(b'{"a":' * 65 + b"1" + b"}" * 65)),
        ("Python's True", _inside(b"True")),
    )
)

NOT_AN_ENVELOPE: tuple[Row, ...] = tuple(
    posted(name, body, 422)
    for name, body in (
        ("null", b"null"),
        ("a string", _WORD),
        ("a bare number", b"1"),
        ("a list", b"[" + _WORD + b"]"),
        ("an empty envelope", b"{}"),
        ("an object without objects", b'{"' + CANARY.encode() + b'":[]}'),
        ("objects that are null", b'{"objects":null}'),
        ("objects that are an object", b'{"objects":{"0":' + _WORD + b"}}"),
        ("objects that are a string", b'{"objects":' + _WORD + b"}"),
        ("no objects", b'{"objects":[]}'),
        ("a STIX object without an envelope", json.dumps(indicator(255, name=CANARY)).encode()),
        ("a bundle without objects", b'{"type":"bundle","id":' + _WORD + b"}"),
        ("a bundle whose objects are a number", b'{"type":"bundle","objects":1}'),
        ("an envelope with a type that is a list", b'{"type":[' + _WORD + b'],"objects":[1]}'),
        ("a name in other letters", b'{"Objects":[' + _WORD + b"]}"),
        ("more objects than one envelope may have", b'{"objects":[' + b"1," * 20_000 + b"1]}"),
    )
)

_BOMB = b'{"objects":["' + b"A" * 30_000_000 + b'"]}'

WRAPPED: tuple[Row, ...] = (
    posted("a body above the bound", b" " * (MAX_CONTENT_LENGTH + 1), 413),
    posted("a chunked body above the bound", b" " * (MAX_CONTENT_LENGTH + 1), 413, chunked=True),
    headed("a gzip bomb", {"Content-Encoding": "gzip"}, 413, method="POST", body=gzip.compress(_BOMB, 6)),
    headed("a gzip bomb of many members", {"Content-Encoding": "gzip"}, 413, method="POST",
           body=gzip.compress(b" " * 100_000) * 100),
    headed("a zstd bomb", {"Content-Encoding": "zstd"}, 413, method="POST", body=zstandard.compress(_BOMB)),
    headed("gzip that is none", {"Content-Encoding": "gzip"}, 400, method="POST", body=_GOOD),
    headed("gzip cut off", {"Content-Encoding": "gzip"}, 400, method="POST", body=gzip.compress(_GOOD)[:-9]),
    headed("gzip with a wrong checksum", {"Content-Encoding": "gzip"}, 400, method="POST",
           body=gzip.compress(_GOOD)[:-8] + b"\x00" * 8),
    headed("gzip inside gzip", {"Content-Encoding": "gzip"}, 400, method="POST",
           body=gzip.compress(gzip.compress(_GOOD))),
    headed("zstd that is none", {"Content-Encoding": "zstd"}, 400, method="POST", body=_GOOD),
    headed("zstd with a huge window", {"Content-Encoding": "zstd"}, 400, 413, method="POST",
           body=b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x00" * 20),
    headed("two content codings", {"Content-Encoding": "gzip, gzip"}, 415, method="POST", body=_GOOD),
    headed("a content coding nobody knows", {"Content-Encoding": CANARY}, 415, method="POST", body=_GOOD),
    headed("brotli", {"Content-Encoding": "br"}, 415, method="POST", body=_GOOD),
    headed("no content type", {"Content-Type": None}, 415, method="POST", body=_GOOD),
    headed("an HTML content type", {"Content-Type": "text/html"}, 415, method="POST", body=_GOOD),
    headed("form data as content type", {"Content-Type": "application/x-www-form-urlencoded"}, 415, method="POST",
           body=b"objects=1"),
    headed("multipart", {"Content-Type": f"multipart/form-data; boundary={CANARY}"}, 415, method="POST",
           body=b"--" + CANARY.encode()),
    headed("TAXII 2.0", {"Content-Type": "application/vnd.oasis.taxii+json; version=2.0"}, 415, method="POST",
           body=_GOOD),
    headed("TAXII of a version that does not exist", {"Content-Type": "application/taxii+json;version=9.9"}, 415,
           method="POST", body=_GOOD),
    headed("a content type of 20,000 parameters", {"Content-Type": "text/x" + ";a=b" * 20_000}, 415, method="POST",
           body=_GOOD),
    headed("a content type with unbalanced quotes", {"Content-Type": f'application/taxii+json;version="{CANARY}'}, 415,
           method="POST", body=_GOOD),
)  # fmt: skip

ROWS = NOT_JSON + NOT_AN_ENVELOPE + WRAPPED

DISLIKED_BY_DATABASES = tuple(row for row in NOT_JSON if "NUL" in row.name or "surrogate" in row.name)
