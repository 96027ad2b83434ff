"""`taxii2-client` on our own session: its requests and addresses, our time limits, bounds and reading of answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin

import requests
from taxii2client.common import _HTTPConnection  # type: ignore[import-untyped] # it has no types
from taxii2client.v21 import ApiRoot, Collection  # type: ignore[import-untyped] # it has no types

from connectors.sdk.kind import ConnectorError
from connectors.taxii.mapping import read_answer
from hub.client.remote import RemoteError, refusal
from hub.client.transport import TAXII
from hub.domain.canonical import Json
from hub.domain.taxii_time import parse_timestamp
from hub.errors import MalformedJson

USER_AGENT: Final = "cybex/0.1 (taxii2-client)"
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class StrictConnection(_HTTPConnection):  # type: ignore[misc] # the library's classes have no types
    """A connection that gives the library I-JSON only, and keeps what it throws away.

    It does not insist on the version in an answer's Content-Type, which many servers leave out: what is in the answer
    is looked at instead.

    :ivar headers: of the last answer. :ivar unreadable: objects that had to be left out of it.
    """

    def __init__(self, session: requests.Session) -> None:
        super().__init__(user_agent=USER_AGENT, version="2.1")
        self.session = session
        session.headers["User-Agent"] = USER_AGENT
        self.headers: Mapping[str, str] = {}
        self.unreadable = 0
        self._body: Json = None

    def get(self, url: str, headers: Any = None, params: Any = None) -> Json:
        """Return an answer. Raises RemoteError."""
        merged = self._merge_headers({"Accept": TAXII, **(headers or {})})
        return self._read(self._asked("GET", url, headers=merged, params=params))

    def post(self, url: str, headers: Any = None, params: Any = None, **content: Any) -> Json:
        """Return the answer to a POST. Raises RemoteError."""
        return self._read(self._asked("POST", url, headers=headers, params=params, **content))

    def delete(self, url: str, headers: Any = None, params: Any = None, **content: Any) -> None:
        """Delete; what the answer holds does not matter. Raises RemoteError."""
        self._asked("DELETE", url, headers=headers, params=params, **content)

    def _asked(self, method: str, url: str, **how: Any) -> requests.Response:
        try:
            answer: requests.Response = self.session.request(method, url, allow_redirects=False, **how)
        except requests.RequestException as error:
            raise RemoteError(f"the request cannot be made: {type(error).__name__}; check the address") from None
        if not 200 <= answer.status_code < 300:
            raise RemoteError(refusal(answer.status_code, answer.content), http_status=answer.status_code)
        return answer

    def _read(self, answer: requests.Response) -> Json:
        self.headers, self.unreadable, self._body = answer.headers, 0, None
        if answer.content.strip():
            try:
                self._body, self.unreadable = read_answer(answer.content)
            except MalformedJson as error:
                raise RemoteError(f"the answer is not I-JSON: {error.detail}; is this a TAXII 2.1 server?") from None
        return self._body

    def forget(self) -> None:
        """Have heard nothing."""
        self._body = None

    def heard(self) -> Json:
        """Return what the last answer said, also when the library found fault with it."""
        return self._body

    def date(self, name: str) -> int | None:
        """Return a TAXII date of the last answer's headers in microseconds; None when it is missing or no date."""
        try:
            return parse_timestamp(self.headers.get(name, ""))
        except ValueError:
            return None

    def clock(self) -> int | None:
        """Return the server's own time at the last answer in microseconds (RFC 9110 §6.6.1)."""
        try:
            return int(parsedate_to_datetime(self.headers.get("Date", "")).timestamp()) * 1_000_000
        except (TypeError, ValueError, OverflowError):
            return None


def api_root(connection: StrictConnection, discovery: str) -> str:
    """Return the API root that a discovery resource (§4.1) names: the default one, or the only one.

    Raises RemoteError, and ConnectorError when it has to be chosen.
    """
    answer = connection.get(discovery)
    found = answer.get("api_roots") if isinstance(answer, dict) else None
    default = answer.get("default") if isinstance(answer, dict) else None
    roots = [urljoin(discovery, root) for root in found if isinstance(root, str)] if isinstance(found, list) else []
    if isinstance(default, str) and default:
        return _with_slash(urljoin(discovery, default))
    if len(roots) == 1:
        return _with_slash(roots[0])
    if not roots:
        raise ConnectorError("the server's discovery names no API root for this credential; set api_root")
    raise ConnectorError("the server has several API roots and no default; set api_root instead of discovery")


def open_root(connection: StrictConnection, url: str) -> ApiRoot:
    """Return the library's view of an API root; nothing is asked yet."""
    return ApiRoot(_with_slash(url), conn=connection)


def open_collection(connection: StrictConnection, root: str, name: str) -> Collection:
    """Return a collection by id or alias, with its rights known.

    The library refuses a collection whose id is not in its address, so an alias is looked up.

    :raises RemoteError: the server fails. :raises ConnectorError: there is no such collection.
    """
    base = f"{_with_slash(root)}collections/"
    if _UUID.fullmatch(name.lower()):
        entry = connection.get(f"{base}{name}/")
    else:
        answer = connection.get(base)
        listed = answer.get("collections") if isinstance(answer, dict) else None
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        matching = [one for one in entries if name in (one.get("id"), one.get("alias"))]
        entry = matching[0] if len(matching) == 1 else None
    stix_id = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(stix_id, str) or re.fullmatch(r"[\w.:-]{1,200}", stix_id) is None:
        raise ConnectorError("the server shows this credential no such collection; check id or alias in `collection`")
    rights = {right: entry.get(right) is True for right in ("can_read", "can_write")}
    return Collection(f"{base}{stix_id}/", conn=connection, collection_info={"id": stix_id, "title": "-", **rights})


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"
