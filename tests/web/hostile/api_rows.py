"""Hostile requests to /api/v1: bodies, paths and query strings, sent by an operator who may do anything."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.web.hostile.row import CANARY


@dataclass(frozen=True)
class ApiRow:
    """A request to the API; every status is right."""

    name: str
    method: str
    target: str
    body: bytes | None = None
    status: tuple[int, ...] = (400,)
    headers: Mapping[str, str] = field(default_factory=dict)


_PEER = {"handle": "zz", "name": CANARY, "kind": "national"}


def _peer(**changes: object) -> bytes:
    return json.dumps({name: value for name, value in {**_PEER, **changes}.items() if value is not ...}).encode()


BODIES: tuple[ApiRow, ...] = tuple(
    ApiRow(f"a peer with {name}", "POST", "/peers", body)
    for name, body in (
        ("an empty body", b""),
        ("a body that is no JSON", CANARY.encode()),
        ("a body cut off", _peer()[:-1]),
        ("a list for a body", b"[" + _peer() + b"]"),
        ("null for a body", b"null"),
        ("a handle twice", _peer()[:-1] + b',"handle":"yy"}'),
        ("NaN", _peer()[:-1] + b',"x":NaN}'),
        ("a lone surrogate", _peer().replace(CANARY.encode(), b"\\ud800")),
        ("an escaped NUL in its name", _peer(name="\x00" + CANARY)),
        ("a byte that is not UTF-8", _peer().replace(CANARY.encode(), b"\xff")),
        ("a byte order mark", b"\xef\xbb\xbf" + _peer()),
        ("UTF-16", _peer().decode().encode("utf-16")),
        ("1,000 levels", _peer()[:-1] + b',"x":' + b"[" * 1000 + b"]" * 1000 + b"}"),
        ("no handle", _peer(handle=...)),
        ("a handle that is null", _peer(handle=None)),
        ("a handle that is a list", _peer(handle=[CANARY])),
        ("a handle that climbs", _peer(handle="../" + CANARY)),
        ("a handle with a NUL", _peer(handle="a\x00b")),
        ("a handle with a newline", _peer(handle="aa\n")),
        ("a handle in full-width letters", _peer(handle="\uff41\uff41")),
        ("a handle of 10,000 characters", _peer(handle="a" * 10_000)),
        ("a name that is an object", _peer(name={CANARY: 1})),
        ("a name of 60,000 characters", _peer(name="a" * 60_000)),
        ("an empty name", _peer(name="")),
        ("a kind nobody knows", _peer(kind=CANARY)),
        ("a country that is none", _peer(country=CANARY)),
        ("an identity that is none", _peer(identity=CANARY)),
        ("a property nobody knows", _peer(zzz=CANARY)),
        ("a property called __proto__", _peer(__proto__={"role": "operator"})),
        ("an id of its own", _peer(id=1)),
    )
)

OTHERS: tuple[ApiRow, ...] = (
    ApiRow("a peer of 70,000 octets", "POST", "/peers", _peer(name="a" * 70_000), (413,)),
    ApiRow("a gzip bomb", "POST", "/peers", gzip.compress(b" " * 30_000_000), (413,), {"Content_Encoding": "gzip"}),
    ApiRow("a peer as form data", "POST", "/peers", b"handle=zz", (415,), {"Content_Type": "text/plain"}),
    ApiRow("a peer in a coding nobody knows", "POST", "/peers", _peer(), (415,), {"Content_Encoding": CANARY}),
    ApiRow("a group with a slug of a route", "POST", "/groups", b'{"slug":"api","title":"t"}', (400, 409)),
    ApiRow("a group with a slug that climbs", "POST", "/groups", b'{"slug":"../x","title":"t"}'),
    ApiRow("a key that is rubbish", "POST", "/peers/aa/keys", json.dumps({"public_key": CANARY}).encode()),
    ApiRow("a key that is a number", "POST", "/peers/aa/keys", b'{"public_key":1}'),
    ApiRow("a key of 50,000 characters", "POST", "/peers/aa/keys", json.dumps({"public_key": "A" * 50_000}).encode()),
    ApiRow("a credential that expires on no day", "POST", "/peers/aa/credentials",
           b'{"kind":"basic","role":"feed","label":"x","expires_at":"2027-02-30T00:00:00Z"}'),
    ApiRow("a credential of a role nobody knows", "POST", "/peers/aa/credentials",
           json.dumps({"kind": "basic", "role": CANARY, "label": "x"}).encode()),
    ApiRow("rights that are a word", "PUT", "/groups/alpha/members/bb", json.dumps({"rights": CANARY}).encode()),
    ApiRow("rights nobody knows", "PUT", "/groups/alpha/members/bb", json.dumps({"rights": [CANARY]}).encode()),
    ApiRow("a change of nothing", "PATCH", "/groups/alpha", b"{}"),
    ApiRow("a TLP nobody knows", "PATCH", "/groups/alpha", json.dumps({"default_tlp": CANARY}).encode()),
    ApiRow("a peer with a NUL in the path", "GET", f"/peers/%00{CANARY}", status=(404,)),
    ApiRow("a peer that climbs", "GET", f"/peers/..%2f..%2f{CANARY}", status=(404,)),
    ApiRow("a peer in SQL", "GET", f"/peers/'%20OR%201=1--{CANARY}", status=(404,)),
    ApiRow("a credential below zero", "DELETE", "/peers/aa/credentials/-1", status=(404,)),
    ApiRow("a credential of 400 digits", "DELETE", "/peers/aa/credentials/" + "9" * 400, status=(404,)),
    ApiRow("a credential beyond 64 bits", "DELETE", "/peers/aa/credentials/" + "9" * 15, status=(404,)),
    ApiRow("a credential in Arabic digits", "DELETE", "/peers/aa/credentials/%d9%a1", status=(404,)),
    ApiRow("a limit of zero", "GET", "/audit?limit=0"),
    ApiRow("a limit below zero", "GET", "/audit?limit=-1"),
    ApiRow("a limit of 400 digits", "GET", "/audit?limit=" + "9" * 400),
    ApiRow("a limit in Arabic digits", "GET", "/audit?limit=%d9%a1"),
    ApiRow("a limit twice", "GET", "/audit?limit=1&limit=2"),
    ApiRow("a before that is a word", "GET", f"/refusals?before={CANARY}"),
    ApiRow("a before beyond 64 bits", "GET", "/refusals?before=" + "9" * 30),
    ApiRow("a parameter nobody knows", "GET", f"/peers?{CANARY}!=1"),
    ApiRow("2,000 parameters", "GET", "/peers?" + "&".join(f"{CANARY}.{n}=1" for n in range(2000))),
    ApiRow("an explanation of rubbish", "GET", f"/explain?object={CANARY}!&peer=%00", status=(400, 404)),
    ApiRow("a method nobody knows", "BREW", "/peers", status=(405,)),
    ApiRow("TRACE", "TRACE", "/peers", status=(405,)),
    ApiRow("a path nobody knows", "GET", f"/{CANARY}", status=(404,)),
    ApiRow("an Accept of HTML", "GET", "/peers", status=(406,), headers={"Accept": "text/html"}),
)  # fmt: skip

ROWS = BODIES + OTHERS
