"""The gateway on its own: whom it answers, what it reaches, what it signs, and what it never passes on."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from hub.client import gateway as module
from hub.client import keyfile
from hub.client.gateway import Gateway, Voucher
from hub.client.transport import Login
from hub.domain import limits
from hub.domain.key_material import ML_DSA_65
from tests.domain.signing import AUTHOR, DOMAIN, INDICATOR, OTHER, OTHER_KEY, inline

PASSWORD = "a long password"


class Upstream:
    """Stands in for the session with the hub, and remembers what it was asked."""

    def __init__(self, status: int = 202, headers: Mapping[str, str] | None = None, body: bytes = b"{}") -> None:
        self.asked: list[dict[str, Any]] = []
        self._status, self._headers, self._body = status, dict(headers or {}), body

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        self.asked.append({"method": method, "url": url, **more})
        response = requests.Response()
        response.status_code, response.reason, response.raw = self._status, "Answered", io.BytesIO(self._body)
        response.headers.update(self._headers)
        return response


def make(upstream: Upstream, credential: tuple[str, str] | None = None, **voucher: Any) -> Gateway:
    made = Gateway(
        "https://hub.example/alpha/",
        Login(token="t" * 40),
        Voucher(OTHER_KEY, OTHER, frozenset({AUTHOR}), **voucher),
        hosts=frozenset({"127.0.0.1"}),
        credential=credential,
    )
    made._session = upstream  # type: ignore[assignment] # in place of the network
    return made


def ask(made: Gateway, method: str = "GET", path: str = "/alpha/", body: bytes = b"", **more: str) -> tuple[str, Any]:
    answered: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_HOST": "127.0.0.1:8090",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }
    pieces = b"".join(made(environ, lambda status, headers: answered.append((status, dict(headers)))))
    status, headers = answered[0]
    return status, {"headers": headers, "body": pieces}


def posted(made: Gateway, upstream: Upstream, *objects: Any) -> list[Any]:
    body = json.dumps({"objects": list(objects)}).encode()
    ask(made, "POST", "/alpha/collections/x/objects/", body)
    sent: list[Any] = json.loads(upstream.asked[-1]["data"])["objects"]
    return sent


def test_what_has_no_signature_gets_one_beside_it_and_stays_as_it_was() -> None:
    upstream = Upstream()
    sent = posted(make(upstream), upstream, dict(INDICATOR), dict(DOMAIN))
    assert [one["type"] for one in sent] == ["indicator", "jss-signature", "domain-name", "jss-signature"]
    assert sent[0] == INDICATOR
    assert {one["created_by_ref"] for one in sent[1::2]} == {OTHER}


def test_two_keys_sign_twice_and_a_repeated_request_is_the_same_again() -> None:
    upstream = Upstream()
    made = make(upstream, second=keyfile.generate(ML_DSA_65))
    first = posted(made, upstream, dict(INDICATOR))
    assert [one["signature"]["algorithm"] for one in first[1:]] == ["Ed25519", "ML-DSA-65"]
    assert posted(made, upstream, dict(INDICATOR)) == first


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param(inline(), id="signed inline"),
        pytest.param({**INDICATOR, "created_by_ref": OTHER}, id="of an author it does not vouch for"),
        pytest.param({"id": 5, "type": "indicator"}, id="no object"),
        pytest.param("text", id="text"),
        pytest.param({**INDICATOR, "object_marking_refs": 7}, id="markings that are no list"),
    ],
)
def test_everything_else_goes_on_as_it_came(obj: Any) -> None:
    upstream = Upstream()
    assert posted(make(upstream), upstream, obj) == [obj]


def test_a_body_that_is_no_envelope_goes_on_as_it_came() -> None:
    for body in (b"{", b"[]", b'{"objects": 5}', b'{"a": 1, "a": 2}'):
        upstream = Upstream()
        ask(make(upstream), "POST", "/alpha/collections/x/objects/", body)
        assert upstream.asked[-1]["data"] == body


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/bravo/",
        "/alpha",
        "/api/v1/peers",
        "/alpha/../bravo/",
        "/alpha//x/",
        "/alpha/./",
        "/alpha/\\x",
        "/alpha/\r\n",
    ],
)
def test_nothing_but_one_api_root_is_reached(path: str) -> None:
    upstream = Upstream()
    assert ask(make(upstream), path=path)[0].startswith("404")
    assert upstream.asked == []


def test_a_question_mark_in_a_path_does_not_become_a_query() -> None:
    upstream = Upstream(200)
    ask(make(upstream), path="/alpha/collections/a?b#c/", QUERY_STRING="limit=1")
    assert upstream.asked[0]["url"] == "https://hub.example/alpha/collections/a%3Fb%23c/?limit=1"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"HTTP_HOST": "evil.example"}, "421"),
        ({"REQUEST_METHOD": "PUT"}, "405"),
        ({"QUERY_STRING": "a=b\r\nX: y"}, "400"),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(limits.MAX_CONTENT_LENGTH + 1)}, "413"),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "-1"}, "400"),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9" * 5000}, "413"),
    ],
    ids=["host", "method", "query", "length", "negative", "digits"],
)
def test_what_is_wrong_is_answered_by_the_gateway(more: dict[str, str], status: str) -> None:
    upstream = Upstream()
    assert ask(make(upstream), **more)[0].startswith(status)
    assert upstream.asked == []


def test_no_credential_and_no_hop_by_hop_header_passes_in_either_direction() -> None:
    upstream = Upstream(200, {"Content-Type": "a/b", "Set-Cookie": "s=1", "Connection": "close", "Location": "/x"})
    _, answer = ask(
        make(upstream), HTTP_ACCEPT="a/b", HTTP_AUTHORIZATION="Basic eA==", HTTP_COOKIE="c", HTTP_CONNECTION="x",
        HTTP_CLIENT_CERT="forged", HTTP_X_FORWARDED_FOR="1.2.3.4",
    )  # fmt: skip
    assert upstream.asked[0]["headers"] == {"Accept": "a/b"}
    assert upstream.asked[0]["allow_redirects"] is False
    assert answer["headers"] == {"Content-Type": "a/b", "Content-Length": "2"}


def test_a_header_that_would_begin_another_one_is_dropped() -> None:
    upstream = Upstream(200)
    ask(make(upstream), HTTP_ACCEPT="a/b\r\nAuthorization: x")
    assert upstream.asked[0]["headers"] == {}


@pytest.mark.parametrize("status", [301, 307, 401])
def test_what_only_the_operator_of_the_gateway_can_mend_is_a_bad_gateway(status: int) -> None:
    answered, answer = ask(make(Upstream(status, {"WWW-Authenticate": "Basic", "Location": "https://evil.example/"})))
    assert answered.startswith("502")
    assert set(answer["headers"]) == {"Content-Type", "Content-Length"}


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER", 1000)
    assert ask(make(Upstream(200, body=b"x" * 1001)))[0].startswith("502")


@pytest.mark.parametrize(
    ("given", "status"),
    [(f"gw:{PASSWORD}", "200"), ("gw:wrong", "401"), ("", "401"), (f"GW:{PASSWORD}", "401")],
    ids=["right", "wrong", "none", "another-name"],
)
def test_where_it_has_a_login_of_its_own_that_is_asked_for(given: str, status: str) -> None:
    made = make(Upstream(200), credential=("gw", PASSWORD))
    more = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(given.encode()).decode()} if given else {}
    assert ask(made, HTTP_HOST="gateway.example", **more)[0].startswith(status)
