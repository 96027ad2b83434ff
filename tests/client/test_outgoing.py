"""Sessions with hosts that need not be well-meant: where they go, what they carry there, what they ask again."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import requests
from requests.auth import AuthBase

from hub.client.login import Login
from hub.client.outgoing import IDEMPOTENT, guarded_session, unrepeated
from hub.client.remote import RemoteError
from hub.errors import ConfigError
from tests.acceptance.certificates import Authority, Certificate
from tests.client.raw_server import raw_server, says
from tests.client.scripted_server import Reply, ScriptedServer, scripted_server

OK = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Names:
    """A resolver that gives one list of addresses after the other, the last for ever, and counts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def waited() -> list[float]:
    """What a session would have waited."""
    return []


@pytest.fixture
def session(server: ScriptedServer, waited: list[float]) -> requests.Session:
    """A session with the scripted server."""
    return guarded_session(base=server.url, allow_private=True, sleep=waited.append, timeout=10)


def test_it_is_a_session_like_any_other(server: ScriptedServer, session: requests.Session) -> None:
    server.replies(Reply(200, b'{"a": [1, 2]}', {"X-Thing": "yes"}))
    answer = session.get(server.url)
    assert (answer.status_code, answer.headers["x-thing"], answer.json()) == (200, "yes", {"a": [1, 2]})
    assert answer.content == answer.text.encode() == b"".join(answer.iter_content(3)) == b'{"a": [1, 2]}'
    streamed = session.get(server.url, stream=True)
    assert list(streamed.iter_lines()) == [b'{"a": [1, 2]}']


@pytest.mark.parametrize("status", [201, 204, 304, 400, 401, 404, 413, 422, 501])
def test_what_is_no_redirect_and_no_hiccup_is_for_the_caller(
    server: ScriptedServer, session: requests.Session, status: int, waited: list[float]
) -> None:
    server.replies(Reply(status, b""))
    assert session.get(server.url).status_code == status
    assert (len(server.asked), waited) == (1, [])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["10.1.2.3"],
        ["::ffff:127.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
    ],
    ids=["loopback", "loopback-6", "metadata", "private", "mapped", "one-of-two"],
)
def test_a_name_that_leads_inside_is_refused_before_anything_is_connected(
    server: ScriptedServer, addresses: list[str]
) -> None:
    url = server.url.replace("127.0.0.1", "feed.example")
    session = guarded_session(base=url, allow_http=True, resolver=Names(addresses))
    with pytest.raises(RemoteError, match=r"feed\.example leads to a private or special address.*allow private"):
        session.get(url)
    assert server.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "127.1"])
def test_an_address_in_the_url_is_looked_at_like_a_name(server: ScriptedServer, host: str) -> None:
    url = server.url.replace("127.0.0.1", host)
    with pytest.raises(RemoteError, match="private or special"):
        guarded_session(base=url, allow_http=True).get(url)
    assert server.asked == []


def test_a_second_answer_of_the_resolver_is_not_asked_for() -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    with raw_server(OK) as server:
        url = f"http://feed.example:{server.port}/"
        session = guarded_session(base=url, allow_private=True, resolver=names)
        assert [session.get(url).text for _ in range(3)] == ["ok"] * 3
        assert names.asked == ["feed.example"]
        assert all(f"Host: feed.example:{server.port}".encode() in head for head in server.heads)


