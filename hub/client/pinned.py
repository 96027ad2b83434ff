"""Connections to addresses that were looked up once and looked at; TLS and the Host header still use the name."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from hub.client.addresses import Resolver, is_loopback, is_public
from hub.client.remote import RemoteError


class Route:
    """The way to one host: its name is resolved once, so that a second answer (DNS rebinding) is never asked for.

    :param allow_private: private, loopback and other special addresses will do.
    :param loopback_only: nothing but this machine will do.
    """

    def __init__(self, host: str, resolver: Resolver, *, allow_private: bool, loopback_only: bool) -> None:
        self._host, self._resolver = host, resolver
        self._allow_private, self._loopback_only = allow_private, loopback_only
        self._pinned: Sequence[str] = ()

    def connect(self, port: int, timeout: float | None) -> socket.socket:
        """Return a connection to the first pinned address that takes one.

        When none does they are forgotten: the host may have moved, and its new addresses are looked at as well.

        :raises RemoteError: an address is not allowed. :raises OSError: no address, or nobody answers there.
        """
        if not self._pinned:
            self._pinned = self._resolved(port)
        failure: OSError | None = None
        for address in self._pinned:
            try:
                return socket.create_connection((address, port), timeout)
            except OSError as error:
                failure = error
        self._pinned = ()
        raise failure or OSError("the host has no address")

    def _resolved(self, port: int) -> Sequence[str]:
        addresses = self._resolver(self._host, port)
        for address in addresses:  # one bad address is enough: which of them is used is up to whoever answered
            if self._loopback_only and not is_loopback(address):
                raise RemoteError(f"plain http to {self._host} would be read by others on the way; use https")
            if not (self._allow_private or is_public(address)):
                raise RemoteError(
                    f"{self._host} leads to a private or special address, which is refused;"
                    " if it is meant, allow private addresses for it in the configuration"
                )
        return addresses


_current: ContextVar[Attempt] = ContextVar("attempt")


class Attempt:
    """One attempt at a request: it uses one route, and when its time is up its connection is cut, whatever it does.

    Time limits of single reads do not help against a server that sends an octet now and then.

    :param seconds: from entering the block, for everything after the connection is made.
    """

    def __init__(self, route: Route, seconds: float) -> None:
        self.route = route
        self.expired = False
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._token: Token[Attempt] | None = None

    def __enter__(self) -> Attempt:
        """Let the connections of this thread belong to this attempt."""
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the clock."""
        self._timer.cancel()
        if self._token is not None:
            _current.reset(self._token)
        self._let_go()

    def hold(self, line: socket.socket | None) -> None:
        """Cut this connection when the time is up. A second handle stays valid when the first is closed early."""
        self._let_go()
        if line is None:
            return
        with self._lock:
            self._line = socket.socket(fileno=os.dup(line.fileno()))
            if self.expired:
                _cut(self._line)

    def _let_go(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = None

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            if self._line is not None:
                _cut(self._line)


def _cut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def _open(connection: HTTPConnection) -> socket.socket:
    """Return the socket of a connection, made by the route of the current attempt; without one there is none."""
    seconds = connection.timeout if isinstance(connection.timeout, int | float) else None
    try:
        line = _current.get().route.connect(connection.port, seconds)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "the connection timed out") from error
    except OSError as error:
        raise NewConnectionError(connection, "no connection") from error
    for option in connection.socket_options or ():
        line.setsockopt(*option)
    _current.get().hold(line)
    return line


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _open(self)

    def request(self, *arguments: Any, **keywords: Any) -> None:
        _current.get().hold(self.sock)  # it may be an earlier attempt's connection
        super().request(*arguments, **keywords)


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _open(self)

    def request(self, *arguments: Any, **keywords: Any) -> None:
        _current.get().hold(self.sock)  # as above; a new one is secured before the request
        super().request(*arguments, **keywords)


class PlainPool(HTTPConnectionPool):
    """Pinned connections without TLS."""

    ConnectionCls = _PlainConnection


class SecurePool(HTTPSConnectionPool):
    """Pinned connections with TLS, for the host's name."""

    ConnectionCls = _SecureConnection
