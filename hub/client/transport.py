"""HTTP as a CIRT needs it on a thin link: timeouts, retries that honour Retry-After, bounded answers, no redirects.

Credentials never travel over plain HTTP except to this machine, and are sent to the host they were given for only.
"""

from __future__ import annotations

import ipaddress
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from hub.domain.canonical import Json, parse
from hub.errors import ConfigError, CybexError, MalformedJson

TAXII: Final = "application/taxii+json;version=2.1"
MAX_ANSWER: Final = 64 * 1024 * 1024
"""Octets of one decoded answer: four pages of the largest size a hub serves."""

ATTEMPTS: Final = 6
"""With the waits below about a minute in all: longer outages are what `resume` is for."""

RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT: Final = 120.0


class RemoteError(CybexError):
    """The other side refused, or could not be reached; ``detail`` is what it said, shortened, and what to do."""

    code = "remote"
    title = "The other side did not do it"

    def __init__(self, detail: str, *, http_status: int | None = None) -> None:
        super().__init__(detail)
        self.http_status = http_status


class BearerAuth(AuthBase):
    """RFC 6750 in the Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True, slots=True)
class Login:
    """How to prove who we are: a token, or a user name and password, or a client certificate (or both)."""

    token: str | None = None
    username: str | None = None
    password: str | None = None
    certificate: tuple[str, str] | None = None  # PEM files: certificate, key

    def auth(self) -> AuthBase | None:
        """Return what puts the credential into a request. Raises ConfigError when it is incomplete."""
        if self.token:
            if not self.token.isascii() or not self.token.isprintable():
                raise ConfigError("a token is one line of ASCII; is this the right file?", field="token")
            return BearerAuth(self.token)
        if self.username and self.password:
            return HTTPBasicAuth(self.username.encode(), self.password.encode())  # RFC 7617 §2.1: UTF-8
        if self.username or self.password:
            raise ConfigError("a user name and a password go together", field="username")
        if self.certificate is None:
            raise ConfigError("give --token-file, or --username with --password-file, or --certificate")
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its status, its headers, and its body as strict I-JSON."""

    status: int
    headers: Mapping[str, str]
    body: Json


