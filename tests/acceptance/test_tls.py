"""A real `cybex serve` with TLS of its own: what it accepts and what it refuses (TAXII 2.1 §8.2.2, T-220 to T-223)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.acceptance.certificates import Authority
from tests.acceptance.processes import RunningHub, running_hub


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls-authority"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[RunningHub]:
    own = authority.server("127.0.0.1", "localhost")
    files = ["--tls-certificate", str(own.certificate), "--tls-key", str(own.key)]
    folder: Path = tmp_path_factory.mktemp("tls-hub")
    with running_hub(folder, None, *files, scheme="https", verify=str(authority.file)) as running:
        yield running


def handshake(hub: RunningHub, authority: Authority, *options: str) -> subprocess.CompletedProcess[str]:
    """Make one TLS handshake as openssl does, weak ciphers and old versions allowed on its own side."""
    address = urlsplit(hub.base_url).netloc
    command = ["openssl", "s_client", "-connect", address, "-CAfile", str(authority.file), *options]
    return subprocess.run(command, input="", capture_output=True, text=True, timeout=30)


def test_the_hub_answers_over_https(hub: RunningHub, authority: Authority) -> None:
    answer = requests.get(f"{hub.base_url}taxii2/", auth=_operator(hub), verify=str(authority.file), timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/taxii+json;version=2.1"


def test_plain_http_is_not_answered_on_the_tls_port(hub: RunningHub) -> None:
    with pytest.raises(requests.RequestException):
        requests.get(hub.base_url.replace("https:", "http:") + "taxii2/", timeout=30)


@pytest.mark.parametrize(("option", "version"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_tls_1_2_and_1_3_are_accepted(hub: RunningHub, authority: Authority, option: str, version: str) -> None:
    done = handshake(hub, authority, option)
    assert done.returncode == 0, done.stderr
    assert f"New, {version}, Cipher is" in done.stdout or f"Protocol  : {version}" in done.stdout
    assert "Verify return code: 0 (ok)" in done.stdout


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_tls_1_1_is_refused(hub: RunningHub, authority: Authority, option: str) -> None:
    done = handshake(hub, authority, option, "-cipher", "ALL:@SECLEVEL=0")
    assert done.returncode != 0
    # An alert (handshake_failure or protocol_version) proves that the hub refused, and not that openssl would not try.
    assert "SSL alert number 40" in done.stderr or "SSL alert number 70" in done.stderr


def _weak_tls_1_2_ciphers() -> list[str]:
    """Return openssl's TLS 1.2 suites that RFC 7540 Appendix A lists: all but ephemeral key exchange with AEAD."""
    command = ["openssl", "ciphers", "-v", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    weak = []
    for line in listed.splitlines():
        name, version, *fields = line.split()
        properties = dict(field.split("=", 1) for field in fields if "=" in field)
        if version == "TLSv1.3":
            continue
        ephemeral = properties["Kx"].startswith(("ECDH", "DH")) and "PSK" not in properties["Kx"]
        if not (ephemeral and properties["Mac"] == "AEAD" and properties["Au"] in ("RSA", "ECDSA", "DSS")):
            weak.append(name)
    return weak


def test_no_weak_tls_1_2_cipher_is_accepted(hub: RunningHub, authority: Authority) -> None:
    weak = _weak_tls_1_2_ciphers()
    assert len(weak) > 50
    assert {"ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"} <= set(weak)
    # Offered all at once, so that one accepted suite is enough to fail; the hub has an ECDSA key.
    done = handshake(hub, authority, "-tls1_2", "-cipher", ":".join(weak) + ":@SECLEVEL=0")
    assert done.returncode != 0
    assert "alert handshake failure" in done.stderr
    strong = handshake(hub, authority, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert strong.returncode == 0


def test_no_early_data_is_offered(hub: RunningHub, authority: Authority, tmp_path: Path) -> None:
    """A ticket that permits 0-RTT says so with max_early_data_size; the hub's tickets say 0, and data is refused."""
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    address = urlsplit(hub.base_url).netloc
    first = subprocess.run(
        ["openssl", "s_client", "-connect", address, "-tls1_3", "-ign_eof", "-sess_out", session],
        input="GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "Max Early Data: 0" in first.stdout, first.stdout
    second = handshake(hub, authority, "-tls1_3", "-sess_in", str(session), "-early_data", str(early))
    assert "Early data was accepted" not in second.stdout


def _operator(hub: RunningHub) -> tuple[str, str]:
    return hub.operator.username, hub.operator.password
