"""A MISP server, through PyMISP over the session that the runner hardened."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urljoin

import requests

from connectors.sdk.exchange import Tools
from connectors.sdk.kind import ConnectorError
from hub.client.remote import RemoteError

INSTALL: Final = "this needs two more packages: pip install 'cybex[misp]'"
PAGE: Final = 500
"""Events of one page of the index; about 1 MB."""
MAX_PAGES: Final = 2_000
"""Pages of the index that one run looks at: a million events, which is four times the largest server heard of."""
_MAX_KEY: Final = 200
_DELETED: Final = [0, 1]  # with the soft-deleted attributes, which say what is to be withdrawn


def require_libraries() -> None:
    """Raise ConnectorError, saying how to install them, unless PyMISP and misp-stix are there."""
    if find_spec("pymisp") is None or find_spec("misp_stix_converter") is None:
        raise ConnectorError(INSTALL)


class Server:
    """What the connector asks of a MISP server. Everything raises ConnectorError when it cannot be had.

    :param key: API key; it is sent in a header and stands in no message.
    """

    def __init__(self, url: str, key: str, tools: Tools) -> None:
        require_libraries()
        self._misp = _opened(url if url.endswith("/") else f"{url}/", key, tools.session(url))

    def index(self, field: str, since: int) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of the events index from an instant on, in order of ``timestamp`` or ``publish_timestamp``.

        Each page is asked for from the last instant seen, not by its number: an event that is edited meanwhile moves to
        the end and would push another one out of its page. What is yielded is yielded once.
        """
        seen: set[str] = set()
        number = 1
        for _ in range(MAX_PAGES):
            query: dict[str, Any] = {"sort": field, "desc": False, "limit": PAGE, "page": number, field: str(since)}
            page = self._answer("search_index", **query)
            if not isinstance(page, list):
                raise ConnectorError("the events index of MISP is no list; is url that of a MISP server?")
            fresh = [one for one in page if isinstance(one, Mapping) and str(one.get("uuid")) not in seen]
            for one in fresh:
                seen.add(str(one.get("uuid")))
                yield one
            if len(page) < PAGE:
                return
            last = max((_seconds(one.get(field)) for one in fresh), default=since)
            since, number = (last, 1) if last > since else (since, number + 1)
        raise ConnectorError("the events index of MISP does not end; set published_only or a later start")

    def event(self, uuid: str) -> Mapping[str, Any] | None:
        """Return an event with its deleted attributes, None when it is not there for this user."""
        return self._found(self._answer("get_event", uuid, deleted=_DELETED))

    def exists(self, uuid: str) -> bool:
        """Say whether an event is there for this user."""
        return bool(self._call("event_exists", uuid))

    def add(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add an event; return it as MISP has it now. Raises Declined when MISP does not want it."""
        return self._done(self._answer("add_event", dict(event)))

    def update(self, uuid: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change an event; return it as MISP has it now. Raises Declined when MISP does not want it."""
        return self._done(self._answer("update_event", dict(event), event_id=uuid))

    def publish(self, uuid: str) -> None:
        """Publish an event, without mails."""
        self._done(self._answer("publish", uuid, alert=False), whole=False)

    def untag(self, uuid: str, tag: str) -> None:
        """Take a tag from an event or attribute."""
        self._done(self._answer("untag", uuid, tag), whole=False)

    def delete(self, kind: str, uuid: str, *, hard: bool = False) -> None:
        """Delete an event, or an attribute or object (softly unless ``hard``); what is not there is deleted."""
        options = {} if kind == "event" else {"hard": hard}
        answer = self._answer(f"delete_{kind}", uuid, **options)
        if not (isinstance(answer, Mapping) and _status(answer) == 404):
            self._done(answer, whole=False)

    def _found(self, answer: Any) -> Mapping[str, Any] | None:
        if isinstance(answer, Mapping) and _status(answer) in (403, 404):
            return None
        return self._done(answer)

    def _done(self, answer: Any, *, whole: bool = True) -> Mapping[str, Any]:
        if isinstance(answer, Mapping) and "errors" in answer:
            status = _status(answer)
            if status in (401, 429) or status >= 500:
                raise ConnectorError(f"MISP answered {status}; check the user of key_file, or try again later")
            raise Declined(f"MISP answered {status}", status)
        if not isinstance(answer, Mapping):
            raise ConnectorError("MISP did not answer as it should; is url that of a MISP server?")
        if not whole:
            return answer
        event = answer.get("Event", answer)
        if not isinstance(event, Mapping) or "uuid" not in event:
            raise ConnectorError("MISP did not answer with the event")
        return event

    def _answer(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        return self._call(name, *arguments, **keywords)

    def _call(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        from pymisp import PyMISPError

        try:
            return getattr(self._misp, name)(*arguments, **keywords)
        except RemoteError as error:
            raise ConnectorError(error.detail) from None
        except (PyMISPError, requests.RequestException, ValueError, KeyError, TypeError, RecursionError) as error:
            # The text of these may hold the answer of the server, that is, content.
            raise ConnectorError(f"MISP did not answer {name} as it should ({type(error).__name__})") from None


class Declined(ConnectorError):
    """MISP does not take this one; the others are not concerned."""

    code = "misp-declined"

    def __init__(self, detail: str, http_status: int) -> None:
        super().__init__(detail)
        self.http_status = http_status


def read_key(text: str) -> str:
    """Return the API key of the text of a file. Raises ConnectorError, without it."""
    key = text.strip()
    if not key or len(key) > _MAX_KEY or not key.isascii() or not key.isalnum():
        raise ConnectorError("key_file does not hold an API key of MISP, which is letters and digits on one line")
    return key


def _opened(url: str, key: str, session: requests.Session) -> Any:
    """Return a PyMISP whose every request goes through the session."""
    import pymisp

    # It logs what was sent and what was answered when something fails: content.
    logging.getLogger("pymisp").setLevel(logging.CRITICAL + 1)

    class Guarded(pymisp.PyMISP):
        """PyMISP mounts an adapter for https only and follows redirects; all it asks is asked here instead."""

        def _prepare_request(
            self,
            request_type: str,
            url: str,
            data: Any = None,
            params: Mapping[str, Any] = {},
            kw_params: Mapping[str, Any] = {},
            output_type: str = "json",
            content_type: str = "json",
        ) -> requests.Response:
            if isinstance(data, Mapping):
                data = {name: value for name, value in data.items() if value is not None}
            body = data if data is None or isinstance(data, bytes) else _json(data)
            where = urljoin(self.root_url, url.removeprefix("/").replace(" ", "+"))
            where += "".join(f"/{name}:{value}" for name, value in kw_params.items())
            headers = {
                "Authorization": self.key,
                "Accept": f"application/{output_type}",
                "Content-Type": f"application/{content_type}",
            }
            return session.request(
                request_type, where, data=body, params=dict(params), headers=headers, allow_redirects=False
            )

    try:
        return Guarded(url, key, tool="cybex")
    except pymisp.PyMISPError as error:
        cause = error.__context__
        if isinstance(cause, RemoteError):
            raise ConnectorError(cause.detail) from None
        raise ConnectorError("MISP did not let the connector in; check url and key_file, and the user's role") from None


def _json(data: Any) -> bytes:
    import json

    from pymisp.abstract import pymisp_json_default

    return json.dumps(data, default=pymisp_json_default).encode()


def _status(answer: Mapping[str, Any]) -> int:
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list | tuple) and errors else None
    return first if isinstance(first, int) else 0


def _seconds(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
