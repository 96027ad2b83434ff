"""What `cybex doctor` finds in the database: schema, soundness, clock, keys, operators, the worker and its backlog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from hub.cli.finding import EXPIRY_DAYS, Finding, Level, days_left, expiry
from hub.config import Settings
from hub.domain.membership import Role
from hub.errors import CybexError
from hub.services.actor import HUB_HANDLE
from hub.store import checkpoints as checkpoint_store
from hub.store import credentials as credential_store
from hub.store import integrity, statistics
from hub.store import keys as key_store
from hub.store import peers as peer_store
from hub.store.checkpoints import Standing
from hub.store.database import Database
from hub.store.statistics import Statistics
from hub.worker import HEARTBEAT

SECOND: Final = 1_000_000
HEARTBEAT_SECONDS: Final = 150
"""A worker touches its heartbeat between pieces of work; the longest piece takes about two minutes."""

BACKLOG_SECONDS: Final = 300
CLOCK_SECONDS: Final = 60
CHECKPOINT_SECONDS: Final = 60


def database(settings: Settings, now: int) -> Iterator[Finding]:
    if settings.database_file is not None and not settings.database_file.exists():
        yield Finding("database", "fail", "there is none", "cybex init")
        return
    try:
        opened = Database.open(settings.database_url)
    except CybexError as error:
        yield Finding("database", "fail", error.detail, "mend database_url")
        return
    try:
        revision = opened.revision()
        if revision != opened.head():
            text = f"at {revision or 'nothing'}, this version needs {opened.head()}"
            yield Finding("migrations", "fail", text, "stop the hub, cybex backup, cybex migrate")
            return
        yield Finding("migrations", "ok", f"at {revision}")
        broken = integrity.problems(opened)
        for problem in broken:
            yield Finding("database", "fail", problem, "see docs/operating.md, Restore")
        if not broken:
            yield Finding("database", "ok", "sound")
        with opened.read() as tx:
            numbers = statistics.collect(tx)
            people = [*_keys(tx, now), _operators(tx, now)]
            logged = checkpoint_store.standing(tx)
        yield _clock(settings, numbers, now)
        yield from people
        yield _worker(settings, numbers, now)
        yield _log(logged, now)
    except CybexError as error:
        yield Finding("database", "fail", error.detail or error.title, "is the server up, and may this user connect?")
    finally:
        opened.close()


def _clock(settings: Settings, numbers: Statistics, now: int) -> Finding:
    """Compare with what the hub itself has dated: a clock that went back makes new entries look as old as the last."""
    newest = max((count.last_date_added for count in numbers.collections), default=0) / SECOND
    if settings.file.is_file():
        newest = max(newest, settings.file.stat().st_mtime)
    ahead = int(newest - now)
    if ahead > CLOCK_SECONDS:
        remedy = "set the clock (NTP): signatures are judged by it"
        return Finding("clock", "fail", f"it is {ahead} s behind what the hub has already dated", remedy)
    return Finding("clock", "ok", "not behind anything the hub has dated")


def _keys(tx: Connection, now: int) -> Iterator[Finding]:
    handles = {peer.id: peer.handle for peer in peer_store.all(tx)}
    for key in key_store.all(tx):
        if key.valid_until is None or key.revoked_at is not None:
            continue
        days = days_left(key.valid_until / SECOND, now)
        if 0 <= days <= EXPIRY_DAYS:
            text = f"key {key.kid[:16]} of {handles.get(key.peer_id, 'a peer')} ends in {days} days"
            yield Finding("keys", "warn", text, "ask the peer for its next key: cybex key new, then enrol it")


def _operators(tx: Connection, now: int) -> Finding:
    hub = peer_store.by_handle(tx, HUB_HANDLE)
    held = credential_store.of_peer(tx, hub.id) if hub is not None else []
    remedy = "cybex credential add hub --role operator"
    days = [
        None if each.expires_at is None else days_left(each.expires_at / SECOND, now)
        for each in held
        if each.role is Role.OPERATOR and each.revoked_at is None
    ]
    if not days:
        return Finding("operators", "fail", "nobody can manage the hub over the network", remedy)
    if None in days:
        return Finding("operators", "ok", "a credential that does not end")
    longest = max(day for day in days if day is not None)
    if longest < 0:
        return Finding("operators", "fail", "every credential has expired", remedy)
    level = expiry(longest)
    return Finding("operators", level, f"the last credential ends in {longest} days", "" if level == "ok" else remedy)


def _worker(settings: Settings, numbers: Statistics, now: int) -> Finding:
    heartbeat = settings.run / HEARTBEAT
    oldest = numbers.oldest_pending_at
    waiting = 0 if oldest is None else int(now - oldest / SECOND)
    backlog = f"{numbers.pending} waiting, the oldest for {waiting} s" if numbers.pending else "nothing waiting"
    remedy = "cybex serve runs it on SQLite; elsewhere start cybex worker"
    if not heartbeat.is_file():
        return Finding("worker", "warn", f"it has never run here; {backlog}", remedy)
    age = int(now - heartbeat.stat().st_mtime)
    if age > HEARTBEAT_SECONDS:
        level: Level = "fail" if numbers.pending else "warn"
        return Finding("worker", level, f"it has not been seen for {age} s; {backlog}", remedy)
    if waiting > BACKLOG_SECONDS:
        return Finding("worker", "warn", backlog, "it falls behind: look for worker.failed in the log")
    return Finding("worker", "ok", f"alive; {backlog}")


def _log(logged: Standing, now: int) -> Finding:
    """Look at the oldest leaf without a checkpoint: what is signed late can still be denied."""
    text = f"{logged.size} leaves, {logged.checkpointed} of them under a signed checkpoint"
    waiting = 0 if logged.waiting_since is None else int(now - logged.waiting_since / SECOND)
    if logged.size < logged.checkpointed:
        return Finding("log", "fail", f"{text}: leaves are lost", "see docs/log.md, When a hub is restored")
    if waiting > CHECKPOINT_SECONDS:
        remedy = "the worker signs: is it running? Look for log.inconsistent in its log"
        return Finding("log", "warn", f"{text}; the oldest other one has waited for {waiting} s", remedy)
    return Finding("log", "ok", text)
