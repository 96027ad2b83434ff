"""What a request presents to prove who is calling: Authorization, or a client certificate from a trusted proxy."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from flask import g, has_request_context

from hub.domain.credentials import Basic, Bearer, Certificate, Presented
from hub.domain.membership import Caller
from hub.errors import Unauthenticated
from hub.services.authentication import authenticate
from hub.services.context import Hub
from hub.web.origin import TrustedProxies, remote_address

CHALLENGES: Final = ('Basic realm="cybex", charset="UTF-8"', 'Bearer realm="cybex"')
"""The `WWW-Authenticate` headers of every 401 (RFC 9110 §11.6.1; RFC 7617; RFC 6750)."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,4096}=*")
_BYTE_SEQUENCE: Final = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_PEM: Final = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*", re.ASCII)


def identify(environ: Mapping[str, Any], hub: Hub, trusted: TrustedProxies) -> Caller:
    """Return who is calling. Raises Unauthenticated when nothing is presented, or nothing that counts."""
    presented = present(environ, trusted)
    if presented is None:
        raise Unauthenticated("send a user name and password (Basic), a token (Bearer) or a client certificate")
    caller = authenticate(hub, presented, remote=remote_address(environ, trusted))
    if has_request_context():
        g.caller = caller  # for the line in the log
    return caller


def present(environ: Mapping[str, Any], trusted: TrustedProxies) -> Presented | None:
    """Return the one credential of a request, unchecked; None when there is none.

    Authorization wins over a certificate, because it is what the client chose for this request.

    Raises:
        Unauthenticated: a credential is there but has no form the hub knows.
    """
    authorization = environ.get("HTTP_AUTHORIZATION")
    if authorization is not None:
        return _authorization(str(authorization))
    certificate = environ.get("HTTP_CLIENT_CERT")
    if certificate is not None and environ.get("REMOTE_ADDR") in trusted:
        return _certificate(str(certificate))
    return None


def _authorization(header: str) -> Presented:
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        return _basic(value)
    if scheme.lower() == "bearer" and _TOKEN.fullmatch(value):
        return Bearer(value)
    raise Unauthenticated("the Authorization header must have the form of Basic (RFC 7617) or Bearer (RFC 6750)")


def _basic(value: str) -> Basic:
    try:
        text = base64.b64decode(value.encode("ascii"), validate=True).decode("utf-8")
    except ValueError:
        raise _malformed_basic() from None
    username, colon, password = text.partition(":")
    if not colon or not text.isprintable():
        raise _malformed_basic()
    return Basic(username, password)


def _malformed_basic() -> Unauthenticated:
    return Unauthenticated("Basic credentials must be base64 of user name, colon and password in UTF-8 (RFC 7617)")


def _certificate(header: str) -> Certificate | None:
    """Read ``:base64 of DER:`` (RFC 9440 §2.1), or the escaped PEM that nginx makes; empty is no certificate."""
    text = header.strip()
    if text in ("", "::"):
        return None
    match = _BYTE_SEQUENCE.fullmatch(text) or _PEM.fullmatch(unquote(text))
    if match is not None:
        try:
            der = base64.b64decode("".join(match[1].split()), validate=True)
        except binascii.Error:
            der = b""
        if der:
            return Certificate(hashlib.sha256(der).hexdigest())
    raise Unauthenticated(
        "the proxy in front of the hub must send Client-Cert as RFC 9440 §2.1 says, or as escaped PEM"
    )
