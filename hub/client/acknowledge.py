"""Acknowledgements on the reader's side: signed, written down first, then handed in; a crash only repeats them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from hub.client.hub_pin import JSON, hub_address
from hub.client.receipts import whoami
from hub.client.transport import RemoteError, Transport
from hub.domain import limits
from hub.domain.acknowledgement import Acknowledgement, Outcome, signed
from hub.domain.canonical import Json, parse
from hub.domain.key_material import PrivateKey
from hub.errors import ConfigError, MalformedJson

QUEUE_FILE: Final = "acknowledgements.json"


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be confirmed of one version."""

    stix_id: str
    version: str
    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes acknowledgements for one group of one hub. :param clock: microseconds since the epoch."""

    key: PrivateKey
    identity: str
    hub: str
    group: str
    clock: Callable[[], int]

    def sign(self, said: Said) -> dict[str, Any]:
        """Return a new acknowledgement."""
        return signed(
            Acknowledgement(
                uuid=str(uuid.uuid4()),
                hub=self.hub,
                group=self.group,
                stix_id=said.stix_id,
                version=said.version,
                outcome=said.outcome,
                created=self.clock(),
                by=self.identity,
                reason=said.reason,
            ),
            self.key,
            uuid=str(uuid.uuid4()),
        )


def signer(
    transport: Transport, api_root: str, key: PrivateKey, identity: str | None, clock: Callable[[], int]
) -> Signer:
    """Return who signs for a group: the credential's own peer, with the hub's identity as its key directory says it.

    :param identity: of the key, where it is known. :raises RemoteError: the hub does not say who it is.
    :raises ConfigError: the key is not of the peer whose credential is used.
    """
    address, slug = hub_address(api_root)
    own = whoami(transport, api_root)
    if identity not in (None, own):
        raise ConfigError("the key is of another peer than the credential", field="key")
    directory = transport.get(f"{address}api/v1/groups/{slug}/keys", accept=JSON).body
    hub = directory.get("hub") if isinstance(directory, dict) else None
    if not isinstance(hub, str):
        raise RemoteError("the hub's key directory does not say which hub it is: it takes no acknowledgements")
    return Signer(key, own, hub, slug, clock)


def post(transport: Transport, api_root: str, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Hand in signed acknowledgements and return what became of each, in order. Raises RemoteError."""
    address, _ = hub_address(api_root)
    outcomes: list[dict[str, Any]] = []
    for batch in _batches(documents):
        body = b'{"acknowledgements":[' + b",".join(batch) + b"]}"
        answer = transport.post(f"{address}api/v1/acknowledgements", body, content_type=JSON, accept=JSON).body
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list) or len(items) != len(batch):
            raise RemoteError("the hub does not say what became of each acknowledgement")
        outcomes += [item for item in items if isinstance(item, dict)]
    return outcomes


class Queue:
    """Acknowledgements that are signed and not handed in yet, in one file that survives a crash."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / QUEUE_FILE
        self._waiting = self._load()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, documents: Sequence[dict[str, Any]]) -> None:
        """Keep more; they are on disk when this returns. A version that waits with the same outcome waits once."""
        for document in documents:
            self._waiting[_name(document)] = document
        self._save()

    def send(self, transport: Transport, api_root: str) -> tuple[int, list[dict[str, Any]]]:
        """Hand in all that wait; return how many the hub keeps, and what it said of the others, which wait no longer.

        Raises RemoteError when it cannot be reached: then they go on waiting.
        """
        documents = list(self._waiting.values())
        outcomes = post(transport, api_root, documents)
        self._waiting = {}
        self._save()
        refused = [
            {**outcome, "object": document["object"]}
            for document, outcome in zip(documents, outcomes, strict=True)
            if outcome.get("kept") is not True
        ]
        return len(documents) - len(refused), refused

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            kept = parse(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, MalformedJson):
            raise ConfigError(
                f"{self._path} is damaged; remove it, and they are made again with the next pages"
            ) from None
        waiting = [one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []
        return {_name(one): one for one in waiting}

    def _save(self) -> None:
        if not self._waiting:
            self._path.unlink(missing_ok=True)
            return
        aside = self._path.with_name(self._path.name + ".part")
        try:
            with aside.open("wb") as file:
                file.write(orjson.dumps(list(self._waiting.values())))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}", field="out") from None


def _name(document: Mapping[str, Json]) -> str:
    return " ".join(str(document.get(name)) for name in ("group", "object", "version", "outcome"))


def _batches(documents: Sequence[Mapping[str, Any]]) -> Iterator[list[bytes]]:
    """Cut into what one request may hold, in number and in octets."""
    batch: list[bytes] = []
    size = 0
    for document in documents:
        octets = orjson.dumps(document)
        full = len(batch) >= limits.ACKNOWLEDGEMENTS_PER_POST or size + len(octets) > limits.API_BODY_BYTES - 1024
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(octets)
        size += len(octets) + 1
    if batch:
        yield batch
