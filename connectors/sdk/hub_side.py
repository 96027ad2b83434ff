"""The hub, as the runner sees it: a member's session, a key to sign with, and what was remembered of the hub."""

from __future__ import annotations

import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectors.sdk.config import Connector
from connectors.sdk.exchange import StixObject
from hub.client import keyfile, pins
from hub.client.api import signed_directory
from hub.client.feed import collection_url, pages
from hub.client.hub_pin import HubKeys, read_hub_key
from hub.client.push import Pushed, push
from hub.client.receipts import ReceiptBook, whoami
from hub.client.transport import Transport
from hub.domain import retraction
from hub.domain.bundle_signing import sign_objects
from hub.domain.key_material import PrivateKey
from hub.domain.keys import KeyRing
from hub.domain.retraction import Target
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError

ASKED_AT_ONCE: Final = 50
"""Ids in one question what the hub serves of them: about 3 KB of address, which every proxy passes."""


@dataclass(slots=True)
class HubSide:
    """A session of one connector with its hub.

    :param identity: STIX identity in whose name it publishes. :param folder: where receipts and keys are remembered.
    :param clock: microseconds since the epoch.
    """

    connector: Connector
    transport: Transport
    identity: str
    key: PrivateKey | None
    folder: Path
    clock: Callable[[], int]
    notice: Callable[[str], None] = lambda _: None
    new_uuid: Callable[[], str] = lambda: str(uuid.uuid4())
    _book: ReceiptBook | None = field(default=None, init=False)

    def sign(self, obj: StixObject) -> list[dict[str, Any]]:
        """Return an object signed: our own inline, another's as it is with our signature beside it.

        Raises SignatureError or MalformedJson for an object that cannot be signed.
        """
        if self.key is None:
            raise ConfigError("name the key that signs", field=f"connector.{self.connector.name}.key_file")
        stamp = format_timestamp(self.clock())[:23] + "Z"
        signed, _ = sign_objects([obj], self.key, identity=self.identity, created=stamp, new_uuid=self.new_uuid)
        return signed

    def retraction(self, stix_ids: Sequence[str]) -> dict[str, Any]:
        """Return a signed note that withdraws what was published under these ids."""
        note = retraction.notice(
            stix_id=f"note--{self.new_uuid()}",
            identity=self.identity,
            at=self.clock(),
            kind="retracted",
            targets=[Target(one) for one in stix_ids],
            reason="the system that this came from does not stand for it any more",
        )
        return self.sign(note)[0]

    def post(self, objects: Sequence[Mapping[str, Any]]) -> Pushed:
        """Return what the hub decided on every object, of which there is one; its receipts are checked and on disk.

        Raises RemoteError, ReceiptError.
        """
        root, collection = self.connector.api_root, self.connector.table.collection
        states = push(self.transport, root, collection, objects, batch=max(1, len(objects)), receipts=self._receipts())
        return deque(states, maxlen=1).pop()

    def served(self, stix_ids: Sequence[str], *, every_version: bool = False) -> list[dict[str, Any]]:
        """Return what the hub serves of these objects in the connector's collection. Raises RemoteError."""
        url = collection_url(self.connector.api_root, self.connector.table.collection)
        found: list[dict[str, Any]] = []
        for start in range(0, len(stix_ids), ASKED_AT_ONCE):
            asked = {"match[id]": ",".join(stix_ids[start : start + ASKED_AT_ONCE])}
            if every_version:
                asked["match[version]"] = "all"
            for page in pages(self.transport, url, added_after=None, limit=None, filters=asked):
                found += page.objects
        return found

    def ring(self) -> KeyRing:
        """Return the keys that the group's directory vouches for, compared with those of the last run.

        Raises ConfigError when they contradict what was known, and then nothing may be taken.
        """
        root = self.connector.api_root
        before = pins.load(self.folder, root)
        found = signed_directory(self.transport, root)
        compared = pins.compare(before, found, url=root)
        for warning in compared.warnings:
            self.notice(f"warning: {warning}")
        if compared.refusals:
            raise ConfigError(
                f"{compared.refusals[0]}; nothing was taken: ask the hub's operator over another channel, and when it"
                f" is explained remove {self.folder / pins.PINS_FILE}"
            )
        pins.save(self.folder, compared.pins)
        return KeyRing([item.key for item in found.listed])

    def examined(self) -> list[tuple[str, str]]:
        """Return what is well on the hub's side, in pairs. Raises ConfigError or RemoteError at what is not."""
        table, root = self.connector.table, self.connector.api_root
        where = f"connector.{self.connector.name}"
        mine = whoami(self.transport, root)
        if mine != self.identity:
            raise ConfigError("the credential is of another peer than this identity", field=f"{where}.identity")
        answer = self.transport.get(collection_url(root, table.collection)).body
        rights = answer if isinstance(answer, dict) else {}
        needed = "can_write" if table.direction == "in" else "can_read"
        if rights.get(needed) is not True:
            raise ConfigError(
                f"the credential lacks {needed} there; ask the hub's operator", field=f"{where}.collection"
            )
        found = [("hub", f"answers; the credential is of {mine}"), ("collection", f"{needed}")]
        if self.key is not None:
            kids = {item.key.kid for item in signed_directory(self.transport, root).listed}
            if self.key.public.kid not in kids:
                raise ConfigError("the hub does not know this key; see cybex key new", field=f"{where}.key_file")
            found.append(("key", f"enrolled: {self.key.public.kid[:16]}…"))
        return found

    def _receipts(self) -> ReceiptBook:
        if self._book is None:
            given = self.connector.table.hub_key
            if given is not None:
                file = self.connector.path(given)
                given = read_hub_key(str(file) if file.is_file() else given)
            known = frozenset() if given is None else frozenset([given])
            keys = HubKeys(self.transport, self.connector.api_root, self.folder / "hubs.json", known, self.notice)
            self._book = ReceiptBook(keys, self.folder / "receipts", self.clock)
        return self._book


def session(connector: Connector, notice: Callable[[str], None]) -> Transport:
    """Return a session with the connector's hub. Raises ConfigError when a file cannot be read."""
    table = connector.table
    ca_file = None if table.ca is None else str(connector.path(table.ca))
    return Transport(connector.login(), allow_http=table.allow_http, ca_file=ca_file, notice=notice)


def connect(connector: Connector, folder: Path, *, clock: Callable[[], int], notice: Callable[[str], None]) -> HubSide:
    """Return the hub's side of a connector, with the key read and the identity known.

    Raises ConfigError, and RemoteError when the hub has to be asked and does not answer.
    """
    transport = session(connector, notice)
    table = connector.table
    key = None
    identity = table.identity
    if table.key_file is not None:
        path = connector.path(table.key_file)
        key = keyfile.read(path)
        identity = identity or keyfile.identity_beside(path, key)
    if identity is None:
        identity = whoami(transport, connector.api_root)
    return HubSide(connector, transport, identity, key, folder, clock, notice)


def clock() -> int:
    """Return microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def jitter() -> float:
    """Return a number from 0 to 1."""
    return random.random()  # noqa: S311 - it spreads load, and is no secret
