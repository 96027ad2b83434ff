"""Who is calling is settled first, for every endpoint, and a 401 always says how to log in."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.web.taxii.world import DER, OBJECTS, PROXY, TAXII, TOKEN, UNKNOWN_UUID, Answer, Client, World

ENDPOINTS = [
    ("GET", "/taxii2/"),
    ("GET", "/alpha/"),
    ("GET", "/nowhere/"),
    ("GET", f"/alpha/status/{UNKNOWN_UUID}/"),
    ("GET", "/alpha/collections/"),
    ("GET", "/alpha/collections/indicators/"),
    ("GET", "/alpha/collections/nowhere/"),
    ("GET", "/alpha/collections/indicators/manifest/"),
    ("GET", "/alpha/collections/indicators/objects/"),
    ("POST", "/alpha/collections/indicators/objects/"),
    ("GET", f"/alpha/collections/indicators/objects/tool--{UNKNOWN_UUID}/"),
    ("DELETE", f"/alpha/collections/indicators/objects/tool--{UNKNOWN_UUID}/"),
    ("GET", f"/alpha/collections/indicators/objects/tool--{UNKNOWN_UUID}/versions/"),
]
CHALLENGES = ['Basic realm="cybex", charset="UTF-8"', 'Bearer realm="cybex"']
CERTIFICATE = f":{base64.b64encode(DER).decode()}:"


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def assert_challenged(answer: Answer) -> None:
    assert answer.status == 401
    assert answer.headers.getlist("WWW-Authenticate") == CHALLENGES
    assert answer.json["error_code"] == "unauthenticated"


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_without_a_credential_every_endpoint_answers_401_with_two_challenges(
    idle: World, method: str, path: str
) -> None:
    assert_challenged(idle.stranger.call(method, path))


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_wrong_password_answers_401_everywhere(idle: World, method: str, path: str) -> None:
    assert_challenged(idle.stranger.using(Authorization=basic("aa", "wrong")).call(method, path))


def test_a_stranger_learns_nothing_from_a_bad_request(idle: World) -> None:
    stranger = idle.stranger
    answers = [
        stranger.post(OBJECTS, b"{not json"),
        stranger.post(OBJECTS, b"x", Content_Type="text/plain", Accept="text/html"),
        stranger.get(OBJECTS + "?limit=0&added_after=garbage"),
        stranger.get("/nowhere/collections/x/objects/?next=x", Accept="text/html"),
    ]
    for answer in answers:
        assert_challenged(answer)
    texts = {(answer.json["title"], answer.json["description"]) for answer in answers}
    assert len(texts) == 1


@pytest.mark.parametrize(
    "authorization",
    [
        basic("aa", "secret of aa"),
        basic("aa", "secret of aa").replace("Basic", "basic"),
        basic("aa", "secret of aa").replace("Basic", "BASIC "),
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
        basic("token", TOKEN),
        basic("token-for-sentinel", TOKEN),
    ],
    ids=["basic", "lower case", "upper case", "bearer", "bearer lower case", "token as password", "any token user"],
)
def test_a_good_login_opens_discovery(idle: World, authorization: str) -> None:
    answer = idle.stranger.get("/taxii2/", Authorization=authorization)
    assert answer.status == 200
    assert answer.json["default"] == "https://hub.test/alpha/"


def test_basic_alone_is_enough_for_the_whole_protocol(caller: Client) -> None:
    assert [caller.get(path).status for method, path in ENDPOINTS if method == "GET" and "nowhere" not in path][:2] == [
        200,
        200,
    ]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Token abc",
        "Bearer ",
        "Bearer cybex_x_y",
        f"Bearer {TOKEN[:-1]}c",
        basic("nobody", "x"),
        basic("aa", ""),
        basic("aa", "secret of bb"),
        basic("", ""),
        basic("aa\0", "secret of aa"),
        basic("token", TOKEN[:-1] + "c"),
        "Basic " + "A" * 100_000,
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_a_bad_login_is_challenged(idle: World, authorization: str) -> None:
    assert_challenged(idle.stranger.get("/taxii2/", Authorization=authorization))


def test_every_bad_login_reads_the_same(idle: World) -> None:
    texts = {
        idle.stranger.get("/taxii2/", Authorization=header).json["description"]
        for header in (
            basic("nobody", "x"),
            basic("aa", "x"),
            f"Bearer {TOKEN[:-1]}c",
            basic("token", TOKEN[:-1] + "c"),
        )
    }
    assert len(texts) == 1


def test_a_certificate_logs_in_through_a_trusted_proxy(idle: World) -> None:
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(DER).decode()}\n-----END CERTIFICATE-----\n"
    for header in (CERTIFICATE, quote(pem)):
        client = Client(idle.app, {"Accept": TAXII, "Client-Cert": header}, remote=PROXY)
        assert client.get("/taxii2/").status == 200


def test_a_certificate_header_from_elsewhere_is_no_login(idle: World) -> None:
    assert_challenged(idle.stranger.get("/taxii2/", Client_Cert=CERTIFICATE))


def test_an_unknown_certificate_is_challenged(idle: World) -> None:
    client = Client(idle.app, {"Accept": TAXII, "Client-Cert": ":AAAA:"}, remote=PROXY)
    assert_challenged(client.get("/taxii2/"))


def test_a_missing_user_agent_is_no_reason_to_refuse(caller: Client) -> None:
    assert caller.get("/taxii2/", User_Agent=None).status == 200
    assert caller.get("/taxii2/", User_Agent="cyware.taxii2client").status == 200
