"""HTTP as a CIRT needs it on a thin link: timeouts, retries that honour Retry-After, bounded answers, no redirects.

Credentials never travel over plain HTTP except to this machine, and are sent to the host they were given for only.
The CIRT itself says where its hub is, which may be in its own network: every address will do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import requests

from hub.client.addresses import check_address, origin
from hub.client.coding import ACCEPTED, packed, unpacked
from hub.client.login import Login
from hub.client.outgoing import IDEMPOTENT, check_readable, guarded_session
from hub.client.remote import RemoteError, refusal
from hub.client.traffic import Traffic
from hub.domain import limits
from hub.domain.canonical import Json, parse
from hub.errors import MalformedJson

__all__ = [
    "ATTEMPTS",
    "LONGEST_WAIT",
    "MAX_ANSWER",
    "TAXII",
    "Answer",
    "Login",
    "RemoteError",
    "Transport",
    "check_address",
]

TAXII: Final = "application/taxii+json;version=2.1"
MAX_ANSWER: Final = limits.OUTGOING_ANSWER_BYTES
ATTEMPTS: Final = limits.OUTGOING_ATTEMPTS
LONGEST_WAIT: Final = limits.OUTGOING_LONGEST_WAIT


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
    max_answer: int = MAX_ANSWER
    traffic: Traffic = field(default_factory=Traffic)
    _takes: dict[tuple[str, str, int], str] = field(default_factory=dict)
    _sessions: dict[tuple[str, str, int], requests.Session] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a credential or a file that cannot be used before anything is sent. Raises ConfigError."""
        if self.login is not None:
            self.login.auth()
            check_readable(*(self.login.certificate or ()))
        check_readable(self.ca_file)

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, accept: str = TAXII, wait: int | None = None
    ) -> Answer:
        """Return the answer to a GET; waits and retries while the other side is busy. Raises RemoteError.

        :param wait: seconds that the other side may take to have something to answer (RFC 7240 §4.3).
        """
        headers = {"Accept": accept} if wait is None else {"Accept": accept, "Prefer": f"wait={wait}"}
        return _parsed(self._request("GET", url, params=params, headers=headers, data=None))

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

    def delete(self, url: str, *, accept: str) -> Answer:
        """Return the answer to a DELETE, which may be repeated after a lost answer. Raises RemoteError."""
        return _parsed(self._request("DELETE", url, params=None, headers={"Accept": accept}, data=None))

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
        session, host = self._session(url), origin(url)
        body, coding = (None, None) if data is None else packed(data, self._takes.get(host, ""))
        coded = headers if coding is None else {**headers, "Content-Encoding": coding}
        try:
            response = session.request(method, url, params=params, headers=coded, data=body, allow_redirects=False)
        except requests.RequestException as error:
            raise RemoteError(f"the request cannot be made: {type(error).__name__}; check the address") from None
        self.traffic.add(len(body or b""), _received(response))
        if response.status_code == 415 and coding is not None:  # it has thought better of it
            self._takes[host] = ""
            return self._request(method, url, params=params, headers=headers, data=data)
        # RFC 7694 §3: what the other side takes in requests, said in its answers.
        self._takes[host] = response.headers.get("Accept-Encoding", self._takes.get(host, ""))
        content = unpacked(response.content, response.headers.get("Content-Encoding"), self.max_answer)
        if not 200 <= response.status_code < 300:
            raise RemoteError(refusal(response.status_code, content), http_status=response.status_code)
        return _Octets(response.status_code, response.headers, content)

    def _session(self, url: str) -> requests.Session:
        """Return the session with the host of an address. Raises ConfigError when a credential may not go there."""
        check_address(url, allow_http=self.allow_http)
        host = origin(url)
        if host not in self._sessions:
            session = guarded_session(
                base=url, login=self.login, allow_private=True, allow_http=self.allow_http, ca_file=self.ca_file,
                timeout=self.timeout, max_answer=self.max_answer, repeated=IDEMPOTENT | {"POST"},
                sleep=self.sleep, notice=self.notice,
            )  # fmt: skip
            session.headers["User-Agent"] = "cybex/0.1 (TAXII 2.1 client)"
            session.headers["Accept-Encoding"] = ACCEPTED
            self._sessions[host] = session
        return self._sessions[host]


def _received(response: requests.Response) -> int:
    """Return the octets of the body as it came: before gzip was undone."""
    try:
        return int(response.raw.tell())
    except (AttributeError, ValueError, OSError):
        return len(response.content)


def _parsed(answer: _Octets) -> Answer:
    try:
        return Answer(answer.status, answer.headers, parse(answer.body) if answer.body else None)
    except MalformedJson as error:
        raise RemoteError(f"the answer is not I-JSON: {error.detail}") from None
