"""A real Caddy with the Caddyfile we ship, in front of a real hub: login with a client certificate, and no forging."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.acceptance.certificates import Authority, Certificate
from tests.acceptance.processes import BIN, Probe, RunningHub, clean_environment, free_port, running_hub, start

CADDYFILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
WHOAMI = "api/v1/whoami"


@dataclass(frozen=True)
class Front:
    """Caddy, the hub behind it, and a peer's certificate that is enrolled."""

    url: str
    hub: RunningHub
    authority: Authority
    peer: Certificate
    stranger: Certificate

    def get(self, path: str, certificate: Certificate | None = None, **headers: str) -> requests.Response:
        """Ask through Caddy."""
        pair = None if certificate is None else (str(certificate.certificate), str(certificate.key))
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(
            self.url + path,
            cert=pair,
            verify=str(self.authority.file),
            timeout=30,
            headers=names,
            allow_redirects=False,
        )


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("caddy")
    authority = Authority(folder)
    own, peer, stranger = authority.server("localhost"), authority.client("aa"), authority.client("zz")
    behind = ["--behind-proxy", "--trusted-proxy", "127.0.0.1/32", "--client-certificates"]
    with running_hub(folder, None, *behind) as hub:
        hub.cybex("peer", "add", "aa", "--name", "CIRT AA", "--kind", "national")
        enrol = ["--kind", "certificate", "--role", "analyst", "--label", "feed", "--fingerprint", peer.fingerprint]
        hub.cybex("credential", "add", "aa", *enrol)
        https, http = free_port(), free_port()
        environment = clean_environment(
            CYBEX_DOMAIN="localhost",
            CYBEX_TLS=f"{own.certificate} {own.key}",
            CYBEX_CLIENT_CA=str(authority.file),
            CYBEX_UPSTREAM=hub.base_url.removeprefix("http://").rstrip("/"),
            CYBEX_HTTPS_PORT=str(https),
            CYBEX_HTTP_PORT=str(http),
            XDG_DATA_HOME=str(folder / "data"),
            XDG_CONFIG_HOME=str(folder / "config"),
        )
        caddy = start([BIN / "caddy", "run", "--config", CADDYFILE, "--adapter", "caddyfile"], environment)
        try:
            url = f"https://localhost:{https}/"
            caddy.wait_until(Probe(f"{url}healthz", str(authority.file)))
            yield Front(url, hub, authority, peer, stranger)
        finally:
            caddy.stop()


def test_a_client_certificate_logs_in(front: Front) -> None:
    answer = front.get(WHOAMI, front.peer)
    assert answer.status_code == 200, answer.text
    assert "aa" in answer.text


def test_a_certificate_that_is_not_enrolled_does_not_log_in(front: Front) -> None:
    assert front.get(WHOAMI, front.stranger).status_code == 401


def test_no_certificate_does_not_log_in(front: Front) -> None:
    assert front.get(WHOAMI).status_code == 401


def test_a_certificate_of_another_authority_gets_no_connection(front: Front, tmp_path: Path) -> None:
    foreign = Authority(tmp_path, "Foreign Authority").client("aa")
    with pytest.raises(requests.RequestException):
        front.get(WHOAMI, foreign)


def _header(certificate: Certificate) -> str:
    return f":{base64.b64encode(certificate.der).decode('ascii')}:"


@pytest.mark.parametrize("name", ["Client-Cert", "client-cert", "Client_Cert"])
def test_a_forged_client_cert_header_does_not(front: Front, name: str) -> None:
    """Knowing a certificate is not having its key: Caddy replaces whatever a client sends under that name."""
    headers = {name: _header(front.peer)}
    url = front.url + WHOAMI
    answer = requests.get(url, headers=headers, verify=str(front.authority.file), timeout=30)
    assert answer.status_code == 401


def test_a_forged_header_beside_a_certificate_of_ones_own_does_not_help(front: Front) -> None:
    assert front.get(WHOAMI, front.stranger, Client_Cert=_header(front.peer)).status_code == 401


def test_a_forged_client_cert_header_straight_to_the_hub_from_an_untrusted_address_does_not_log_in(
    tmp_path: Path, front: Front
) -> None:
    """The hub is asked from 127.0.0.1, which it trusts here only when a proxy with another address is not set."""
    behind = ["--behind-proxy", "--trusted-proxy", "192.0.2.1/32", "--client-certificates"]
    with running_hub(tmp_path, None, *behind) as hub:
        _enrol(hub, front.peer)
        assert _forged(hub, front.peer) == 401


def test_a_forged_client_cert_header_to_a_hub_whose_proxy_does_not_set_it_does_not_log_in(
    tmp_path: Path, front: Front
) -> None:
    """A trusted proxy that does not know the header passes a forged one on; so it counts only when it is declared."""
    with running_hub(tmp_path, None, "--behind-proxy", "--trusted-proxy", "127.0.0.1/32") as hub:
        _enrol(hub, front.peer)
        assert _forged(hub, front.peer) == 401


def test_metrics_are_not_there_from_outside(front: Front) -> None:
    assert front.get("metrics").status_code == 404
    direct = requests.get(f"{front.hub.base_url}metrics", timeout=30)
    assert direct.status_code == 200
    forwarded = requests.get(f"{front.hub.base_url}metrics", headers={"X-Forwarded-For": "127.0.0.1"}, timeout=30)
    assert forwarded.status_code == 404


def test_the_urls_in_answers_are_those_of_the_front(front: Front) -> None:
    auth = (front.hub.operator.username, front.hub.operator.password)
    answer = requests.get(f"{front.url}taxii2/", auth=auth, verify=str(front.authority.file), timeout=30)
    assert answer.status_code == 200
    assert front.hub.base_url not in answer.text


def test_passwords_in_the_clear_meet_a_closed_door(front: Front) -> None:
    """Caddy does not even redirect from http."""
    port = int(front.url.rsplit(":", 1)[1].rstrip("/"))
    with socket.create_connection(("localhost", port), timeout=10) as plain:
        plain.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in plain.recv(4096).split(b"\r\n")[0]


def _enrol(hub: RunningHub, certificate: Certificate) -> None:
    hub.cybex("peer", "add", "aa", "--name", "CIRT AA", "--kind", "national")
    enrol = ["--kind", "certificate", "--role", "analyst", "--label", "feed", "--fingerprint", certificate.fingerprint]
    hub.cybex("credential", "add", "aa", *enrol)


def _forged(hub: RunningHub, certificate: Certificate) -> int:
    headers = {"Client-Cert": _header(certificate)}
    return requests.get(hub.base_url + WHOAMI, headers=headers, timeout=30).status_code
