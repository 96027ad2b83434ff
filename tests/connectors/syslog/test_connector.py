"""Messages arrive at a real server over UDP, TCP and TLS; one that is not the right one hears nothing."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.sdk.exchange import Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from connectors.syslog.connector import KIND, SyslogSettings, SyslogTarget
from hub.errors import ConfigError
from tests.connectors.feed_world import indicator
from tests.connectors.syslog.rfc5424 import frames, parse

BATCH = Outgoing([indicator(1), indicator(2, name="second\nline"), indicator(3, pattern="[url:value = 'http://x.y/']")])


class Server:
    """Takes one connection after the other and keeps what came."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._context = context
        self.received = b""
        self.certificate: Any = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._listening.accept()
            with connection:
                connection.settimeout(10)
                taken = connection if self._context is None else self._context.wrap_socket(connection, server_side=True)
                if isinstance(taken, ssl.SSLSocket):
                    self.certificate = taken.getpeercert()
                while piece := taken.recv(65_536):
                    self.received += piece
        except OSError:
            return

    def ended(self) -> bytes:
        self._thread.join(10)
        self._listening.close()
        return self.received


def _target(tools: Tools, **settings: Any) -> SyslogTarget:
    made = msgspec.convert(
        {"host": "127.0.0.1", "hostname": "hub7", "networks": ["192.0.2.0/24"]} | settings, SyslogSettings
    )
    return SyslogTarget(made, tools)


def test_tcp_counts_octets(tools: Tools) -> None:
    server = Server()
    delivered = _target(tools, protocol="tcp", port=server.port).deliver(BATCH)
    found = [parse(one) for one in frames(server.ended())]
    assert [dict(one.data[0][1])["id"] for one in found] == [indicator(1)["id"], indicator(2)["id"]]
    assert dict(found[1].data[0][1])["name"] == "second\ufffdline"
    assert delivered.taken == 2


def test_udp_sends_one_datagram_for_each(tools: Tools) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        _target(tools, protocol="udp", port=server.getsockname()[1]).deliver(BATCH)
        assert [parse(server.recv(65_536)).msgid for _ in range(2)] == ["MATCH", "MATCH"]


def test_who_was_told_is_not_told_again(tools: Tools) -> None:
    first = Server()
    _target(tools, protocol="tcp", port=first.port).deliver(BATCH)
    first.ended()
    delivered = _target(tools, protocol="tcp", port=first.port).deliver(BATCH)  # nobody listens, and nothing is sent
    assert delivered.taken == 0


def test_a_server_that_is_not_there_leaves_the_alerts_for_the_next_run(tools: Tools) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectorError, match="wait for the next run"):
        _target(tools, protocol="tcp", port=port).deliver(BATCH)
    server = Server()
    assert _target(tools, protocol="tcp", port=server.port).deliver(BATCH).taken == 2


@contextmanager
def _authority(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Make a self-signed certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "syslog")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    yield folder / "cert.pem", folder / "key.pem"


def _server_context(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


def test_tls_checks_the_server_and_shows_our_certificate(tools: Tools, tmp_path: Path) -> None:
    with _authority(tmp_path / "server") as (cert, key), _authority(tmp_path / "client") as (ours, our_key):
        server = Server(_server_context(cert, key, clients=ours))
        target = _target(tools, port=server.port, ca=str(cert), certificate=str(ours), certificate_key=str(our_key))
        assert target.deliver(BATCH).taken == 2
        assert len(frames(server.ended())) == 2
        assert server.certificate


def test_tls_says_nothing_to_a_server_that_is_not_the_right_one(tools: Tools, tmp_path: Path) -> None:
    with _authority(tmp_path / "server") as (cert, key), _authority(tmp_path / "other") as (other, _):
        server = Server(_server_context(cert, key))
        with pytest.raises(ConnectorError, match="not trusted"):
            _target(tools, port=server.port, ca=str(other)).deliver(BATCH)
        assert server.ended() == b""


@pytest.mark.parametrize(
    "settings",
    [
        {"protocol": "tcp", "ca": "x.pem"},
        {"certificate": "x.pem"},
        {"longest": 100},
        {"facility": 24},
        {"hostname": "two words"},
        {"content_up_to": "red"},
        {"unknown": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(tools: Tools, settings: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        _target(tools, **settings)


def test_a_missing_file_is_said_before_it_starts(tools: Tools) -> None:
    with pytest.raises(ConfigError, match="ca, certificate"):
        _target(tools, ca="missing.pem")


def test_the_kind_has_one_direction() -> None:
    assert (KIND.name, KIND.source) == ("syslog", None)