@dataclass(frozen=True, slots=True)
class _Octets:
    """A successful answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Transport:
    """A session with one host.

    :param login: None for what everybody may read.
    :param allow_http: permit plain HTTP to other machines; for a network that is private by other means.
    :param ca_file: PEM of the certification authority to believe instead of the system's.
    :param notice: is told, in words, when something is waited for.
    """

    login: Login | None
    allow_http: bool = False
    ca_file: str | None = None
    timeout: float = 60.0
    notice: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        """Set up the session: no proxies or credentials from the environment, no redirects."""
        certificate = None if self.login is None else self.login.certificate
        for file in (self.ca_file, *(certificate or ())):
            if file is not None and not os.access(file, os.R_OK):
                raise ConfigError(f"{file} cannot be read")
        self._session.trust_env = False
        self._session.auth = None if self.login is None else self.login.auth()
        if certificate is not None:
            self._session.cert = certificate
        self._session.verify = self.ca_file or True
        self._session.headers["User-Agent"] = "cybex/0.1 (TAXII 2.1 client)"
        self._session.headers["Accept-Encoding"] = "gzip"

    def get(self, url: str, *, params: Mapping[str, str] | None = None, accept: str = TAXII) -> Answer:
        """Return the answer to a GET; waits and retries while the other side is busy. Raises RemoteError."""
        return _parsed(self._request("GET", url, params=params, headers={"Accept": accept}, data=None))

    def post(self, url: str, body: bytes, *, content_type: str = TAXII, accept: str = TAXII) -> Answer:
        """Return the answer to a POST, repeated after a lost answer, which a hub recognises. Raises RemoteError."""
        return _parsed(
            self._request("POST", url, params=None, headers={"Accept": accept, "Content-Type": content_type}, data=body)
        )

    def put(self, url: str, body: bytes, *, content_type: str, accept: str) -> Answer:
        """Return the answer to a PUT, which may be repeated after a lost answer. Raises RemoteError."""
        return _parsed(
            self._request("PUT", url, params=None, headers={"Accept": accept, "Content-Type": content_type}, data=body)
        )

    def fetch(self, url: str) -> bytes:
        """Return the octets at an address, which need not be JSON; otherwise as `get`. Raises RemoteError."""
        return self._request("GET", url, params=None, headers={"Accept": "*/*"}, data=None).body

    def hand_in(self, url: str, body: bytes, *, content_type: str) -> bytes:
        """Return the octets that answer a POST, which need not be JSON; otherwise as `post`. Raises RemoteError."""
        headers = {"Accept": "*/*", "Content-Type": content_type}
        return self._request("POST", url, params=None, headers=headers, data=body).body

    def _request(
        self, method: str, url: str, *, params: Mapping[str, str] | None, headers: Mapping[str, str], data: bytes | None
    ) -> _Octets:
        check_address(url, allow_http=self.allow_http)
        for attempt in range(1, ATTEMPTS + 1):
            wait = min(LONGEST_WAIT, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
            try:
                with self._session.request(
                    method, url, params=params, headers=headers, data=data,
                    timeout=self.timeout, allow_redirects=False, stream=True,
                ) as response:  # fmt: skip
                    if response.status_code not in RETRIED or attempt == ATTEMPTS:
                        return self._octets(response)
                    wait = _retry_after(response.headers, wait)
                    reason = f"it answered {response.status_code}"
            except requests.exceptions.SSLError:  # before its parent: waiting does not make a certificate better
                raise RemoteError(
                    f"no secure connection to {_host(url)}: its certificate is not trusted for this name, or it did"
                    " not take ours; give its certification authority with --ca"
                ) from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                if attempt == ATTEMPTS:
                    raise RemoteError(
                        f"no answer from {_host(url)}: {type(error).__name__}; check the address"
                    ) from None
                reason = type(error).__name__
            except (requests.RequestException, OSError) as error:
                raise RemoteError(f"the request to {_host(url)} cannot be made: {type(error).__name__}") from None
            self.notice(f"{_host(url)}: {reason}; trying again in {wait:.0f} s")
            self.sleep(wait)
        raise RemoteError(f"no answer from {_host(url)}")

    def _octets(self, response: requests.Response) -> _Octets:
        raw = bytearray()
        for piece in response.iter_content(64 * 1024):
            raw += piece
            if len(raw) > MAX_ANSWER:
                raise RemoteError(f"the answer is longer than {MAX_ANSWER} octets; ask for smaller pages with --limit")
        if 300 <= response.status_code < 400:
            raise RemoteError("it redirects, which is not followed with credentials; give the final address")
        if not 200 <= response.status_code < 300:
            raise RemoteError(_refusal(response.status_code, bytes(raw)), http_status=response.status_code)
        return _Octets(response.status_code, response.headers, bytes(raw))


def _parsed(answer: _Octets) -> Answer:
    try:
        return Answer(answer.status, answer.headers, parse(answer.body) if answer.body else None)
    except MalformedJson as error:
        raise RemoteError(f"the answer is not I-JSON: {error.detail}") from None


def check_address(url: str, *, allow_http: bool = False) -> None:
    """Raise ConfigError unless a credential may be sent to this address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port is None or parts.port > 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigError("give an address that begins with https://", field="url")
    if parts.username is not None:
        raise ConfigError("a credential does not belong into the address; give it apart", field="url")
    if parts.scheme == "http" and not (allow_http or _is_loopback(host)):
        raise ConfigError("plain http would show your credential to the network; use https", field="url")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _retry_after(headers: Mapping[str, str], otherwise: float) -> float:
    """Return the seconds to wait: as asked for (RFC 9110 §10.2.3), in seconds or until a date by its own clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
        except (TypeError, ValueError):
            return otherwise
    return min(LONGEST_WAIT, max(1.0, seconds))


_HINTS: Final = {
    401: "check the credential: it may have expired or been revoked",
    403: "this credential does not have that right there; ask the group's moderator",
    404: "there is no such place for this credential; check the API root and the collection",
    413: "the envelope is too large; give a smaller --batch",
}


def _refusal(status: int, raw: bytes) -> str:
    said = ""
    try:
        body = parse(raw)
    except MalformedJson:
        body = None
    if isinstance(body, dict):
        parts = [body.get("title"), body.get("description") or body.get("detail")]
        said = ": ".join(
            "".join(ch for ch in part if ch.isprintable())[:300] for part in parts if isinstance(part, str)
        )
    hint = _HINTS.get(status)
    return "; ".join(part for part in (f"{status} {said}".strip(), hint) if part)
