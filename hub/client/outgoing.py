"""HTTP to a host that need not be well-meant: patient with a busy one, bounded with a hostile one.

Every answer is read whole before it is given out, so that its size, its time and its retries are all settled here;
`requests` and every library on it (PyMISP, taxii2-client) can use the session as any other.
"""

from __future__ import annotations

import http.client
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectTimeout, SSLError
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from hub.client.addresses import Resolver, origin, system_resolver
from hub.client.login import Login
from hub.client.pinned import Attempt, PlainPool, Route, SecurePool
from hub.client.remote import RemoteError
from hub.domain import limits
from hub.errors import ConfigError

RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 §9.2.2
_UNTOUCHED: Final = frozenset({425, 429})  # it says that it has not begun: any method may be sent again
_PIECE: Final = 64 * 1024
_once_only: ContextVar[bool] = ContextVar("once_only", default=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, how often and how much.

    :param timeout: seconds of silence, and for a connection at most `limits.OUTGOING_CONNECT_SECONDS` of them.
    :param total: seconds for one attempt, whatever happens in it.
    :param max_answer: octets of a decoded body.
    :param repeated: methods that may be sent again when it is not known what became of the first.
    """

    timeout: float = limits.OUTGOING_READ_SECONDS
    total: float = limits.OUTGOING_TOTAL_SECONDS
    max_answer: int = limits.OUTGOING_ANSWER_BYTES
    attempts: int = limits.OUTGOING_ATTEMPTS
    repeated: frozenset[str] = IDEMPOTENT


def guarded_session(
    *,
    base: str,
    login: Login | None = None,
    allow_private: bool = False,
    allow_http: bool = False,
    ca_file: str | None = None,
    certificate: tuple[str, str] | None = None,
    timeout: float = limits.OUTGOING_READ_SECONDS,
    total: float = limits.OUTGOING_TOTAL_SECONDS,
    max_answer: int = limits.OUTGOING_ANSWER_BYTES,
    attempts: int = limits.OUTGOING_ATTEMPTS,
    repeated: frozenset[str] = IDEMPOTENT,
    resolver: Resolver = system_resolver,
    sleep: Callable[[float], None] = time.sleep,
    notice: Callable[[str], None] = lambda _: None,
) -> requests.Session:
    """Return a session with the host of ``base`` and no other, to which the credential and the cookies of none go.

    Its requests raise RemoteError when the host cannot be reached, redirects, or answers too much or too slowly; any
    other answer is returned with its status, as `requests` does. Redirects are refused, environment proxies ignored.

    :param allow_private: the host may be this machine or in a private network.
    :param allow_http: without TLS too; otherwise only to this machine, and if that is allowed.
    :param ca_file: PEM of the certification authority to believe instead of the usual ones.
    :param certificate: PEM files of our own certificate and its key.
    :param repeated: methods that are sent again after a lost answer.
    :param notice: is told, in words, when something is waited for.
    :raises ConfigError: the address, the credential or a file is not usable.
    """
    scheme, host, _ = origin(base)
    if scheme == "http" and not (allow_http or allow_private):
        raise ConfigError("plain http would show everything to the network; use https", field="url")
    certificate = certificate or (None if login is None else login.certificate)
    check_readable(ca_file, *(certificate or ()))
    route = Route(host, resolver, allow_private=allow_private, loopback_only=scheme == "http" and not allow_http)
    patience = Patience(timeout, total, max_answer, attempts, repeated)
    session = requests.Session()
    session.trust_env = False
    session.auth = None if login is None else login.auth()
    session.cert = certificate
    session.verify = ca_file or True
    session.headers["User-Agent"] = "cybex/0.1"
    session.headers["Accept-Encoding"] = "gzip"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _GuardedAdapter(origin(base), route, patience, sleep, notice)
    for prefix in ("https://", "http://"):
        session.mount(prefix, adapter)
    return session


@contextmanager
def unrepeated() -> Iterator[None]:
    """Let what is asked for inside the block be asked for once, whatever its method, unless it never arrived.

    For servers whose answer to a GET uses something up, such as medallion's pages.
    """
    before = _once_only.set(True)
    try:
        yield
    finally:
        _once_only.reset(before)


def check_readable(*files: str | None) -> None:
    """Raise ConfigError unless all files that are named can be read."""
    for file in files:
        if file is not None and not os.access(file, os.R_OK):
            raise ConfigError(f"{file} cannot be read")


class _GuardedAdapter(HTTPAdapter):
    """Sends requests to one origin over pinned connections."""

    def __init__(
        self,
        base: tuple[str, str, int],
        route: Route,
        patience: Patience,
        sleep: Callable[[float], None],
        notice: Callable[[str], None],
    ) -> None:
        self._origin, self._route, self._patience = base, route, patience
        self._sleep, self._notice = sleep, notice
        self._host = base[1] if base[2] in (80, 443) else f"{base[1]}:{base[2]}"
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        """Use pinned connections only."""
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - requests gives it; every answer is read whole
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - requests gives it; there are none
    ) -> requests.Response:
        """Return an answer whose body is in memory, after as many attempts as it takes. Raises RemoteError."""
        if origin(request.url or "") != self._origin:
            raise RemoteError("this address is of another host than the connection was set up for; it is not followed")
        if verify is False:
            raise ConfigError("certificates are always checked; give the authority's own with ca_file", field="verify")
        method = (request.method or "").upper()
        limit = timeout if timeout is not None else self._patience.timeout
        for attempt in range(1, self._patience.attempts + 1):
            wait = min(limits.OUTGOING_LONGEST_WAIT, 2.0**attempt)
            wait *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
            last = attempt == self._patience.attempts
            repeated = method in self._patience.repeated and not _once_only.get()
            try:
                response = self._once(request, limit, verify, cert)
                status = response.status_code
                if last or status not in RETRIED or not (repeated or status in _UNTOUCHED):
                    return response
                wait = retry_after(response.headers, wait)
                reason = f"it answered {status}"
            except SSLError:  # before its parent: waiting does not make a certificate better
                raise RemoteError(
                    f"no secure connection to {self._host}: its certificate is not trusted for this name, or it did"
                    " not take ours; give its certification authority with --ca, or as ca in the configuration"
                ) from None
            except (requests.ConnectionError, requests.Timeout, ChunkedEncodingError) as error:
                self._check_form(error)
                if last or not (repeated or _unsent(error)):
                    raise RemoteError(
                        f"no answer from {self._host}: {type(error).__name__}; check the address"
                    ) from None
                reason = type(error).__name__
            except (requests.RequestException, HTTPError, OSError) as error:
                raise RemoteError(f"the request to {self._host} cannot be made: {type(error).__name__}") from None
            self._notice(f"{self._host}: {reason}; trying again in {wait:.0f} s")
            self._sleep(wait)
        raise RemoteError(f"no answer from {self._host}")

    def _once(self, request: requests.PreparedRequest, limit: Any, verify: bool | str, cert: Any) -> requests.Response:
        if isinstance(limit, int | float):
            limit = (min(float(limit), limits.OUTGOING_CONNECT_SECONDS), float(limit))
        with Attempt(self._route, self._patience.total) as attempt:
            try:
                response = super().send(request, stream=True, timeout=limit, verify=verify, cert=cert)
                self._read(response)
            except (requests.RequestException, HTTPError, OSError):
                if attempt.expired:
                    raise self._too_slow() from None
                raise
            if attempt.expired:  # a body without a length looks complete when its connection is cut
                raise self._too_slow()
        return response

    def _read(self, response: requests.Response) -> None:
        """Take the body into memory, decoded, as far as it is allowed."""
        if 300 <= response.status_code < 400 and response.status_code != 304:
            response.close()
            raise RemoteError("it redirects, which is not followed with credentials; give the final address")
        if sum(len(name) + len(value) for name, value in response.headers.items()) > limits.OUTGOING_HEADER_BYTES:
            response.close()
            raise self._bad_headers()
        body = bytearray()
        for piece in response.iter_content(_PIECE):
            body += piece
            if len(body) > self._patience.max_answer:
                response.close()
                raise RemoteError(
                    f"the answer is longer than {self._patience.max_answer} octets; ask for less at a time"
                )
        response._content = bytes(body)  # what `content`, `json` and `iter_content` give from now on

    def _check_form(self, error: BaseException) -> None:
        """Raise RemoteError when what was sent is no acceptable HTTP: asking again would not help."""
        cause: BaseException | None = error
        while cause is not None:
            if type(cause) in (http.client.HTTPException, http.client.LineTooLong):
                raise self._bad_headers() from None
            cause = cause.__cause__ or cause.__context__

    def _silent(self, error: Exception) -> RemoteError:
        return RemoteError(f"no answer from {self._host}: {type(error).__name__}; check the address")

    def _too_slow(self) -> RemoteError:
        return RemoteError(f"{self._host} took longer than {self._patience.total:.0f} s for an answer; it was cut off")

    def _bad_headers(self) -> RemoteError:
        return RemoteError(f"{self._host} sends more header fields than an answer may have; is this the right address?")


def _unsent(error: BaseException) -> bool:
    """Return whether a connection was never made, so that nothing can have happened yet."""
    cause = error.args[0] if error.args else None
    refused = isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    return refused or isinstance(error, ConnectTimeout)


def retry_after(headers: Mapping[str, str], otherwise: float) -> float:
    """Return the seconds to wait: as asked for (RFC 9110 §10.2.3), in seconds or until a date by its own clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
        except (TypeError, ValueError):
            return otherwise
    return min(limits.OUTGOING_LONGEST_WAIT, max(1.0, seconds))
