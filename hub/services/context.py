"""What every service is given: the store, the clock, randomness, validation and the bounds of this hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.domain import limits
from hub.domain.key_material import PrivateKey
from hub.domain.submission import Validator
from hub.exports.warning import OwnList
from hub.services.delivery_buffer import DeliveryBuffer
from hub.services.export_memory import ExportMemory
from hub.services.shown_keys import ShownKeys
from hub.services.throttle import Throttle
from hub.services.turns import Turns
from hub.services.waiting_room import WaitingRoom
from hub.services.wakeup import Wakeup
from hub.store.database import Database


@dataclass(frozen=True, slots=True)
class Bounds:
    """The operator's bounds, each at most the hub's own (`hub.domain.limits`). Octets, objects and seconds."""

    max_content_length: int = limits.MAX_CONTENT_LENGTH
    sync_content_length: int = limits.SYNC_CONTENT_LENGTH
    max_objects: int = limits.MAX_OBJECTS
    page_objects_default: int = limits.PAGE_OBJECTS_DEFAULT
    page_objects_max: int = limits.PAGE_OBJECTS_MAX
    page_bytes_max: int = limits.PAGE_BYTES_MAX
    status_retention_seconds: int = limits.STATUS_RETENTION_SECONDS


@dataclass(frozen=True, slots=True)
class Hub:
    """One hub, wired. Made by `hub.bootstrap`, shared by all threads of a process.

    :param clock: microseconds since the epoch, UTC.
    :param token_bytes: cryptographically strong random octets, as ``secrets.token_bytes``.
    :param cursor_key: authenticates ``next``; the same in every process of the hub.
    :param signing_key: signs what the hub itself states: receipts, notices, its key directories.
    :param log_key: signs the checkpoints of the transparency log, and nothing else.
    :param own_warnings: the operator's own warning list, which every export heeds.
    :param public_url: absolute base URL ending in ``/``; None means the request's own host.
    """

    db: Database
    clock: Callable[[], int]
    token_bytes: Callable[[int], bytes]
    validator: Validator
    cursor_key: bytes
    signing_key: PrivateKey
    log_key: PrivateKey
    bounds: Bounds = field(default_factory=Bounds)
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    metrics_allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    allow_test_key: bool = False
    wakeup: Wakeup = field(default_factory=Wakeup)
    throttle: Throttle = field(default_factory=Throttle)
    shown_keys: ShownKeys = field(default_factory=ShownKeys)
    deliveries: DeliveryBuffer = field(default_factory=DeliveryBuffer)
    waiting: WaitingRoom = field(default_factory=WaitingRoom)
    turns: Turns = field(default_factory=Turns)
    exports: ExportMemory = field(default_factory=ExportMemory)
    own_warnings: tuple[OwnList, ...] = ()
