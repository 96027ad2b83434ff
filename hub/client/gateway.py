"""A gateway that vouches: it hands TAXII requests on to a hub, and signs what is posted through it without a signature.

For systems that cannot sign. What they send stays as it is; the gateway's signature stands beside it, in its own name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson
import requests

from hub.client.transport import MAX_ANSWER, TAXII, Login
from hub.domain import limits
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import jcs, parse
from hub.domain.hybrid import signatures_in
from hub.domain.key_material import PrivateKey
from hub.domain.signature_profile import SIGNATURE_TYPE, carries_inline, related_version
from hub.domain.taxii_time import format_timestamp
from hub.errors import CybexError, MalformedJson

TIMEOUT: Final = 60.0
REMEMBERED: Final = 10_000
"""Objects whose signatures are kept, so that a repeated request is the same again: about 20 MB."""

_ASKED: Final = {"HTTP_ACCEPT": "Accept", "CONTENT_TYPE": "Content-Type"}
_ANSWERED: Final = ("Content-Type", "Retry-After", "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last")
"""Lists of what passes, and not of what is dropped: no hop-by-hop header and no credential is ever among them."""

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class _Refused(Exception):
    """What the gateway answers by itself."""

    def __init__(self, status: str, title: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.headers = status, title, dict(headers or {})


@dataclass(slots=True)
class Voucher:
    """Signs objects that have no signature, always with the same signature while it remembers.

    :param identity: STIX identity of the gateway's peer, whose keys these are.
    :param authors: identities that it vouches for; objects by others are left as they are. Objects that name no author,
        such as observables and most markings, are signed too.
    :param clock: microseconds since the epoch.
    """

    key: PrivateKey
    identity: str
    authors: frozenset[str]
    second: PrivateKey | None = None
    clock: Callable[[], int] = lambda: time.time_ns() // 1000
    _made: OrderedDict[str, list[dict[str, Any]]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def signed(self, objects: list[Any]) -> list[Any]:
        """Return the objects, unchanged and in their order, each one that has no signature with one beside it."""
        present = {
            (str(one.get("related_to")), str(one.get("related_version")))
            for one in objects
            if isinstance(one, dict) and one.get("type") == SIGNATURE_TYPE
        }
        answer: list[Any] = []
        for one in objects:
            answer.append(one)
            try:
                if self._wants(one) and (one["id"], related_version(one)) not in present:
                    answer += self._beside(one)
            except CybexError:
                continue  # it is no object that can be signed, and the hub says why
        return answer

    def _wants(self, one: Any) -> bool:
        if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not isinstance(one.get("type"), str):
            return False  # the hub says what is wrong with it
        if one["type"] == SIGNATURE_TYPE or carries_inline(one) or signatures_in(one):
            return False
        return one.get("created_by_ref") is None or one["created_by_ref"] in self.authors

    def _beside(self, one: dict[str, Any]) -> list[dict[str, Any]]:
        name = hashlib.sha256(jcs(one)).hexdigest()
        with self._lock:
            if name not in self._made:
                created = format_timestamp(self.clock())[:23] + "Z"
                # In the name of nobody who is its author: the gateway never signs inline.
                target = {key: value for key, value in one.items() if key != "signatures"}
                signed, _ = sign_objects(
                    [target],
                    self.key,
                    identity=self.identity,
                    created=created,
                    new_uuid=lambda: str(uuid.uuid4()),
                    second=self.second,
                    inline=False,
                )
                self._made[name] = signed[1:]
                if len(self._made) > REMEMBERED:
                    self._made.popitem(last=False)
            return self._made[name]


class Gateway:
    """The WSGI application.

    :param root: API root of the hub; nothing outside it and the hub's discovery is reachable through the gateway.
    :param hosts: host names under which it is called without a credential, so that no web page can do so by another.
    :param credential: (user name, password) that callers have to give, None on loopback.
    """

    def __init__(
        self,
        root: str,
        login: Login,
        voucher: Voucher,
        *,
        hosts: frozenset[str],
        credential: tuple[str, str] | None = None,
        ca_file: str | None = None,
    ) -> None:
        parts = urlsplit(root)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/") + "/"
        self._voucher, self._hosts, self._credential = voucher, hosts, credential
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = login.auth()
        self._session.verify = ca_file or True
        if login.certificate is not None:
            self._session.cert = login.certificate
        self._session.headers["User-Agent"] = "cybex/0.1 (gateway)"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            status, headers, body = self._answer(environ)
        except _Refused as refusal:
            status, headers = refusal.status, {"Content-Type": TAXII, **refusal.headers}
            body = orjson.dumps({"title": refusal.title, "http_status": refusal.status[:3]})
        headers["Content-Length"] = str(len(body))
        start_response(status, list(headers.items()))
        return [body]

    def _answer(self, environ: Environ) -> tuple[str, dict[str, str], bytes]:
        """1. Who calls. 2. What is asked for lies in the API root. 3. What is posted is signed. 4. The hub's answer."""
        self._check_caller(environ)  # 1
        method = str(environ["REQUEST_METHOD"])
        if method not in ("GET", "POST", "DELETE"):
            raise _Refused(
                "405 Method Not Allowed", "The gateway passes GET, POST and DELETE", {"Allow": "GET, POST, DELETE"}
            )
        url = self._url(environ)  # 2
        body = _body(environ) if method == "POST" else None
        if body is not None and url.partition("?")[0].endswith("/objects/"):
            body = self._vouched(body)  # 3
        headers = {name: environ[key] for key, name in _ASKED.items() if _is_plain(environ.get(key))}
        return self._forward(method, url, headers, body)  # 4

    def _check_caller(self, environ: Environ) -> None:
        if self._credential is None:
            host = str(environ.get("HTTP_HOST", "")).rsplit(":", 1)[0].strip("[]")
            if host not in self._hosts:
                raise _Refused("421 Misdirected Request", "Call the gateway by the address it listens on")
            return
        if not _is_credential(environ.get("HTTP_AUTHORIZATION"), self._credential):
            challenge = {"WWW-Authenticate": 'Basic realm="cybex gateway", charset="UTF-8"'}
            raise _Refused("401 Unauthorized", "Give the gateway's own user name and password", challenge)

    def _url(self, environ: Environ) -> str:
        path = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace")
        segments = path.split("/")
        inside = path.startswith(self._path) or path == "/taxii2/"
        if not inside or "" in segments[1:-1] or {".", ".."} & set(segments) or "\\" in path or not path.isprintable():
            raise _Refused("404 Not Found", "The gateway serves one API root")
        query = str(environ.get("QUERY_STRING", ""))
        if not query.isascii() or not (query.isprintable() and " " not in query) or len(query) > limits.MAX_URL_LENGTH:
            raise _Refused("400 Bad Request", "The query is not one")
        return f"{self._origin}{quote(path, safe='/-._~!$()*,;=:@')}" + (f"?{query}" if query else "")

    def _vouched(self, body: bytes) -> bytes:
        try:
            document = parse(body)
        except MalformedJson:
            return body  # the hub says what is wrong with it
        objects = document.get("objects") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(objects, list):
            return body
        return orjson.dumps({**document, "objects": self._voucher.signed(objects)})

    def _forward(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[str, dict[str, str], bytes]:
        try:
            with self._session.request(
                method, url, headers=dict(headers), data=body, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                raw = bytearray()
                for piece in response.iter_content(64 * 1024):
                    raw += piece
                    if len(raw) > MAX_ANSWER:
                        raise _Refused("502 Bad Gateway", "The hub's answer is too long: ask for smaller pages")
        except requests.RequestException as error:
            raise _Refused("502 Bad Gateway", f"The hub does not answer: {type(error).__name__}") from None
        if response.status_code == 401:  # not the caller's fault, and no challenge to hand on
            raise _Refused("502 Bad Gateway", "The hub does not take the gateway's credential")
        if 300 <= response.status_code < 400:
            raise _Refused("502 Bad Gateway", "The hub redirects: give the gateway the final address")
        answered = {name: response.headers[name] for name in _ANSWERED if _is_plain(response.headers.get(name))}
        return f"{response.status_code} {_reason(response.reason)}", answered, bytes(raw)


def _body(environ: Environ) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length and (not length.isascii() or not length.isdigit()):
        raise _Refused("400 Bad Request", "Content-Length is no number")
    if len(length) > 12 or int(length or 0) > limits.MAX_CONTENT_LENGTH:
        raise _Refused("413 Content Too Large", "Send smaller envelopes")
    body: bytes = environ["wsgi.input"].read(int(length) if length else limits.MAX_CONTENT_LENGTH + 1)
    if len(body) > limits.MAX_CONTENT_LENGTH:
        raise _Refused("413 Content Too Large", "Send smaller envelopes")
    return body


def _is_plain(value: object) -> bool:
    """Say whether a header value is one line of printable ASCII: nothing that could begin another header."""
    return isinstance(value, str) and 0 < len(value) <= 1000 and value.isascii() and value.isprintable()


def _reason(text: object) -> str:
    return text if isinstance(text, str) and _is_plain(text) else "Answered"


def _is_credential(header: object, expected: tuple[str, str]) -> bool:
    scheme, _, value = str(header or "").partition(" ")
    try:
        given = base64.b64decode(value.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(":".join(expected).encode()).digest())
