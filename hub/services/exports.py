"""Exports: what one peer may read, in a format that another system takes, from one snapshot, whole or not at all.

An export is written to a temporary file before a byte of it is sent: what fails on the way is an error and not a short
list, and no snapshot of the database waits for a slow client.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final, Protocol
from uuid import UUID

import orjson
from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.markings import IEP_EXTENSION_ID
from hub.domain.membership import Caller, Collection, Right, TrustGroup
from hub.errors import Conflict, Forbidden, NotFound
from hub.exports.formats import FORMATS, Format
from hub.exports.options import Options
from hub.exports.request import Request
from hub.exports.shared import Account, Shared, Source
from hub.exports.warning import READER, WarningLists, own_list
from hub.services import access
from hub.services.context import Hub
from hub.services.export_memory import Scope
from hub.services.export_served import Served
from hub.store import export_state, pages
from hub.store.pages import Selection

_PAGE: Final = 1_000
_PAGE_BYTES: Final = 4 * 1024 * 1024
_MARKINGS: Final = ("marking-definition",)


class Packer(Protocol):
    """Compresses what is written, piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """Return what can be sent already."""
        ...

    def flush(self) -> bytes:
        """Return the rest."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One export of one peer. :param collection: by id or alias; None is every collection that the peer may read."""

    caller: Caller
    slug: str
    collection: str | None
    format: str
    options: Options


@dataclass(slots=True)
class Made:
    """An export, or that it is what the client has.

    :param digest: of everything in it but its head, which says when it was made.
    :param body: None if the client has it.
    :param changed_at: since when it has been what it is, as far as this process knows; microseconds.
    """

    format: Format
    digest: str
    changed_at: int
    place: str
    account: Account | None = None
    body: IO[bytes] | None = None
    size: int = 0
    served: list[Served] = field(default_factory=list)


def make(hub: Hub, asked: Asked, *, known: frozenset[str] = frozenset(), packer: Packer | None = None) -> Made:
    """Return the export; without its body when its digest is among the ``known`` ones.

    Raises:
        NotFound: there is no such format, group or collection, or the caller may not know of it.
        Forbidden: he may not read there.
        Conflict: it would be larger than the hub makes exports.
        Busy: the hub is making as many as it can.
    """
    format_ = FORMATS.get(asked.format)
    if format_ is None:
        raise NotFound("there is no such format")
    with hub.db.read() as tx:
        group, collections = _readable(tx, asked)
        state = export_state.of(tx, [one.id for one in collections])
    place = group.slug if asked.collection is None else f"{group.slug}/{_name(collections[0])}"
    scope = _scope(asked, collections)
    same = hub.exports.unchanged(scope, state, hub.clock())
    if same is not None and same.digest in known:
        return Made(format_, same.digest, same.changed_at, place)
    with hub.exports.turn(), hub.db.one_snapshot(), hub.db.read() as tx:
        group, collections = _readable(tx, asked)  # again: he may have waited
        return _made(hub, tx, asked, format_, place, collections, known, packer)


def note(hub: Hub, made: Made, caller: Caller) -> None:
    """Note in the delivery ledger that the peer is being sent what is in the export."""
    for one in made.served:
        delivery = one.delivery(caller.peer.id, hub.clock())
        if delivery is not None:
            hub.deliveries.add(delivery)


def _readable(tx: Connection, asked: Asked) -> tuple[TrustGroup, list[Collection]]:
    if asked.collection is not None:
        opened = access.collection(tx, asked.caller, asked.slug, asked.collection)
        access.require(opened.rights, Right.READ)
        return opened.group, [opened.collection]
    group, rows = access.collections(tx, asked.caller, asked.slug)
    found = [collection for collection, rights in rows if rights.can_read]
    if not found:
        raise Forbidden("no collection of this group gives you the right to read")
    return group, found


def _name(collection: Collection) -> str:
    return collection.alias or collection.uuid


def _scope(asked: Asked, collections: Sequence[Collection]) -> Scope:
    options = orjson.dumps(asked.options.as_json(), option=orjson.OPT_SORT_KEYS)
    return asked.caller.peer.id, asked.format, options, tuple(one.id for one in collections)


