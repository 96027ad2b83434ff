"""Sends alerts to a syslog server: UDP (RFC 5426), TCP with octet counting (RFC 6587), or TLS (RFC 5425)."""

from __future__ import annotations

import socket
import ssl
from typing import Annotated, Final, Literal

import msgspec

from connectors.sdk.alert_feed import AlertFeed, AlertSettings
from connectors.sdk.exchange import Delivered, Outgoing, Tools
from connectors.sdk.kind import ConnectorError, Kind
from connectors.syslog.mapping import DOCUMENTATION_NUMBER, Origin, framed, message
from hub.domain.alert import Alert
from hub.errors import ConfigError

PORTS: Final = {"udp": 514, "tcp": 601, "tls": 6514}
"""Registered for syslog: RFC 5426, RFC 6587 by way of RFC 3195, RFC 5425."""
TIMEOUT: Final = 20.0
"""Seconds for a connection, and for a message to be taken."""


class SyslogSettings(AlertSettings, frozen=True, kw_only=True):
    """Where the server is, and as who the alerts come.

    :param ca: PEM of the authority that the server's certificate must come from, instead of the system's.
    :param certificate: PEM of our own, with its key in ``certificate_key``; servers may ask for one.
    :param longest: octets of a message; RFC 5425 asks servers to take 2,048.
    :param enterprise: private enterprise number in the name of the structured data.
    """

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | None = None
    protocol: Literal["udp", "tcp", "tls"] = "tls"
    ca: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    hostname: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,255}$")] | None = None
    facility: Annotated[int, msgspec.Meta(ge=0, le=23)] = 16
    severity: Annotated[int, msgspec.Meta(ge=0, le=7)] = 5
    longest: Annotated[int, msgspec.Meta(ge=480, le=8_192)] = 2_048
    enterprise: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] = DOCUMENTATION_NUMBER

    def __post_init__(self) -> None:
        """Refuse half a pair, and what would be believed to protect and does not."""
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key go together: set both or none")
        if self.protocol != "tls" and (self.ca or self.certificate):
            raise ValueError("ca and certificate are for the protocol tls: set it, or leave them out")


class SyslogTarget:
    """The direction hub -> syslog server."""

    def __init__(self, settings: SyslogSettings, tools: Tools) -> None:
        """Raises ConfigError."""
        self._settings, self._tools = settings, tools
        self._address = (settings.host, settings.port or PORTS[settings.protocol])
        self._origin = Origin(
            host=settings.hostname or socket.gethostname(),
            facility=settings.facility,
            severity=settings.severity,
            enterprise=settings.enterprise,
        )
        self._tls = _context(settings, tools) if settings.protocol == "tls" else None
        self._feed = AlertFeed(settings, tools, self._send)
        self._socket: socket.socket | None = None

    def deliver(self, batch: Outgoing) -> Delivered:
        """Send what the subscription asks for. Raises ConnectorError when the server is not reached."""
        try:
            return self._feed.deliver(batch)
        finally:
            self._close()

    def _send(self, alert: Alert) -> None:
        octets = message(alert, self._origin, self._tools.clock(), longest=self._settings.longest)
        try:
            if self._socket is None:
                self._socket = self._connected()
            if self._settings.protocol == "udp":
                self._socket.send(octets)
            else:
                self._socket.sendall(framed(octets))
        except (OSError, ssl.SSLError) as error:
            self._close()
            reason = "its certificate is not trusted" if isinstance(error, ssl.SSLCertVerificationError) else "network"
            raise ConnectorError(
                f"the syslog server at {self._address[0]} port {self._address[1]} does not take it ({reason}:"
                f" {type(error).__name__}); the alerts wait for the next run"
            ) from None

    def _connected(self) -> socket.socket:
        host, port = self._address
        if self._settings.protocol == "udp":
            family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            made = socket.socket(family, kind, number)
            made.settimeout(TIMEOUT)
            made.connect(address)
            return made
        plain = socket.create_connection((host, port), timeout=TIMEOUT)
        if self._tls is None:
            return plain
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _context(settings: SyslogSettings, tools: Tools) -> ssl.SSLContext:
    """Return what checks the server's name and certificate, and shows ours. Raises ConfigError."""
    try:
        context = ssl.create_default_context(cafile=None if settings.ca is None else str(tools.path(settings.ca)))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None and settings.certificate_key is not None:
            context.load_cert_chain(str(tools.path(settings.certificate)), str(tools.path(settings.certificate_key)))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"ca, certificate or certificate_key cannot be used: {type(error).__name__}", field="settings"
        ) from None
    return context


KIND: Final = Kind(
    name="syslog",
    summary="alerts as syslog (RFC 5424 over UDP, TCP or TLS) for what a subscription asks for",
    settings=SyslogSettings,
    target=SyslogTarget,
)
