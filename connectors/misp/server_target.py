"""Events on a MISP server: added, changed, never duplicated, and never anybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.misp.ledger import Kept
from connectors.misp.mapping.shape import records
from connectors.misp.server import Declined as ServerDeclined
from connectors.misp.server import Server
from connectors.misp.target import Declined, Taken

_BLOCKED: Final = "MISP does not take the event: it was deleted there and is on its blocklist, or the user may not"


class ServerDestination:
    """A server.

    :param origin_tag: an event without it is somebody's own and is left alone.
    """

    def __init__(self, server: Server, *, origin_tag: str, publish: bool) -> None:
        self._server, self._origin_tag, self._publish = server, origin_tag, publish

    def deliver(
        self,
        event: Mapping[str, Any],
        kept: Kept,  # noqa: ARG002 - of the protocol; here the server says what it has
        changed: set[str],
        gone: Mapping[str, bool],
    ) -> Taken:
        """Add the event, or change what changed.

        1. An event of this uuid that lacks the tag was not made here: leave it.
        2. Delete what is gone: softly, or for good where another event needs the uuid.
        3. Send what changed. Without times: MISP passes over what is not newer than what it has.
        4. Look at the answer: no TLP or PAP tag but ours may be left, and nothing may be missing.
        """
        there = self._server.event(str(event["uuid"]))
        if there is not None and self._origin_tag not in _tags(there):
            raise Declined("MISP has an event of this uuid that did not come from the hub; it is left as it is")
        try:
            if there is None:
                answer = self._server.add(event)
            else:
                for uuid, needed in gone.items():
                    self._server.delete(_kind(there, uuid), uuid, hard=needed)
                lacking = _uuids(event) - _uuids(there)
                answer = self._server.update(str(event["uuid"]), _part(event, changed | lacking))
        except ServerDeclined as fault:
            raise Declined(_BLOCKED if fault.http_status in (403, 405) else fault.detail) from None
        self._tidy(event, answer)
        if self._publish:
            self._server.publish(str(event["uuid"]))
        # What an analyst deleted in MISP, and the author did not change since, stays deleted there.
        settled = set() if there is None else _uuids(there) - _held(there) - changed
        return Taken(tuple(sorted(_uuids(event) - _held(answer) - settled)))

    def delete(self, uuid: str) -> None:
        """Delete an event, if it is one from the hub."""
        there = self._server.event(uuid)
        if there is not None and self._origin_tag in _tags(there):
            self._server.delete("event", uuid)

    def finish(self) -> None:
        """Nothing is left to do."""

    def _tidy(self, event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Take away handling tags that were right before: MISP adds tags and removes none."""
        wanted = {str(event["uuid"]): _tags(event)} | {one["uuid"]: _tags(one) for one in _attributes(event)}
        for one in (answer, *_attributes(answer)):
            uuid = str(one.get("uuid"))
            for tag in _tags(one) - wanted.get(uuid, _tags(one)):
                if tag.casefold().startswith(("tlp:", "pap:")):
                    self._server.untag(uuid, tag)


def _part(event: Mapping[str, Any], wanted: set[str]) -> dict[str, Any]:
    """Return the event with only the attributes and objects that are wanted, and no times."""
    part = {
        name: value for name, value in event.items() if name not in ("timestamp", "Attribute", "Object", "published")
    }
    part["Attribute"] = [_timeless(one) for one in event.get("Attribute", []) if one["uuid"] in wanted]
    part["Object"] = []
    for one in event.get("Object", []):
        if one["uuid"] in wanted or any(inner["uuid"] in wanted for inner in one.get("Attribute", [])):
            part["Object"].append(_timeless(one) | {"Attribute": [_timeless(inner) for inner in one["Attribute"]]})
    return part


def _timeless(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "timestamp"} | {"deleted": False}


def _attributes(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    inside = [inner for one in records(event, "Object") for inner in records(one, "Attribute")]
    return [*records(event, "Attribute"), *inside]


def _uuids(event: Mapping[str, Any]) -> set[str]:
    return {str(one.get("uuid")) for one in (*_attributes(event), *records(event, "Object"))}


def _held(event: Mapping[str, Any]) -> set[str]:
    """Return what is there and not deleted."""
    things = (*_attributes(event), *records(event, "Object"))
    return {str(one.get("uuid")) for one in things if one.get("deleted") not in (True, 1, "1")}


def _tags(thing: Mapping[str, Any]) -> set[str]:
    return {str(one.get("name")) for one in records(thing, "Tag")}


def _kind(event: Mapping[str, Any], uuid: str) -> str:
    return "object" if any(one.get("uuid") == uuid for one in records(event, "Object")) else "attribute"
