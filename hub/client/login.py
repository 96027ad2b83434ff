"""How we prove to the other side who we are."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from hub.errors import ConfigError


class BearerAuth(AuthBase):
    """RFC 6750 in the Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class HeaderAuth(AuthBase):
    """An API key in a header of the server's own choosing."""

    def __init__(self, name: str, key: str) -> None:
        self._name, self._key = name, key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers[self._name] = self._key
        return request


@dataclass(frozen=True, slots=True)
class Login:
    """How to prove who we are: a token, or a user name and password, or an API key, or a client certificate (or both).

    :param api_key: the name of the header, and what goes into it.
    """

    token: str | None = None
    username: str | None = None
    password: str | None = None
    certificate: tuple[str, str] | None = None  # PEM files: certificate, key
    api_key: tuple[str, str] | None = None

    def auth(self) -> AuthBase | None:
        """Return what puts the credential into a request. Raises ConfigError when it is incomplete."""
        if self.token:
            if not _one_line(self.token):
                raise ConfigError("a token is one line of ASCII; is this the right file?", field="token")
            return BearerAuth(self.token)
        if self.api_key is not None:
            if not all(part and _one_line(part) for part in self.api_key):
                raise ConfigError("an API key and its header are one line of ASCII each", field="api_key")
            return HeaderAuth(*self.api_key)
        if self.username and self.password:
            return HTTPBasicAuth(self.username.encode(), self.password.encode())  # RFC 7617 §2.1: UTF-8
        if self.username or self.password:
            raise ConfigError("a user name and a password go together", field="username")
        if self.certificate is None:
            raise ConfigError("give --token-file, or --username with --password-file, or --certificate")
        return None


def _one_line(text: str) -> bool:
    return text.isascii() and text.isprintable()