def _made(
    hub: Hub,
    tx: Connection,
    asked: Asked,
    format_: Format,
    place: str,
    collections: Sequence[Collection],
    known: frozenset[str],
    packer: Packer | None,
) -> Made:
    now = hub.clock()
    state = export_state.of(tx, [one.id for one in collections])
    uuid = str(UUID(bytes=hub.token_bytes(16), version=4))
    definitions = _definitions(tx, asked, now)
    served = [Served(one.id, format_.types, now) for one in collections]
    account = Account()
    request = Request(
        objects=_objects(tx, asked, format_, served, account, now),
        source=Source(asked.caller.peer.handle, place, now, uuid, definitions),
        options=asked.options,
        lists=_lists(hub, asked.options),
        account=account,
    )
    body, size, digest = _written(format_, request, packer)
    kept = hub.exports.remember(_scope(asked, collections), state, account.next_change, digest, now)
    made = Made(format_, digest, kept.changed_at, place, account)
    if digest in known:
        body.close()
        return made
    made.body, made.size, made.served = body, size, served
    return made


def _written(format_: Format, request: Request, packer: Packer | None) -> tuple[IO[bytes], int, str]:
    """Return the export in a file that is gone when it is closed, its octets, and the digest of all but its head."""
    body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=limits.EXPORT_MEMORY_BYTES)  # noqa: SIM115 - it outlives this
    digest, plain, head = hashlib.sha256(), 0, True
    try:
        for piece in format_.write(request):
            if not head:
                digest.update(piece)
            head = False
            plain += len(piece)
            if plain > limits.EXPORT_BYTES:
                raise Conflict(
                    "the export is longer than the hub makes any; ask for one collection or a narrower format"
                )
            body.write(piece if packer is None else packer.compress(piece))
        if packer is not None:
            body.write(packer.flush())
    except BaseException:
        body.close()
        raise
    size = body.tell()
    body.seek(0)
    return body, size, digest.hexdigest()[:32]


def _objects(
    tx: Connection, asked: Asked, format_: Format, served: Sequence[Served], account: Account, now: int
) -> Iterator[Shared]:
    """Yield the latest versions that the peer may see, each once, and note which of them were given to him."""
    looked_at = 0
    several = len(served) > 1
    met: dict[bytes, bool] = {}  # what was given
    for one in served:
        position: int | None = None
        more = True
        while more:
            selection = Selection(
                one.collection_id,
                asked.caller.peer.id,
                now,
                position=position,
                limit=_PAGE,
                max_bytes=_PAGE_BYTES,
                types=format_.types,
            )
            page = pages.objects(tx, selection)
            levels = export_state.levels(tx, one.collection_id, page.dates)
            looked_at += len(page.bodies)
            if looked_at > limits.EXPORT_OBJECTS:
                raise Conflict("the export has more objects than the hub looks at; ask for one collection")
            for body, date_added in zip(page.bodies, page.dates, strict=True):
                level, ends = levels[date_added]
                if ends is not None:
                    account.changes_at(ends)
                mark = hashlib.blake2b(body, digest_size=16).digest() if several else b""
                if several and mark in met:
                    one.note(date_added, given=met[mark])  # by another collection
                    continue
                shared = Shared(body, level)
                yield shared
                if several:
                    met[mark] = shared.given
                one.note(date_added, given=shared.given)
            position, more = page.last, page.more


def _definitions(tx: Connection, asked: Asked, now: int) -> Mapping[str, Mapping[str, Any]]:
    """Return the marking-definitions in the group, as far as they say what may be done with an object."""
    found: dict[str, Mapping[str, Any]] = {}
    _, rows = access.collections(tx, asked.caller, asked.slug)
    for collection, _ in rows:
        position: int | None = None
        more = True
        while more:
            page = pages.objects(
                tx, Selection(collection.id, asked.caller.peer.id, now, position=position, types=_MARKINGS)
            )
            for body in page.bodies:
                stix = orjson.loads(body)
                if stix.get("object_marking_refs") or IEP_EXTENSION_ID in (stix.get("extensions") or {}):
                    found[stix["id"]] = stix
            position, more = page.last, page.more
    return found


def _lists(hub: Hub, options: Options) -> WarningLists:
    own = list(hub.own_warnings)
    if options.keep_out:
        own.append(own_list(READER, options.keep_out, "keep_out"))
    return WarningLists(options.warning_lists, tuple(own))
