"""Connectors: what a peer reports of its own, for itself and for the operator to see.

Nothing here decides anything: what a connector posts enters as everything else does. The reports are not audited, for
there is one every few minutes from each and they change nothing; that an operator forgets one is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.membership import Caller, Peer
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.services import audit
from hub.services.actor import HUB_HANDLE, Actor, limited, require_administrator
from hub.services.context import Hub
from hub.store import connectors as store
from hub.store import peers as peer_store
from hub.store.connectors import Connector, Run

NO_CONNECTOR: Final = "there is no such connector"
NO_RUN: Final = "there is no such run"
OVERDUE_RUNS: Final = 3
"""Intervals without a sign after which a connector counts as overdue: one run may take long, and one may be lost."""

_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Reported:
    """What a connector says of itself. Times are microseconds since the epoch."""

    kind: str
    direction: str
    target: str
    every_seconds: int | None
    state: str
    started_at: int | None
    finished_at: int | None
    last_success_at: int | None
    last_error: str | None
    failures: int
    retry_at: int | None
    lag_seconds: int | None


def report(hub: Hub, caller: Caller, name: str, said: Reported) -> tuple[Connector, bool]:
    """Leave a connector of the caller's own peer as it says it is; return it, and whether it is new.

    Raises Conflict when the peer has too many.
    """
    _check_line("last_error", said.last_error)
    with hub.db.write() as tx:
        peer_id = caller.peer.id
        if store.get(tx, peer_id, name) is None and store.count(tx, peer_id) >= limits.CONNECTORS_PER_PEER:
            raise Conflict(f"a peer reports at most {limits.CONNECTORS_PER_PEER} connectors; forget one of them")
        values = {each: getattr(said, each) for each in Reported.__slots__}
        new = store.put(tx, peer_id=peer_id, name=name, now=hub.clock(), values=values)
        found = store.get(tx, peer_id, name)
    if found is None:
        raise NotFound(NO_CONNECTOR)
    return found, new


def add_run(hub: Hub, caller: Caller, name: str, run: Run) -> tuple[Run, bool]:
    """Keep what a run of the caller's own connector did; return it, and whether it is new: the same run counts once.

    Raises NotFound before the connector itself was reported.
    """
    _check_line("error", run.error)
    if run.finished_at < run.started_at:
        raise InvalidRequest("a run ends after it began", field="finished_at")
    with hub.db.write() as tx:
        found = store.get(tx, caller.peer.id, name)
        if found is None:
            raise NotFound(NO_CONNECTOR)
        owner = store.owner_of_run(tx, run.uuid)
        if owner is None:
            store.add_run(tx, found.id, run, keep=limits.CONNECTOR_RUNS_KEPT)
            return run, True
        known = store.run(tx, found.id, run.uuid)
    if known is None:
        raise Conflict("this cannot be the id of a run; choose another", field="run")
    return known, False


def listed(hub: Hub, actor: Actor) -> list[Connector]:
    """Return the connectors of all peers for an operator, else those of the caller's own peer, by peer and name.

    A feed may ask as well: it learns nothing but what credentials like it have reported.
    """
    caller = limited(actor)
    with hub.db.read() as tx:
        return store.listed(tx, None if caller is None else caller.peer.id)


def shown(hub: Hub, actor: Actor, name: str, handle: str | None) -> Connector:
    """Return one connector: of the caller's own peer, for an operator of any (None: the hub's own). Raises NotFound."""
    with hub.db.read() as tx:
        peer = _peer(tx, actor, handle)
        # id 0 is nobody's: the same question is asked whether or not there is such a peer.
        found = store.get(tx, 0 if peer is None else peer.id, name)
    if found is None:
        raise NotFound(NO_CONNECTOR)
    return found


def runs(hub: Hub, actor: Actor, name: str, handle: str | None) -> list[Run]:
    """Return the last runs of a connector, the newest first, without their reports. Raises NotFound."""
    found = shown(hub, actor, name, handle)
    with hub.db.read() as tx:
        return store.runs(tx, found.id)


def run(hub: Hub, actor: Actor, name: str, handle: str | None, uuid: str) -> Run:
    """Return one run with its report. Raises NotFound."""
    found = shown(hub, actor, name, handle)
    with hub.db.read() as tx:
        one = store.run(tx, found.id, uuid)
    if one is None:
        raise NotFound(NO_RUN)
    return one


def forget(hub: Hub, actor: Actor, name: str, handle: str | None) -> None:
    """Forget a connector and its runs, until it reports itself again. Raises NotFound, Forbidden."""
    require_administrator(actor)
    found = shown(hub, actor, name, handle)
    with hub.db.write() as tx:
        store.remove(tx, found.id)
        audit.record(tx, hub, actor, "connector.forget", f"peers/{found.peer}/connectors/{name}")


def overdue(found: Connector, now: int) -> bool:
    """Say whether a connector with a schedule has given no sign for several intervals."""
    if found.every_seconds is None:
        return False
    seen = max(found.started_at or found.created_at, found.finished_at or 0, found.retry_at or 0)
    return now - seen > OVERDUE_RUNS * found.every_seconds * _SECOND


def public_id(found: Connector) -> str:
    """Return the name of a connector in the metrics, which says nothing to who does not know it already."""
    return hashlib.sha256(f"{found.identity}/{found.name}".encode()).hexdigest()[:16]


def report_bytes(report: Mapping[str, Any]) -> bytes:
    """Return a report as it is stored."""
    return json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode()


def _peer(tx: Connection, actor: Actor, handle: str | None) -> Peer | None:
    caller = limited(actor)
    if caller is not None:
        return caller.peer if handle in (None, caller.peer.handle) else None
    own = actor.peer.handle if isinstance(actor, Caller) else HUB_HANDLE
    return peer_store.by_handle(tx, handle or own)


def _check_line(field: str, text: str | None) -> None:
    if text is not None and not text.isprintable():
        raise InvalidRequest("it must be one line of printable characters", field=field)
