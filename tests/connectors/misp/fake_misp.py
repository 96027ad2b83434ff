"""A small MISP server: the endpoints PyMISP calls, over real HTTP on loopback, with the habits a client must know.

It is written after PyMISP's own source (paths, bodies, answers) and what MISP is known to do: an event that is edited
with a time that is not newer is refused; an attribute with such a time is passed over; tags are added and never
removed by an edit; a uuid is there once on the whole server, deleted attributes included; a deleted event is on a
blocklist. It is not MISP: it has one user, no roles, no sharing groups of its own and no correlation.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pymisp.abstract import describe_types

KEY = "k" * 40
Event = dict[str, Any]


@dataclass
class FakeMisp:
    """The server's state.

    :param calls: what was asked: method and path. :param faults: paths -> how often to answer 503 first, or to do it
        and then answer 503 (negative: it failed but it happened).
    """

    events: dict[str, Event] = field(default_factory=dict)
    blocklist: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[tuple[str, Any]] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    forgets: Callable[[Event], None] = lambda _: None
    page_limit: int | None = None
    now: int = 1_800_000_000
    url: str = ""

    def tick(self) -> str:
        """Return a time later than all before, in seconds."""
        self.now += 1
        return str(self.now)

    def hold(self, event: Event, **changes: Any) -> Event:
        """Put an event on the server as its users see it."""
        held = copy.deepcopy(event.get("Event", event)) | changes
        self.events[held["uuid"]] = held
        return held

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return status and JSON."""
        parts = [part for part in path.strip("/").split("/") if part]
        name = "/".join(parts[:2])
        if name == "servers/getVersion":
            return 200, {"version": "2.5.34", "pymisp_recommended_version": "2.5.34", "perm_sync": False}
        if name == "users/view":
            return 200, {"User": {"id": "1", "email": "hub@example"}, "Role": {"id": "3"}, "UserSetting": {}}
        if name == "attributes/describeTypes.json":
            return 200, {"result": describe_types}
        if name == "events/index":
            return 200, self._index(body)
        if name == "tags/removeTagFromObject":
            return self._untag(body)
        handler = {
            "events/view": self._view, "events/add": self._add, "events/edit": self._edit,
            "events/delete": self._delete, "events/publish": self._publish,
            "attributes/delete": self._delete_thing, "objects/delete": self._delete_thing,
        }.get(name)  # fmt: skip
        if handler is None:
            return 404, {"name": "Not found", "message": "Not found", "url": path}
        return handler(parts[2] if len(parts) > 2 else "", body or {})

    def things(self, event: Event) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
        """Yield every attribute and object with the list it is in."""
        for one in list(event.get("Attribute", [])):
            yield event["Attribute"], one
        for one in list(event.get("Object", [])):
            yield event["Object"], one
            for inner in list(one.get("Attribute", [])):
                yield one["Attribute"], inner

    def _index(self, query: dict[str, Any]) -> list[Event]:
        found = list(self.events.values())
        for name in ("timestamp", "publish_timestamp"):
            if query.get(name) is not None:
                found = [one for one in found if int(one.get(name, 0)) >= int(query[name])]
        found.sort(key=lambda one: int(one.get(query.get("sort") or "id", 0)))
        limit = min(query.get("limit") or 20_000, self.page_limit or 20_000)
        start = ((query.get("page") or 1) - 1) * limit
        left_out = ("Attribute", "Object", "EventReport", "Galaxy")
        return [
            {key: value for key, value in one.items() if key not in left_out} for one in found[start : start + limit]
        ]

    def _view(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        event = copy.deepcopy(self.events.get(name))
        if event is None:
            return 404, {"name": "Invalid event", "message": "Invalid event", "url": f"/events/view/{name}"}
        if not body.get("deleted"):
            for place, one in self.things(event):
                if one.get("deleted"):
                    place.remove(one)
        return 200, {"Event": event}

    def _add(self, _: str, body: Event) -> tuple[int, Any]:
        event = copy.deepcopy(body.get("Event", body))
        if event["uuid"] in self.blocklist:
            return 403, {"name": "Event blocked by event blocklist.", "message": "Event blocked by event blocklist."}
        if event["uuid"] in self.events:
            return 403, {
                "name": "Event already exists",
                "message": "Event already exists, if you would like to edit it.",
            }
        event.setdefault("timestamp", self.tick())
        event["Orgc"] = {"uuid": "55f6ea65-aa10-4c5a-bf01-4f84950d210f", "name": "OURS"}  # not for the client to say
        taken = self._uuids()
        for place, one in self.things(event):
            one.setdefault("timestamp", self.tick())
            if one["uuid"] in taken:
                place.remove(one)
        self.forgets(event)
        self.events[event["uuid"]] = event
        return self._view(event["uuid"], {})

    def _edit(self, name: str, body: Event) -> tuple[int, Any]:
        event, new = self.events.get(name), copy.deepcopy(body.get("Event", body))
        if event is None:
            return 404, {"name": "Invalid event", "message": "Invalid event"}
        if "timestamp" in new and int(new["timestamp"]) <= int(event["timestamp"]):
            text = "Event could not be saved: Event in the request not newer than the local copy."
            return 403, {"name": "Could not edit", "message": text}
        for key in ("info", "date", "distribution", "threat_level_id", "analysis"):
            event[key] = new.get(key, event.get(key))
        event["timestamp"] = new.get("timestamp") or self.tick()
        self._tag(event, new)
        for one in new.get("Attribute", []):
            self._merge(event.setdefault("Attribute", []), one)
        for one in new.get("Object", []):
            inside = one.pop("Attribute", [])
            held = self._merge(event.setdefault("Object", []), one)
            for inner in inside if held is not None else []:
                self._merge(held.setdefault("Attribute", []), inner)
        self.forgets(event)
        return self._view(name, {})

    def _merge(self, place: list[dict[str, Any]], new: dict[str, Any]) -> dict[str, Any] | None:
        held = next((one for one in place if one["uuid"] == new["uuid"]), None)
        if held is None:
            if new["uuid"] in self._uuids():
                return None
            place.append({"timestamp": self.tick(), **new})
            return place[-1]
        if "timestamp" in new and int(new["timestamp"]) <= int(held["timestamp"]):
            return held
        tags = held.get("Tag", [])
        held |= {"deleted": False} | new | {"timestamp": new.get("timestamp") or self.tick(), "Tag": tags}
        self._tag(held, new)
        return held

    def _tag(self, held: dict[str, Any], new: dict[str, Any]) -> None:
        there = {tag["name"] for tag in held.get("Tag", [])}
        held.setdefault("Tag", []).extend(tag for tag in new.get("Tag", []) if tag["name"] not in there)

    def _untag(self, body: dict[str, Any]) -> tuple[int, Any]:
        for event in self.events.values():
            for one in (event, *(thing for _, thing in self.things(event))):
                if one["uuid"] == body["uuid"]:
                    one["Tag"] = [tag for tag in one.get("Tag", []) if tag["name"] != body["tag"]]
                    return 200, {"name": "Tag removed", "saved": True}
        return 404, {"name": "Invalid target", "message": "Invalid target"}

    def _delete(self, name: str, _: Any) -> tuple[int, Any]:
        if self.events.pop(name, None) is None:
            return 404, {"name": "Invalid event", "message": "Invalid event"}
        self.blocklist.add(name)
        return 200, {"saved": True, "success": True, "name": "Event deleted."}

    def _delete_thing(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        for event in self.events.values():
            for place, one in self.things(event):
                if one["uuid"] == name:
                    if body.get("hard"):
                        place.remove(one)
                    else:
                        one["deleted"] = True
                    event["timestamp"] = self.tick()
                    return 200, {"saved": True, "success": True, "name": "deleted"}
        return 404, {"name": "Invalid attribute", "message": "Invalid attribute"}

    def _publish(self, name: str, _: Any) -> tuple[int, Any]:
        self.events[name] |= {"published": True, "publish_timestamp": self.tick()}
        return 200, {"saved": True, "success": True, "name": "Job queued"}

    def _uuids(self) -> set[str]:
        return {one["uuid"] for event in self.events.values() for _, one in self.things(event)}


@contextmanager
def serving(misp: FakeMisp) -> Iterator[FakeMisp]:
    """Serve it on loopback for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            body = json.loads(raw) if raw else None
            path = self.path.split("?")[0]
            misp.calls.append((self.command, path))
            misp.bodies.append((path, body))
            stem = "/".join(path.split("/")[:3])
            count = misp.faults.get(stem, 0)
            if self.headers.get("Authorization") != KEY:
                status, answer = 403, {"name": "Authentication failed.", "message": "Authentication failed."}
            elif count > 0:
                status, answer = 503, {"name": "Busy"}
            else:
                status, answer = misp.answer(self.command, path, body)
                if count < 0:
                    status, answer = 503, {"name": "Busy"}
            if count:
                misp.faults[stem] = count - (1 if count > 0 else -1)
            octets = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(octets)

        do_GET = do_POST = do_HEAD = _do  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    misp.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield misp
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
