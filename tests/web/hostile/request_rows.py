"""Paths, query strings, methods and headers that no client should send."""

from __future__ import annotations

import base64

from tests.web.hostile.row import CANARY, IDENTIFIER, Row, addressed, asked, headed
from tests.web.taxii.world import MANIFEST, OBJECTS, UNKNOWN_UUID


def _basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


PATHS: tuple[Row, ...] = (
    *(
        addressed(name, target)
        for name, target in (
            ("a NUL in the group", f"/alpha%00{CANARY}/"),
            ("a NUL in the collection", "/alpha/collections/indicators%00/objects/"),
            ("a NUL in the object id", f"{OBJECTS}{IDENTIFIER}%00/"),
            ("an escaped newline in the group", f"/alpha%0d%0aX-{CANARY}:%201/"),
            ("an escaped newline in the object id", f"{OBJECTS}{IDENTIFIER}%0a/"),
            ("two dots", f"/alpha/collections/../../{CANARY}/"),
            ("two escaped dots", f"/%2e%2e/%2e%2e/etc/{CANARY}"),
            ("dots escaped twice", f"/%252e%252e/{CANARY}/"),
            ("a backslash", f"/alpha\\collections\\{CANARY}"),
            ("an escaped slash in the object id", f"{OBJECTS}..%2f..%2f{CANARY}/"),
            ("an overlong slash", f"/alpha/%c0%af{CANARY}/"),
            ("a byte that is not UTF-8", f"/alpha/%ff%fe{CANARY}/"),
            ("a surrogate", f"/alpha/%ed%a0%80{CANARY}/"),
            ("an invalid escape", f"/alpha/%zz{CANARY}/"),
            ("half an escape", f"/{CANARY}%"),
            ("an emoji", f"/%f0%9f%98%80{CANARY}/"),
            ("full-width letters", "/%ef%bd%81lpha/collections/"),
            ("a template", f"/{{{{7*7}}}}{CANARY}/"),
            ("a script", f"/%3Cscript%3E{CANARY}%3C/script%3E/"),
            ("SQL", f"/alpha'%20OR%201=1--{CANARY}/"),
            ("a percent sign for LIKE", "/alpha/collections/%25/objects/"),
            ("a group in capitals", "/ALPHA/"),
            ("a group of 60,000 characters", "/" + "a" * 60_000 + "/"),
            ("a collection of 60,000 characters", "/alpha/collections/" + "a" * 60_000 + "/objects/"),
            ("an object id of 60,000 characters", OBJECTS + "a" * 60_000 + "/"),
            ("an object id that is a word", f"{OBJECTS}{CANARY}/"),
            ("an object id in full-width digits", f"{OBJECTS}indicator--%ef%bc%90/"),
            ("a status that is a word", f"/alpha/status/{CANARY}/"),
            ("a status nobody has", f"/alpha/status/{UNKNOWN_UUID}/"),
            ("a status with a NUL", f"/alpha/status/{UNKNOWN_UUID}%00/"),
            ("a path the hub has not", f"/alpha/{CANARY}/"),
            ("5,000 slashes and a word", "/" * 5000 + CANARY),
            ("5,000 folders", "/a" * 5000),
            ("an environment file", f"/.env?{CANARY}"),
            ("a repository", f"/.git/config?{CANARY}"),
        )
    ),
    addressed("a target of 70,000 characters", f"/{CANARY}" + "a" * 70_000, 414),
    addressed("a slash too few and a version too much", f"{OBJECTS}{IDENTIFIER}/versions/{CANARY}/"),
)

