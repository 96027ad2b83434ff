"""Connectors as they last reported themselves, and what their last runs did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from hub.store.tables import connector, connector_run, peer


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector. Times are microseconds since the epoch.

    :param peer: handle of the peer it works for. :param identity: of that peer.
    :param failures: in a row. :param objects: of all runs, as the two after it.
    """

    id: int
    peer: str
    identity: str
    name: str
    kind: str
    direction: str
    target: str
    every_seconds: int | None
    created_at: int
    state: str
    started_at: int | None
    finished_at: int | None
    last_success_at: int | None
    last_error: str | None
    failures: int
    retry_at: int | None
    lag_seconds: int | None
    objects: int
    withdrawn: int
    refused: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run that is over. :param report: compact JSON; empty in a list."""

    uuid: str
    started_at: int
    finished_at: int
    outcome: str
    objects: int
    withdrawn: int
    refused: int
    error: str | None
    report: bytes


_COLUMNS: Final = [
    connector.c.id,
    peer.c.handle,
    peer.c.identity,
    *(connector.c[field.name] for field in fields(Connector)[3:]),
]
_RUN: Final = [connector_run.c[field.name] for field in fields(Run)]


def put(tx: Connection, *, peer_id: int, name: str, now: int, values: Mapping[str, Any]) -> bool:
    """Leave the connector as it reports itself; say whether it is new.

    :param values: columns of the table by name.
    """
    c = connector.c
    changed = tx.execute(update(connector).where(c.peer_id == peer_id, c.name == name).values(**values))
    if changed.rowcount:
        return False
    tx.execute(insert(connector).values(peer_id=peer_id, name=name, created_at=now, **values))
    return True


def count(tx: Connection, peer_id: int) -> int:
    """Return how many connectors a peer has reported."""
    return int(tx.execute(select(func.count()).where(connector.c.peer_id == peer_id)).scalar_one())


def get(tx: Connection, peer_id: int, name: str) -> Connector | None:
    """Return a connector of a peer, None when there is none."""
    row = tx.execute(_connectors().where(connector.c.peer_id == peer_id, connector.c.name == name)).one_or_none()
    return None if row is None else Connector(*row)


def listed(tx: Connection, peer_id: int | None) -> list[Connector]:
    """Return the connectors of a peer, or of all peers, by handle and name."""
    statement = _connectors()
    if peer_id is not None:
        statement = statement.where(connector.c.peer_id == peer_id)
    rows = [Connector(*row) for row in tx.execute(statement)]
    return sorted(rows, key=lambda row: (row.peer, row.name))


def remove(tx: Connection, connector_id: int) -> None:
    """Forget a connector and its runs."""
    tx.execute(delete(connector_run).where(connector_run.c.connector_id == connector_id))
    tx.execute(delete(connector).where(connector.c.id == connector_id))


def owner_of_run(tx: Connection, uuid: str) -> int | None:
    """Return the id of the connector whose run this is, None when there is no such run."""
    return tx.execute(select(connector_run.c.connector_id).where(connector_run.c.uuid == uuid)).scalar_one_or_none()


def add_run(tx: Connection, connector_id: int, run: Run, *, keep: int) -> None:
    """Add a run to a connector, and to its sums; of all its runs the last ones are kept."""
    c = connector.c
    tx.execute(
        insert(connector_run).values(
            connector_id=connector_id, **{field.name: getattr(run, field.name) for field in fields(Run)}
        )
    )
    tx.execute(
        update(connector)
        .where(c.id == connector_id)
        .values(objects=c.objects + run.objects, withdrawn=c.withdrawn + run.withdrawn, refused=c.refused + run.refused)
    )
    r = connector_run.c
    oldest = (
        select(r.id).where(r.connector_id == connector_id).order_by(r.id.desc()).offset(keep).limit(1).scalar_subquery()
    )
    tx.execute(delete(connector_run).where(r.connector_id == connector_id, r.id <= oldest))


def runs(tx: Connection, connector_id: int) -> list[Run]:
    """Return the runs of a connector, the newest first, without their reports."""
    r = connector_run.c
    columns = [column for column in _RUN if column.name != "report"]
    rows = tx.execute(select(*columns).where(r.connector_id == connector_id).order_by(r.id.desc()))
    return [Run(**row._mapping, report=b"") for row in rows]


def run(tx: Connection, connector_id: int, uuid: str) -> Run | None:
    """Return one run of a connector with its report, None when there is none."""
    r = connector_run.c
    row = tx.execute(select(*_RUN).where(r.connector_id == connector_id, r.uuid == uuid)).one_or_none()
    return None if row is None else Run(*row)


def _connectors() -> Select[Any]:
    return select(*_COLUMNS).join(peer, peer.c.id == connector.c.peer_id)
