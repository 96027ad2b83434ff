"""The HTTP of a CIRT's commands: patient, bounded, and careful with the credential."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from hub.client.transport import ATTEMPTS, LONGEST_WAIT, Login, RemoteError, Transport, check_address
from hub.errors import ConfigError
from tests.client.conftest import Session
from tests.client.scripted_server import TAXII, Reply, ScriptedServer, scripted_server


def test_an_answer_is_its_status_its_headers_and_its_json(server: ScriptedServer, session: Session) -> None:
    server.replies(Reply(202, b'{"a": 1}', {"X-Thing": "yes"}))
    answer = session.transport.post(server.url, b"{}")
    assert (answer.status, answer.headers["x-thing"], answer.body) == (202, "yes", {"a": 1})
    asked = server.asked[0]
    assert (asked.method, asked.body) == ("POST", b"{}")
    assert asked.headers["content-type"] == asked.headers["accept"] == TAXII
    assert session.waited == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server: ScriptedServer, session: Session, status: int) -> None:
    server.replies(Reply(status), Reply(status), Reply(200, b"[]"))
    assert session.transport.get(server.url).body == []
    assert len(server.asked) == 3
    assert 1 <= session.waited[0] <= 2
    assert 2 <= session.waited[1] <= 4
    assert all(f"it answered {status}" in text for text in session.said)


DATE = {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "99999999999999999999"}, LONGEST_WAIT),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT"} | DATE, 30),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"} | DATE, 1),
    ],
    ids=["seconds", "zero", "absurd", "date", "past-date"],
)
def test_it_waits_as_long_as_it_is_asked_to_within_reason(
    server: ScriptedServer, session: Session, headers: dict[str, str], waited: float
) -> None:
    server.replies(Reply(503, headers=headers), Reply())
    session.transport.get(server.url)
    assert session.waited == [waited]


@pytest.mark.parametrize("value", ["soon", "-5", "\xb2", "1e9", ""])
def test_a_retry_after_that_means_nothing_is_passed_over(server: ScriptedServer, session: Session, value: str) -> None:
    server.replies(Reply(429, headers={"Retry-After": value}), Reply())
    session.transport.get(server.url)
    assert 1 <= session.waited[0] <= 2


def test_it_gives_up_after_a_while_and_says_what_it_was_told(server: ScriptedServer, session: Session) -> None:
    server.replies(Reply(503, b'{"title": "Busy", "description": "try later"}'))
    with pytest.raises(RemoteError, match="503 Busy: try later") as refused:
        session.transport.get(server.url)
    assert refused.value.http_status == 503
    assert len(server.asked) == ATTEMPTS
    assert len(session.waited) == ATTEMPTS - 1


def test_a_post_whose_answer_was_lost_is_sent_again(server: ScriptedServer, session: Session) -> None:
    server.replies(Reply(202, b'{"id": ', cut=True), Reply(202, b'{"id": "1"}'))
    assert session.transport.post(server.url, b"the same").body == {"id": "1"}
    assert [asked.body for asked in server.asked] == [b"the same", b"the same"]


def test_nobody_there_is_an_error_after_the_last_try(session: Session) -> None:
    with scripted_server() as server:
        url = server.url
    with pytest.raises(RemoteError, match=r"no answer from 127\.0\.0\.1:\d+: ConnectionError; check the address"):
        session.transport.get(url)
    assert len(session.waited) == ATTEMPTS - 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: ScriptedServer, session: Session, status: int) -> None:
    with scripted_server() as elsewhere:
        server.replies(Reply(status, headers={"Location": elsewhere.url}))
        with pytest.raises(RemoteError, match="it redirects"):
            session.transport.get(server.url)
        assert elsewhere.asked == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 413, 422])
def test_a_refusal_is_not_repeated_and_says_what_the_server_said(
    server: ScriptedServer, session: Session, status: int
) -> None:
    server.replies(Reply(status, json.dumps({"title": "No\x1b[31m", "description": "because" + "x" * 500}).encode()))
    with pytest.raises(RemoteError) as refused:
        session.transport.get(server.url)
    assert refused.value.http_status == status
    assert refused.value.detail.startswith(f"{status} No[31m: because")
    assert "\x1b" not in refused.value.detail
    assert len(refused.value.detail) < 500
    assert len(server.asked) == 1


def test_a_long_answer_is_cut_off(server: ScriptedServer, session: Session) -> None:
    session.transport.max_answer = 100_000
    server.replies(Reply(200, b" " * 100_001))
    with pytest.raises(RemoteError, match="longer than 100000 octets"):
        session.transport.get(server.url)


def test_a_small_answer_that_unpacks_into_a_huge_one_is_cut_off(server: ScriptedServer, session: Session) -> None:
    session.transport.max_answer = 1_000_000
    server.replies(Reply(200, gzip.compress(b" " * 30_000_000), {"Content-Encoding": "gzip"}))
    with pytest.raises(RemoteError, match="longer than 1000000 octets"):
        session.transport.get(server.url)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html>login</html>", {}),
        (b'{"a": 1, "a": 2}', {}),
        (b"\xff", {}),
        (b"not gzip at all", {"Content-Encoding": "gzip"}),
    ],
    ids=["html", "duplicate-names", "not-utf-8", "broken-gzip"],
)
def test_what_is_not_json_is_an_error(
    server: ScriptedServer, session: Session, body: bytes, headers: dict[str, str]
) -> None:
    server.replies(Reply(200, body, headers))
    with pytest.raises(RemoteError):
        session.transport.get(server.url)


def test_an_empty_answer_has_no_body(server: ScriptedServer, session: Session) -> None:
    server.replies(Reply(200, b""))
    assert session.transport.get(server.url).body is None


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example/alpha/",
        "http://192.0.2.1/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "ftp://127.0.0.1/",
        "hub.example/alpha/",
        "https://",
        "https://[::1",
        "https://hub.example:notaport/",
        "https://user:secret@hub.example/",
        "",
    ],
)
def test_a_credential_is_not_sent_to_such_an_address(session: Session, url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        session.transport.get(url)
    assert refused.value.field == "url"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://[::1]/", "http://localhost/", "https://hub.example/"]
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    check_address(url)


def test_plain_http_to_others_must_be_asked_for() -> None:
    check_address("http://10.0.0.1/", allow_http=True)


def test_the_environment_lends_neither_proxies_nor_credentials(
    server: ScriptedServer, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted_server() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        session.transport.get(server.url)
        assert proxy.asked == []
    assert server.asked[0].headers["authorization"] == "Bearer secret-token"


def test_names_and_passwords_travel_as_utf_8(server: ScriptedServer) -> None:
    Transport(Login(username="aa.\u00fc", password="\u20ac1")).get(server.url)
    scheme, _, value = server.asked[0].headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", "aa.\u00fc:\u20ac1")


@pytest.mark.parametrize(
    "login",
    [
        Login(),
        Login(username="aa"),
        Login(password="x"),
        Login(token="two\nlines"),
        Login(token="\u20ac"),
        Login(certificate=("missing.pem", "missing.key")),
    ],
    ids=["nothing", "no-password", "no-name", "lines", "not-ascii", "no-files"],
)
def test_an_incomplete_credential_is_refused_before_anything_is_sent(login: Login) -> None:
    with pytest.raises(ConfigError):
        Transport(login)


def test_a_missing_authority_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Transport(Login(token="x"), ca_file=str(tmp_path / "missing.pem"))


def test_a_server_without_proper_tls_is_said_at_once(server: ScriptedServer, session: Session) -> None:
    with pytest.raises(RemoteError, match="no secure connection"):
        session.transport.get(server.url.replace("http://", "https://"))
    assert session.waited == []
