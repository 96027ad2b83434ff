"""What only a raw socket can send: requests that HTTP itself forbids, to a real `cybex serve`.

The server may refuse them without asking the hub; then there is no TAXII error, but no HTML, no echo and no loss.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.acceptance.open_group import OpenGroup, serving_open_group
from tests.web.hostile.row import CANARY, envelope
from tests.web.taxii.world import indicator

GOOD = envelope(indicator(1, name=CANARY))
CHUNK = f"{len(GOOD):x}\r\n".encode() + GOOD + b"\r\n"
POST = "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {login}\r\n"
TYPE = "Content-Type: application/taxii+json;version=2.1\r\n"
GET = "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {login}\r\n"

REFUSED: dict[str, tuple[str, bytes]] = {
    "a length that is a word": (POST + TYPE + f"Content-Length: {CANARY}\r\n\r\n", GOOD),
    "a length below zero": (POST + TYPE + "Content-Length: -1\r\n\r\n", GOOD),
    "a length with a plus sign": (POST + TYPE + f"Content-Length: +{len(GOOD)}\r\n\r\n", GOOD),
    "a length of 400 digits": (POST + TYPE + f"Content-Length: {'9' * 400}\r\n\r\n", GOOD),
    "a length above the bound": (POST + TYPE + f"Content-Length: {2**40}\r\n\r\n", b""),
    "two lengths": (POST + TYPE + f"Content-Length: {len(GOOD)}\r\nContent-Length: 3\r\n\r\n", GOOD),
    "a chunk size that is a word": (POST + TYPE + "Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n" + GOOD),
    "a chunk size below zero": (POST + TYPE + "Transfer-Encoding: chunked\r\n\r\n", b"-5\r\n" + GOOD),
    "a chunk size beyond 64 bits": (POST + TYPE + "Transfer-Encoding: chunked\r\n\r\n", b"f" * 17 + b"\r\n" + GOOD),
    "a transfer coding nobody knows": (POST + TYPE + f"Transfer-Encoding: {CANARY}\r\n\r\n", GOOD),
    "a header with a NUL": (GET + f"X-A: {CANARY}\x00\r\n\r\n", b""),
    "a header without a colon": (GET + f"{CANARY}\r\n\r\n", b""),
    "a space before the colon": (GET + f"X-A : {CANARY}\r\n\r\n", b""),
    "a folded header": (GET + f"X-A: 1\r\n {CANARY}\r\n\r\n", b""),
    "a header of 2,000,000 octets": (GET + "X-A: " + "a" * 2_000_000 + "\r\n\r\n", b""),
    "20,000 headers": (GET + f"X-A: {CANARY}\r\n" * 20_000 + "\r\n", b""),
    "a target with a space": ("GET /a {host} HTTP/1.1\r\nHost: {host}\r\n\r\n", b""),
    "a target with a raw NUL": ("GET /a\x00b HTTP/1.1\r\nHost: {host}\r\n\r\n", b""),
    "a version that does not exist": ("GET {path} HTTP/7.3\r\nHost: {host}\r\n\r\n", b""),
    "TLS to a port without": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "a" * 100 + "\r\n\r\n", b""),
    "TAXII without HTTP": (f'{{"objects":["{CANARY}"]}}\r\n\r\n', b""),
    "a target of 100,000 octets": ("GET /" + "a" * 100_000 + " HTTP/1.1\r\nHost: {host}\r\n\r\n", b""),
    "CONNECT": (f"CONNECT {CANARY}:443 HTTP/1.1\r\nHost: {CANARY}\r\n\r\n", b""),
    "TRACE with a login": ("TRACE {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {login}\r\n\r\n", b""),
    "a target with a host of its own": (f"GET http://{CANARY}/x HTTP/1.1\r\nHost: {{host}}\r\n\r\n", b""),
    "an absurd upgrade": (POST + "Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n", b""),
}


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenGroup]:
    """A real hub."""
    with serving_open_group(tmp_path_factory.mktemp("wire")) as made:
        yield made


def send(group: OpenGroup, head: str, body: bytes, *, hang_up: bool = True) -> bytes:
    """Send octets as they are, and return everything that comes back until the other end is done with us.

    :param hang_up: say that nothing more will come; the server may then end the connection without an answer.
    """
    parts = urlsplit(group.collection_url)
    login = "Basic " + base64.b64encode(f"{group.username}:{group.password}".encode()).decode()
    text = head.replace("{path}", f"{parts.path}objects/").replace("{host}", parts.netloc).replace("{login}", login)
    received = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        try:
            connection.sendall(text.encode("latin-1") + body)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while octets := connection.recv(65536):
                received += octets
        except OSError:  # it has hung up on us already
            return received
    return received


def stored(group: OpenGroup) -> bytes:
    """Return the page of everything, as a good request sees it."""
    page = send(group, GET + "Connection: close\r\n\r\n", b"", hang_up=False).partition(b"\r\n\r\n")[2]
    assert json.loads(page)["more"] is False
    return page


@pytest.mark.parametrize("name", REFUSED)
def test_what_http_forbids_is_refused_and_leaves_nothing(name: str, group: OpenGroup) -> None:
    head, body = REFUSED[name]
    before = stored(group)
    answer = send(group, head, body)
    assert not answer or answer.split(b" ", 2)[1][:1] == b"4", answer[:200]
    assert CANARY.encode() not in answer.lower()
    assert b"<html" not in answer.lower()
    assert stored(group) == before


def test_a_smuggled_request_is_not_answered_as_the_clients(group: OpenGroup) -> None:
    smuggled = b"0\r\n\r\nDELETE /taxii2/ HTTP/1.1\r\nHost: x\r\n\r\n"
    head = POST + TYPE + f"Content-Length: {len(smuggled)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    before = stored(group)
    answer = send(group, head, smuggled)
    assert not answer or answer.split(b" ", 2)[1][:1] == b"4"
    assert b"taxii" not in answer.partition(b"HTTP/1.1")[2].partition(b"HTTP/1.1")[2]
    assert stored(group) == before


def test_a_body_that_ends_too_early_leaves_nothing(group: OpenGroup) -> None:
    before = stored(group)
    for head, body in (
        (f"Content-Length: {len(GOOD)}\r\n\r\n", GOOD[:-1]),
        ("Transfer-Encoding: chunked\r\n\r\n", CHUNK[:-20]),
    ):
        answer = send(group, POST + TYPE + head, body)
        assert not answer or answer.split(b" ", 2)[1][:1] == b"4", answer[:200]
        assert stored(group) == before


def test_a_good_request_works_after_all_of_them(group: OpenGroup) -> None:
    head = POST + TYPE + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = send(group, head, CHUNK + b"0\r\n\r\n", hang_up=False)
    status, _, value = answer.partition(b"\r\n\r\n")
    assert status.split(b" ", 2)[1] == b"202"
    assert json.loads(value)["success_count"] == 1
