"""What the peers of the demonstration do over the network in its second part: sign, send, read, ask."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from hub.cli.demo_world import real_objects
from hub.client import keyfile
from hub.client.feed import collection_url, pages
from hub.client.hub_pin import HubKeys
from hub.client.push import push
from hub.client.receipt_log import check_log
from hub.client.receipts import ReceiptBook
from hub.client.tlog import NotYetLogged
from hub.client.transport import Login, Transport
from hub.domain import retraction
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import parse
from hub.domain.receipt import Receipt
from hub.domain.receipt_check import read_receipt
from hub.domain.retraction import Target
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import IDS
from hub.errors import ConfigError

SLUG: Final = "alpha"
ALIAS: Final = "incidents"
JSON: Final = "application/json"
PATIENCE: Final = 30.0
"""Seconds for what the hub does behind its answers: the delivery ledger and the next checkpoint take about one."""

_STIX_ID: Final = re.compile(r"\b(?:incident|event|impact|task|relationship)--[0-9a-f-]{36}\b")
Stix = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Shared:
    """What a receipt proved: how many leaves of it the log's signed tree holds, and what the status said besides."""

    receipt: Receipt
    leaves: int
    messages: list[str]

    @property
    def last_place(self) -> int:
        """The last place in the log that the receipt names."""
        return max(line.log_index for line in self.receipt.lines if line.log_index is not None)


def new_case(world: dict[str, Any]) -> list[Stix]:
    """Return a real incident with its parts under ids of its own, so that each run shares it and takes it back anew."""
    text = json.dumps(real_objects("incident_with_child", world["peers"]["aa"]["identity"], IDS["amber"]))
    fresh = {old: f"{old.partition('--')[0]}--{uuid.uuid4()}" for old in set(_STIX_ID.findall(text))}
    renamed: list[Stix] = json.loads(_STIX_ID.sub(lambda found: fresh[found[0]], text))
    stamp = format_timestamp(now())[:23] + "Z"
    return [{**obj, "created": stamp, "modified": stamp} if "modified" in obj else obj for obj in renamed]


def retraction_of(world: dict[str, Any], incidents: Sequence[str]) -> Stix:
    """Return the note by which AA takes these incidents back, and all that they contain."""
    return retraction.notice(
        stix_id=f"note--{uuid.uuid4()}",
        identity=world["peers"]["aa"]["identity"],
        at=now(),
        kind="retracted",
        targets=[Target(stix_id) for stix_id in incidents],
        contents=True,
        reason="it concerned another constituent",
        marking_refs=[IDS["amber"]],
    )


def signed(world: dict[str, Any], objects: Sequence[Stix]) -> list[Stix]:
    """Return the objects as AA signs them now."""
    peer = world["peers"]["aa"]
    made, _ = sign_objects(
        objects,
        keyfile.read(Path(peer["signing_key"])),
        identity=peer["identity"],
        created=format_timestamp(now())[:23] + "Z",
        new_uuid=lambda: str(uuid.uuid4()),
    )
    return made


def share(data: Path, world: dict[str, Any], signed: Sequence[Stix]) -> Shared:
    """Send signed objects as AA and check the receipt, the log included. Raises ConfigError when one is refused."""
    api_root, transport = world["groups"][SLUG]["api_root"], analyst(world, "aa")
    keys = HubKeys(transport, api_root, Path(world["peers"]["aa"]["signing_key"]).with_suffix(".hubs.json"))
    book = ReceiptBook(keys, data / "receipts", now)
    book.directory.mkdir(exist_ok=True)
    *_, pushed = push(transport, api_root, ALIAS, signed, receipts=book)
    if pushed.failures:
        raise ConfigError(f"the demonstration's own data was refused: {pushed.failures[0].get('message')}")
    receipt = read_receipt(parse((book.directory / book.kept[-1]).read_bytes()))
    proved = patiently(lambda: logged(lambda: check_log(transport, api_root, receipt)))
    messages = [f"{line['id']}: {line['message']}" for line in pushed.successes if line.get("message")]
    return Shared(receipt, proved, messages)


def read(world: dict[str, Any], handle: str) -> dict[str, Stix]:
    """Return what a peer reads of the collection now, by id."""
    url = collection_url(world["groups"][SLUG]["api_root"], ALIAS)
    transport = Transport(Login(token=world["peers"][handle]["token"]))
    found = pages(transport, url, added_after=None, limit=None, filters={})
    return {str(obj["id"]): obj for page in found for obj in page.objects}


def asked(world: dict[str, Any], handle: str, path: str) -> Any:
    """Return what the API answers a peer."""
    return analyst(world, handle).get(f"{world['base_url']}api/v1/{path}", accept=JSON).body


def analyst(world: dict[str, Any], handle: str) -> Transport:
    """Return a session as the analyst of a peer."""
    peer = world["peers"][handle]
    return Transport(Login(username=peer["username"], password=peer["password"]))


def logged(attempt: Callable[[], Found]) -> Found | None:
    """Return None while no checkpoint covers what is asked for."""
    try:
        return attempt()
    except NotYetLogged:
        return None


def patiently(attempt: Callable[[], Found | None]) -> Found:
    """Return what the attempt finds once it finds something. Raises ConfigError when it never does."""
    deadline = time.monotonic() + PATIENCE
    while (found := attempt()) is None:
        if time.monotonic() > deadline:
            raise ConfigError("the hub did not finish what it does behind its answers: the demonstration is broken")
        time.sleep(0.1)
    return found


def now() -> int:
    """Return microseconds since the epoch."""
    return time.time_ns() // 1000
