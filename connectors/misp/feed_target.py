"""Events in a folder in MISP's feed format: manifest.json, hashes.csv and one file per event, for any web server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.misp.ledger import Kept
from connectors.misp.mapping.restraint import WIDEST
from connectors.misp.origins import parsed, read_file
from connectors.misp.remembered import write
from connectors.misp.server import require_libraries
from connectors.misp.target import Declined, Taken
from connectors.sdk.kind import ConnectorError
from hub.domain import tlp
from hub.domain.canonical import jcs

_NOBODY = {"uuid": "00000000-0000-4000-8000-000000000000", "name": "unknown"}


class FeedDestination:
    """A feed. It has no distribution, so nothing that is stricter than ``strictest`` gets in."""

    def __init__(self, folder: Path, *, strictest: tlp.Level) -> None:
        require_libraries()
        self._folder, self._strictest = folder, strictest
        folder.mkdir(parents=True, exist_ok=True)
        raw = read_file(folder / "manifest.json")
        manifest = {} if raw is None else parsed(raw)
        if not isinstance(manifest, dict):
            raise ConnectorError(
                "the manifest.json in the folder of feed is not one; the folder must be this feed's own"
            )
        self._manifest: dict[str, Any] = manifest
        self._hashes = self._read_hashes()

    def deliver(self, event: Mapping[str, Any], kept: Kept, changed: set[str], gone: Mapping[str, bool]) -> Taken:
        """Write the event's file. Raises Declined for one that is stricter than the feed."""
        del kept, changed, gone  # a file is written whole
        from pymisp import MISPEvent

        uuid = str(event["uuid"])
        if self._too_strict(event, "clear"):
            self.delete(uuid)
            raise Declined("its marking is stricter than what the feed may hold (feed_tlp)")
        fit, left_out = self._fit(event)
        made = MISPEvent()
        made.from_dict(**({"Orgc": _NOBODY} | fit | {"published": True, "publish_timestamp": fit["timestamp"]}))
        feed = made.to_feed(with_meta=True)["Event"]
        hashes, entry = feed.pop("_hashes"), feed.pop("_manifest")
        write(self._folder / f"{uuid}.json", jcs(_plain({"Event": feed})))
        self._manifest |= _plain(entry)
        self._hashes[uuid] = sorted(set(hashes))
        return Taken(tuple(sorted(left_out)))

    def delete(self, uuid: str) -> None:
        """Remove an event's file."""
        (self._folder / f"{uuid}.json").unlink(missing_ok=True)
        self._manifest.pop(uuid, None)
        self._hashes.pop(uuid, None)

    def finish(self) -> None:
        """Write the manifest and the hashes, after the events they name."""
        lines = [f"{one},{uuid}\n" for uuid, hashes in sorted(self._hashes.items()) for one in hashes]
        write(self._folder / "hashes.csv", "".join(lines).encode())
        write(self._folder / "manifest.json", jcs(self._manifest))
        for name in ("hashes.csv", "manifest.json", *(f"{uuid}.json" for uuid in self._manifest)):
            path = self._folder / name
            if path.exists() and path.stat().st_mode & 0o777 != 0o644:
                path.chmod(0o644)  # another user's web server hands it out

    def _fit(self, event: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """Return the event without what is too strict, and the uuids of that."""
        own = _level(event, "clear")
        left: set[str] = set()
        fit = dict(event)
        # PyMISP sets the time of now where there is none, and the same event would be another file each time.
        then = {"timestamp": fit["timestamp"]}
        fit["Attribute"] = [then | one for one in event.get("Attribute", []) if not self._left(one, own, left)]
        fit["Object"] = []
        for one in event.get("Object", []):
            inside = [then | inner for inner in one.get("Attribute", []) if not self._left(inner, own, left)]
            if len(inside) == len(one.get("Attribute", [])):
                fit["Object"].append(then | one | {"Attribute": inside})
            else:
                left |= {one["uuid"], *(inner["uuid"] for inner in one.get("Attribute", []))}
        return fit, left

    def _left(self, one: Mapping[str, Any], own: tlp.Level, left: set[str]) -> bool:
        if self._too_strict(one, own):
            left.add(one["uuid"])
            return True
        return False

    def _too_strict(self, thing: Mapping[str, Any], otherwise: tlp.Level) -> bool:
        level = _level(thing, otherwise)
        said = str(thing.get("distribution", "5"))
        # Below what its level allows: for named recipients, or not to be relayed. A feed cannot keep that.
        limited = said != "5" and int(said) < WIDEST[level]
        return limited or tlp.stricter(level, self._strictest)

    def _read_hashes(self) -> dict[str, list[str]]:
        raw = read_file(self._folder / "hashes.csv") or b""
        found: dict[str, list[str]] = {}
        for line in raw.decode("ascii", "replace").splitlines():
            digest, _, uuid = line.partition(",")
            if uuid in self._manifest:
                found.setdefault(uuid, []).append(digest)
        return found


def _level(thing: Mapping[str, Any], otherwise: tlp.Level) -> tlp.Level:
    names = {str(one.get("name")) for one in thing.get("Tag", [])}
    return tlp.strictest(level for level in tlp.LEVELS if f"tlp:{level}" in names) or otherwise


def _plain(value: Any) -> Any:
    """Return JSON values of what PyMISP gives, whose records are classes of its own."""
    import json

    from pymisp.abstract import pymisp_json_default

    return json.loads(json.dumps(value, default=pymisp_json_default))
