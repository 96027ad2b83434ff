"""Where a request comes from: only a trusted proxy's headers change the answer."""

from __future__ import annotations

import pytest

from hub.errors import InvalidRequest
from hub.web.origin import TrustedProxies, base_url, remote_address

TRUSTED = TrustedProxies(["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_not_a_trusted_proxy(remote: str, forwarded: str, client: str) -> None:
    assert remote_address({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}, TRUSTED) == client


def test_a_configured_url_wins_and_ends_in_a_slash() -> None:
    assert base_url({"HTTP_HOST": "evil"}, TRUSTED, "https://hub.example") == "https://hub.example/"
    assert base_url({"HTTP_HOST": "evil"}, TRUSTED, "https://hub.example/") == "https://hub.example/"


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"HTTP_HOST": "hub.example"}, "http://hub.example/"),
        ({"HTTP_HOST": "HUB.example:8443", "wsgi.url_scheme": "https"}, "https://hub.example:8443/"),
        ({"HTTP_HOST": "[::1]:80"}, "http://[::1]:80/"),
        ({"SERVER_NAME": "localhost", "SERVER_PORT": "80"}, "http://localhost:80/"),
        ({"HTTP_HOST": "h", "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "1.2.3.4"}, "http://h/"),
        ({"HTTP_HOST": "h", "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "10.1.1.1"}, "https://h/"),
        ({"HTTP_HOST": "h", "HTTP_X_FORWARDED_PROTO": "gopher", "REMOTE_ADDR": "10.1.1.1"}, "http://h/"),
        ({"HTTP_HOST": "h", "HTTP_X_FORWARDED_HOST": "out", "REMOTE_ADDR": "10.1.1.1"}, "http://out/"),
        ({"HTTP_HOST": "h", "HTTP_X_FORWARDED_HOST": "out", "REMOTE_ADDR": "1.2.3.4"}, "http://h/"),
    ],
)
def test_without_one_it_is_where_the_request_went(environ: dict[str, str], url: str) -> None:
    assert base_url(environ, TRUSTED, None) == url


@pytest.mark.parametrize("host", ["a b", 'x"y', "user@host", "host/path", "h:port", "<script>"])
def test_a_host_that_is_no_host_is_refused_and_not_repeated(host: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        base_url({"HTTP_HOST": host}, TRUSTED, None)
    assert host not in str(refusal.value)