def test_a_host_that_moves_inside_after_the_first_look_is_refused(
    server: ScriptedServer, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address is public and dead, the second would be this machine: DNS rebinding."""

    def nobody(*_: object) -> socket.socket:
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", nobody)
    url = server.url.replace("127.0.0.1", "feed.example")
    names = Names(["1.1.1.1"], ["127.0.0.1"])
    session = guarded_session(base=url, allow_http=True, resolver=names, sleep=waited.append)
    with pytest.raises(RemoteError, match="private or special"):
        session.get(url)
    assert (len(names.asked), len(waited), server.asked) == (2, 1, [])


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with raw_server(OK) as server:
        url = f"http://feed.example:{server.port}/"
        names = Names(["127.0.0.77", "127.0.0.1"])
        assert guarded_session(base=url, allow_private=True, resolver=names).get(url).text == "ok"


def test_plain_http_stays_on_this_machine_whatever_the_name_says() -> None:
    names = Names(["10.0.0.1"])
    with pytest.raises(RemoteError, match="plain http to localhost would be read by others"):
        guarded_session(base="http://localhost/", allow_private=True, resolver=names).get("http://localhost/")


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    with pytest.raises(ConfigError, match="use https"):
        guarded_session(base="http://feed.example/")
    guarded_session(base="http://feed.example/", allow_http=True)


@pytest.mark.parametrize(
    "login",
    [Login(token="t0k"), Login(username="aa", password="t0k"), Login(api_key=("X-Api-Key", "t0k"))],
    ids=["bearer", "basic", "api-key"],
)
def test_a_credential_goes_to_its_own_host_only(server: ScriptedServer, login: Login) -> None:
    session = guarded_session(base=server.url, login=login, allow_private=True)
    session.get(server.url)
    sent = server.asked[0].headers
    assert "t0k" in sent.get("x-api-key", "") or sent["authorization"].partition(" ")[2]
    with scripted_server() as other:
        for url in (other.url, server.url.replace("http://", "https://"), server.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(RemoteError, match="another host"):
                session.get(url)
        assert other.asked == []


@pytest.mark.parametrize("key", [("X-Key", "two\nlines"), ("", "x"), ("X-Key", ""), ("X-Key", "€")])
def test_an_api_key_is_one_line_in_a_header(key: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match="API key"):
        Login(api_key=key).auth()


def test_cookies_are_not_kept(server: ScriptedServer, session: requests.Session) -> None:
    server.replies(Reply(200, b"", {"Set-Cookie": "who=me"}))
    session.get(server.url)
    session.get(server.url)
    assert "cookie" not in server.asked[1].headers


def test_the_check_of_certificates_cannot_be_switched_off(server: ScriptedServer, session: requests.Session) -> None:
    with pytest.raises(ConfigError, match="always checked"):
        session.get(server.url, verify=False)
    session.verify = False
    with pytest.raises(ConfigError, match="always checked"):
        session.get(server.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error(server: ScriptedServer, session: requests.Session, status: int) -> None:
    with scripted_server() as elsewhere:
        server.replies(Reply(status, headers={"Location": elsewhere.url}))
        with pytest.raises(RemoteError, match="it redirects"):
            session.get(server.url)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("method", "status", "asked"),
    [
        ("GET", 503, 3),
        ("PUT", 502, 3),
        ("DELETE", 504, 3),
        ("POST", 503, 1),
        ("POST", 500, 1),
        ("POST", 429, 3),
        ("POST", 425, 3),
    ],
)
def test_a_method_is_repeated_when_that_is_safe(
    server: ScriptedServer, waited: list[float], method: str, status: int, asked: int
) -> None:
    server.replies(Reply(status, headers={"Retry-After": "9"}))
    session = guarded_session(base=server.url, allow_private=True, sleep=waited.append, attempts=3)
    assert session.request(method, server.url, data=b"x").status_code == status
    assert len(server.asked) == asked
    assert waited == [9] * (asked - 1)


@pytest.mark.parametrize(
    ("repeated", "asked"), [(IDEMPOTENT, 1), (IDEMPOTENT | {"POST"}, 2)], ids=["by-rule", "by-wish"]
)
def test_a_post_whose_answer_was_lost_is_repeated_only_by_wish(
    server: ScriptedServer, waited: list[float], repeated: frozenset[str], asked: int
) -> None:
    server.replies(Reply(202, b"{", cut=True), Reply(202))
    session = guarded_session(base=server.url, allow_private=True, sleep=waited.append, repeated=repeated)
    if asked == 1:
        with pytest.raises(RemoteError, match="no answer"):
            session.post(server.url, data=b"x")
    else:
        assert session.post(server.url, data=b"x").ok
    assert len(server.asked) == asked


def test_a_get_that_uses_something_up_is_not_repeated(
    server: ScriptedServer, session: requests.Session, waited: list[float]
) -> None:
    server.replies(Reply(200, b"{", cut=True), Reply(503), Reply(503), Reply(200))
    with unrepeated():
        with pytest.raises(RemoteError, match="no answer"):
            session.get(server.url)
        assert session.get(server.url).status_code == 503
    assert waited == []
    assert session.get(server.url).status_code == 200


def test_a_post_that_never_left_is_tried_again(waited: list[float]) -> None:
    with scripted_server() as server:
        url = server.url
    session = guarded_session(base=url, allow_private=True, sleep=waited.append, attempts=3)
    with pytest.raises(RemoteError, match="no answer"):
        session.post(url, data=b"x")
    assert len(waited) == 2


def test_the_name_is_what_tls_is_checked_against(tmp_path: Path, waited: list[float]) -> None:
    authority = Authority(tmp_path)
    context = _tls(authority.server("feed.example"), [])
    with raw_server(OK, tls=context) as server:

        def fetched(name: str, ca_file: str | None) -> str:
            url = f"https://{name}:{server.port}/"
            session = guarded_session(base=url, allow_private=True, ca_file=ca_file, resolver=Names(["127.0.0.1"]))
            return session.get(url).text

        assert fetched("feed.example", str(authority.file)) == "ok"
        for name, ca_file in (("other.example", str(authority.file)), ("feed.example", None)):
            with pytest.raises(RemoteError, match="no secure connection"):
                fetched(name, ca_file)


def test_a_client_certificate_and_the_servers_name_go_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    names: list[str | None] = []
    context = _tls(authority.server("feed.example"), names)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    own = authority.client("aa")
    with raw_server(OK, tls=context) as server:
        url = f"https://feed.example:{server.port}/"
        login = Login(certificate=(str(own.certificate), str(own.key)))
        session = guarded_session(
            base=url, login=login, allow_private=True, ca_file=str(authority.file), resolver=Names(["127.0.0.1"])
        )
        assert session.get(url).text == "ok"
    assert names == ["feed.example"]


def _tls(certificate: Certificate, names: list[str | None]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    remember: Callable[..., None] = lambda _, name, __: names.append(name)  # noqa: E731 - one line is clearer
    context.sni_callback = remember
    return context


def test_files_that_are_missing_are_said_at_once(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    with pytest.raises(ConfigError, match="cannot be read"):
        guarded_session(base="https://feed.example/", ca_file=missing)
    with pytest.raises(ConfigError, match="cannot be read"):
        guarded_session(base="https://feed.example/", certificate=(missing, missing))


def test_the_credential_of_a_session_is_what_requests_knows(server: ScriptedServer) -> None:
    auth = guarded_session(base=server.url, login=Login(token="x"), allow_private=True).auth
    assert isinstance(auth, AuthBase)
