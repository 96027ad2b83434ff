"""The calls that one hub makes to another: hand a batch over, and ask for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson
import requests
import zstandard

from hub.client.login import Login
from hub.client.outgoing import guarded_session
from hub.client.remote import RemoteError, refusal
from hub.domain.canonical import Json, parse
from hub.errors import MalformedJson

PUSH: Final = "api/v1/relay/push"
PULL: Final = "api/v1/relay/batch"
REPORTS: Final = "api/v1/relay/reports"
JSON: Final = "application/json"
_COMPRESSED_FROM: Final = 512
"""Octets: what is shorter fits into one packet anyway."""


class OutOfStep(RemoteError):
    """The other hub lacks something between. :param position: where it wants to go on."""

    code = "out-of-step"
    title = "The other hub lacks something between"

    def __init__(self, position: str) -> None:
        super().__init__("the other hub has been set back: going on from where it is", http_status=409)
        self.position = position


@dataclass(slots=True)
class PartnerHub:
    """Another hub as this one calls it. ``sent`` and ``received`` count octets of bodies as they went over the wire.

    :param session: from `hub.client.outgoing.guarded_session`, with this hub's credential there.
    :param url: base of the other hub, ending in ``/``.
    """

    session: requests.Session
    url: str
    sent: int = 0
    received: int = 0

    def push(self, octets: bytes) -> Mapping[str, Any]:
        """Hand a batch over; return the other hub's answer. Raises RemoteError, OutOfStep."""
        response = self._post(PUSH, octets)
        body = _object(response)
        if response.status_code == 409 and isinstance(body.get("position"), str):
            raise OutOfStep(str(body["position"]))
        if response.status_code != 200:
            raise RemoteError(refusal(response.status_code, response.content), http_status=response.status_code)
        return body

    def pull(self, positions: Mapping[str, str], *, wait: int, max_bytes: int) -> bytes | None:
        """Ask for the next batch; return its octets, None when there is nothing. Raises RemoteError.

        :param positions: by ``group/alias``. :param wait: seconds that the other hub may wait for news (RFC 7240 §4.3).
        """
        reached = ",".join(f"{lane}:{position}" for lane, position in sorted(positions.items()))
        headers = {"Accept": JSON} | ({"Prefer": f"wait={wait}"} if wait else {})
        try:
            response = self.session.get(
                self.url + PULL,
                params={"positions": reached, "max_bytes": str(max_bytes)},
                headers=headers,
                timeout=wait + 30.0,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise RemoteError(f"the request cannot be made: {type(error).__name__}; check the address") from None
        self._count(response)
        if response.status_code == 204:
            return None
        if response.status_code != 200:
            raise RemoteError(refusal(response.status_code, response.content), http_status=response.status_code)
        return response.content

    def report(
        self,
        *,
        answers: Sequence[Mapping[str, Any]] = (),
        reaches: Sequence[Mapping[str, Any]] = (),
        introduced: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Say what became of batches that were fetched, of withdrawals, and of introductions. Raises RemoteError."""
        body = {"answers": list(answers), "reaches": list(reaches), "introduced": dict(introduced)}
        response = self._post(REPORTS, orjson.dumps(body))
        if response.status_code != 204:
            raise RemoteError(refusal(response.status_code, response.content), http_status=response.status_code)

    def _count(self, response: requests.Response) -> None:
        length = response.headers.get("Content-Length", "")
        self.received += int(length) if length.isdecimal() else len(response.content)

    def _post(self, path: str, octets: bytes) -> requests.Response:
        headers = {"Content-Type": JSON, "Accept": JSON}
        if len(octets) >= _COMPRESSED_FROM:
            octets = zstandard.ZstdCompressor(level=6).compress(octets)
            headers["Content-Encoding"] = "zstd"
        self.sent += len(octets)
        try:
            response = self.session.post(self.url + path, data=octets, headers=headers, allow_redirects=False)
        except requests.RequestException as error:
            raise RemoteError(f"the request cannot be made: {type(error).__name__}; check the address") from None
        self._count(response)
        return response


def partner_at(url: str, *, token: str, allow_private: bool, ca_file: str | None = None) -> PartnerHub:
    """Return the hub at a base URL. Raises ConfigError when the address or the token is not usable."""
    base = url if url.endswith("/") else url + "/"
    session = guarded_session(
        base=base, login=Login(token=token), allow_private=allow_private, ca_file=ca_file, attempts=1
    )
    return PartnerHub(session, base)


def _object(response: requests.Response) -> dict[str, Json]:
    try:
        body = parse(response.content) if response.content else None
    except MalformedJson:
        body = None
    if isinstance(body, dict):
        return body
    if response.status_code != 200:
        return {}
    raise RemoteError("the answer is no JSON object; is that a CYBEX hub?")
