"""What was delivered, and in which event each object is: a target's memory, in the connector's folder.

MISP takes a uuid once on a whole server, so an object is in one event only: in that of the first report, grouping or
incident that contains it, else in the collection event of its author, day and TLP level. The hub hands objects over in
batches; what came in an earlier one is kept here, because an event is always made anew of all it contains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectors.misp.mapping.shape import UUID
from connectors.misp.remembered import write
from connectors.sdk.exchange import StixObject
from connectors.sdk.kind import ConnectorError
from hub.domain.canonical import jcs, parse
from hub.domain.stix import version_key
from hub.errors import MalformedJson

MAX_MEMBERS: Final = 20_000
"""Objects of one event: each delivery makes the event anew, which takes half a minute for as many."""


@dataclass(slots=True)
class Kept:
    """One event.

    :param container: its report, grouping or incident. :param members: by STIX id.
    :param delivered: uuid of each attribute and object in MISP -> digest of what was delivered of it.
    :param title: of a collection event; :param day: its day; :param author: identity id.
    """

    uuid: str
    container: dict[str, Any] | None = None
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    delivered: dict[str, str] = field(default_factory=dict)
    title: str = ""
    day: str = ""
    author: str = ""


class Ledger:
    """The events of one target.

    ``places`` says in which event each object is, and in which one an object belongs that has not come yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder / "delivered", folder / "around.json"
        self._journal = folder / "places"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.places: dict[str, str] = {}
        self.expected: dict[str, str] = {}
        self.around: dict[str, dict[str, Any]] = self._json(self._file) or {}
        self._load()

    def event(self, uuid: str) -> Kept:
        """Return an event as it was delivered, or an empty one."""
        kept = self._json(self._folder / f"{uuid}.json")
        return Kept(uuid) if kept is None else Kept(**kept)

    def known(self, uuid: str) -> bool:
        """Say whether an event was made by this connector."""
        return (self._folder / f"{uuid}.json").exists()

    def keep(self, event: Kept) -> None:
        """Write an event; it counts from now on. Atomic."""
        content = {name: getattr(event, name) for name in event.__slots__}
        write(self._folder / f"{event.uuid}.json", jcs(content))

    def forget(self, uuid: str) -> None:
        """Remove an event that was deleted."""
        (self._folder / f"{uuid}.json").unlink(missing_ok=True)

    def place(self, stix_id: str, event: str, *, expected: bool = False) -> None:
        """Note in which event an object is, or belongs once it comes; an empty one for none."""
        table = self.expected if expected else self.places
        if table.get(stix_id, "") == event:
            return
        table[stix_id] = event
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(f"{'?' if expected else '='} {stix_id} {event or '-'}\n")

    def remember(self, obj: StixObject) -> None:
        """Keep an identity or marking-definition, which any event may need."""
        self.around[obj["id"]] = dict(obj)

    def save(self) -> None:
        """Write what `remember` was given. Atomic."""
        write(self._file, jcs(self.around))

    def _load(self) -> None:
        if not self._journal.exists():
            return
        for line in self._lines():
            kind, stix_id, event = line
            table = self.expected if kind == "?" else self.places
            if event == "-":
                table.pop(stix_id, None)
            elif UUID.fullmatch(event):
                table[stix_id] = event
        lines = [f"= {name} {event}" for name, event in self.places.items() if event]
        lines += [f"? {name} {event}" for name, event in self.expected.items() if event]
        write(self._journal, ("\n".join(lines) + "\n").encode() if lines else b"")

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        with self._journal.open(encoding="utf-8") as file:
            for line in file:
                parts = line.split()
                if len(parts) == 3:  # half a line is what a crash leaves; its batch is delivered again
                    yield parts[0], parts[1], parts[2]

    def _json(self, path: Path) -> dict[str, Any] | None:
        try:
            kept = parse(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, MalformedJson):
            raise ConnectorError("a file of the connector's own state cannot be read; restore or remove it") from None
        return kept if isinstance(kept, dict) else None


def newer(obj: StixObject, than: Mapping[str, Any] | None) -> bool:
    """Say whether a version takes the place of the one that is there; observables have none and always do."""
    if than is None or "modified" not in obj or "modified" not in than:
        return True
    return version_key(obj["modified"]) >= version_key(than["modified"])
