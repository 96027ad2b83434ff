"""What a request presents: Basic, Bearer, or a client certificate from a proxy that is trusted."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.credentials import Basic, Bearer, Certificate
from hub.errors import Unauthenticated
from hub.web.credentials import present
from hub.web.origin import TrustedProxies

PROXY = "10.0.0.1"
TRUSTED = TrustedProxies(["10.0.0.0/24", "::1/128"])
DER = b"0\x82\x01\x0a certificate"
B64 = base64.b64encode(DER).decode()
PEM = f"-----BEGIN CERTIFICATE-----\n{B64[:10]}\n{B64[10:]}\n-----END CERTIFICATE-----\n"
CERTIFICATE = Certificate(hashlib.sha256(DER).hexdigest())


def basic(text: str | bytes) -> str:
    octets = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(octets).decode()


@pytest.mark.parametrize(
    ("header", "presented"),
    [
        (f"Basic {basic('aa:secret')}", Basic("aa", "secret")),
        (f"basic {basic('aa:secret')}", Basic("aa", "secret")),
        (f"BASIC   {basic('aa:se:cr:et')} ", Basic("aa", "se:cr:et")),
        (f"Basic {basic('aa:')}", Basic("aa", "")),
        (f"Basic {basic(':pw')}", Basic("", "pw")),
        (f"Basic {basic('ä:ö')}", Basic("ä", "ö")),
        ("Bearer cybex_abc_def", Bearer("cybex_abc_def")),
        ("bearer  cybex_abc_def", Bearer("cybex_abc_def")),
    ],
)
def test_authorization_is_read_whatever_its_case(header: str, presented: object) -> None:
    assert present({"HTTP_AUTHORIZATION": header}, TRUSTED) == presented


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YQ",
        f"Basic {basic('no colon')}",
        f"Basic {basic(b'a:' + bytes([0xFF]))}",
        f"Basic {basic('a:b' + chr(0))}",
        f"Basic {basic('a:b')}, Basic {basic('c:d')}",
        "Basic é",
        "Bearer",
        "Bearer two words",
        "Bearer é",
        "Token abc",
        "Digest username=x",
        "Negotiate abc",
    ],
)
def test_a_malformed_credential_is_refused_even_beside_a_certificate(header: str) -> None:
    environ = {"HTTP_AUTHORIZATION": header, "HTTP_CLIENT_CERT": f":{B64}:", "REMOTE_ADDR": PROXY}
    with pytest.raises(Unauthenticated):
        present(environ, TRUSTED)


def test_nothing_presented_is_nothing() -> None:
    assert present({}, TRUSTED) is None


@pytest.mark.parametrize(
    "header", [f":{B64}:", PEM, quote(PEM), quote(PEM, safe="")], ids=["9440", "pem", "esc", "all"]
)
@pytest.mark.parametrize("remote", [PROXY, "::1", "::ffff:10.0.0.7"])
def test_a_certificate_counts_from_a_trusted_proxy(header: str, remote: str) -> None:
    assert present({"HTTP_CLIENT_CERT": header, "REMOTE_ADDR": remote}, TRUSTED) == CERTIFICATE


@pytest.mark.parametrize("remote", ["10.0.1.1", "127.0.0.1", "", "unix", "10.0.0.1.evil"])
def test_a_certificate_header_from_anybody_else_is_no_credential(remote: str) -> None:
    assert present({"HTTP_CLIENT_CERT": f":{B64}:", "REMOTE_ADDR": remote}, TRUSTED) is None


def test_an_empty_list_of_proxies_trusts_nobody() -> None:
    environ = {"HTTP_CLIENT_CERT": f":{B64}:", "REMOTE_ADDR": "127.0.0.1"}
    assert present(environ, TrustedProxies([])) is None


@pytest.mark.parametrize("header", ["", "::", " :: "])
def test_an_empty_certificate_is_absent(header: str) -> None:
    assert present({"HTTP_CLIENT_CERT": header, "REMOTE_ADDR": PROXY}, TRUSTED) is None


@pytest.mark.parametrize("header", [B64, f":{B64}:, :{B64}:", ":!:", ":A:", "%ff", "-----BEGIN CERTIFICATE-----"])
def test_a_malformed_certificate_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        present({"HTTP_CLIENT_CERT": header, "REMOTE_ADDR": PROXY}, TRUSTED)


@given(st.text(max_size=200), st.sampled_from(["HTTP_AUTHORIZATION", "HTTP_CLIENT_CERT"]))
def test_any_header_is_a_credential_nothing_or_unauthenticated(header: str, name: str) -> None:
    try:
        present({name: header, "REMOTE_ADDR": PROXY}, TRUSTED)
    except Unauthenticated:
        return