METHODS: tuple[Row, ...] = tuple(
    addressed(f"the method {method}", OBJECTS, 405, method=method)
    for method in ("PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "DELETE", "BREW", "G" * 1000)
)

QUERIES: tuple[Row, ...] = tuple(
    asked(name, query)
    for name, query in (
        ("a limit of zero", "limit=0"),
        ("a limit below zero", "limit=-1"),
        ("a limit with a plus sign", "limit=%2b5"),
        ("a limit with a fraction", "limit=1.5"),
        ("a limit with an exponent", "limit=1e3"),
        ("a limit in hexadecimal", "limit=0x10"),
        ("a limit with an underscore", "limit=1_000"),
        ("a limit that is a word", f"limit={CANARY}"),
        ("a limit that is empty", "limit="),
        ("a limit in Arabic digits", "limit=%d9%a1%d9%a0"),
        ("a limit in full-width digits", "limit=%ef%bc%91"),
        ("a limit in superscript", "limit=%c2%b2"),
        ("a limit with a NUL", "limit=1%00"),
        ("a limit with a newline", "limit=1%0a"),
        ("a limit with a space in front", "limit=%201"),
        ("a limit twice", "limit=1&limit=2"),
        ("an added_after that is a word", f"added_after={CANARY}"),
        ("an added_after that is empty", "added_after="),
        ("an added_after without Z", "added_after=2026-10-01T00:00:00"),
        ("an added_after on the 31st of June", "added_after=2026-06-31T00:00:00Z"),
        ("an added_after at 24:61", "added_after=2026-06-30T24:61:00Z"),
        ("an added_after in the year 0", "added_after=0000-01-01T00:00:00Z"),
        ("an added_after in the year 10000", "added_after=10000-01-01T00:00:00Z"),
        ("an added_after in Arabic digits", "added_after=%d9%a2%d9%a0%d9%a2%d9%a6-10-01T00:00:00Z"),
        ("an added_after with a NUL", "added_after=2026-10-01T00:00:00Z%00"),
        ("an added_after in seconds", "added_after=1767225600"),
        ("an added_after twice", "added_after=2026-10-01T00:00:00Z&added_after=2026-10-02T00:00:00Z"),
        ("a match[version] that is a word", f"match[version]={CANARY}"),
        ("a match[version] that is empty", "match[version]="),
        ("a match[version] with last twice", "match[version]=last,last"),
        ("a match[version] with all and last", "match[version]=all,last"),
        ("a match[version] of a day that is none", "match[version]=2026-02-30T00:00:00Z"),
        ("a match[version] in Arabic digits", "match[version]=%d9%a2%d9%a0%d9%a2%d9%a6-10-01T00:00:00Z"),
        ("a match[id] twice", f"match[id]={IDENTIFIER}&match[id]={IDENTIFIER}"),
        ("a match[id] with 1,001 values", "match[id]=" + ",".join(["a"] * 1001)),
        ("1,000 parameters", "&".join(f"{CANARY}{number}=1" for number in range(1000))),
        ("20,000 ampersands and a bad limit", "&" * 20_000 + "limit=0"),
        ("a next that is a word", f"next={CANARY}"),
        ("a next of 50,000 characters", "next=" + "A" * 50_000),
        ("a next that is not base64", "next=%%%%"),
        ("a next in Arabic digits", "next=%d9%a1"),
        ("a next with a NUL", "next=%00"),
        ("a next that is a number", "next=5"),
        ("a next that climbs", f"next=../../{CANARY}"),
        ("a next twice", "next=a&next=b"),
    )
)

_MANIFEST: tuple[Row, ...] = tuple(
    asked(f"{row.name}, on the manifest", row.target.partition("?")[2], target=MANIFEST) for row in QUERIES[:8]
)

HEADERS: tuple[Row, ...] = (
    *(
        headed(f"an Authorization with {name}", {"Authorization": value}, 401, method="GET")
        for name, value in (
            ("nothing in it", ""),
            ("only a scheme", "Basic"),
            ("a scheme nobody knows", f"Digest {CANARY}"),
            ("Negotiate", "Negotiate " + "A" * 1000),
            ("Basic that is not base64", f"Basic {CANARY}!"),
            ("Basic that is not UTF-8", _basic(b"\xff\xfe:\xff")),
            ("Basic without a colon", _basic(CANARY)),
            ("Basic without a user", _basic(f":{CANARY}")),
            ("Basic without a password", _basic("aa:")),
            ("a wrong password", _basic(f"aa:{CANARY}")),
            ("a NUL in the user", _basic("aa\x00:secret of aa")),
            ("a NUL in the password", _basic("aa:secret of aa\x00")),
            ("a newline in the user", _basic(f"aa\n{CANARY}:secret of aa")),
            ("a user in capitals", _basic("AA:secret of aa")),
            ("a user with a Cyrillic a", _basic("\u0430a:secret of aa")),
            ("a user in 4-byte characters", _basic("\U0001f600:secret of aa")),
            ("a user of 100,000 characters", _basic("a" * 100_000 + ":x")),
            ("a password of 100,000 characters", _basic("aa:" + "a" * 100_000)),
            ("SQL for a user", _basic(f"' OR 1=1 --{CANARY}:x")),
            ("an empty Bearer", "Bearer "),
            ("a Bearer of rubbish", f"Bearer {CANARY}"),
            ("a Bearer of the right form", "Bearer cybex_" + "a" * 16 + "_" + "c" * 40),
            ("a Bearer with a NUL", "Bearer cybex_\x00_" + "b" * 40),
            ("a Bearer of 5,000 characters", "Bearer " + "a" * 5000),
            ("two credentials", f"{_basic('aa:x')}, Bearer {CANARY}"),
            ("Latin-1 in it", "Basic \xe9\xe8"),
            ("a JSON web token without a signature", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhYSJ9."),
        )
    ),
    headed("a client certificate from nowhere", {"Authorization": None, "Client-Cert": ":AAAA:"}, 401, method="GET"),
    headed(
        "a client certificate and a proxy's address that are both claimed",
        {"Authorization": None, "Client-Cert": ":AAAA:", "X-Forwarded-For": "10.0.0.1", "X-Real-IP": "10.0.0.1"},
        401,
        method="GET",
    ),
    headed("an identity claimed in headers",
           {"Authorization": None, "X-Remote-User": "aa", "X-Forwarded-User": CANARY, "Remote-User": "aa"},
           401, method="GET"),
    *(
        headed(f"an Accept with {name}", {"Accept": value}, 406, method="GET")
        for name, value in (
            ("HTML", "text/html"),
            ("a word", CANARY),
            ("a version that does not exist", "application/taxii+json;version=7"),
            ("20,000 ranges", ",".join([f"a/{CANARY}"] * 20_000)),
        )
    ),
    headed("a method hidden in a header", {"X-HTTP-Method-Override": "DELETE"}, 400, method="POST", body=b"x"),
)  # fmt: skip

DISCOVERY: tuple[Row, ...] = tuple(
    Row(f"a Host that is {name}", method="GET", target="/taxii2/", headers={"Host": value}, status=(400,))
    for name, value in (
        ("a script", f"<script>{CANARY}</script>"),
        ("two hosts", f"hub.test,{CANARY}"),
        ("a host and a path", f"hub.test/{CANARY}"),
        ("a user and a host", f"{CANARY}@hub.test"),
        ("a host with a newline", f"hub.test\r\nX-{CANARY}: 1"),
        ("a host in 4-byte characters", "\xf0\x9f\x98\x80"),
        ("5,000 characters long", "a" * 5000),
        ("a port of words", f"hub.test:{CANARY}"),
    )
)

ROWS = PATHS + METHODS + QUERIES + _MANIFEST + HEADERS + DISCOVERY

DISLIKED_BY_DATABASES = tuple(
    row
    for row in ROWS
    if any(word in row.name for word in ("NUL", "4-byte", "00 characters", "emoji", "UTF-8", "SQL", "LIKE", "year"))
)
