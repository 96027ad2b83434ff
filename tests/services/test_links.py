"""Links say how they are doing; dead letters wait for an operator; the audit of all of it finds nothing wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.domain.credentials import LOOKUP_BYTES, SECRET_BYTES, bearer_token, secret_text
from hub.errors import ConfigError, Conflict, Forbidden, InvalidRequest, NotFound
from hub.services import agreements, dead_letters, link_tokens, links
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.identifier import uuid4
from hub.store import dead_letters as letter_store
from hub.store import links as store
from hub.store import relay_batches
from tests.services.auditing.world import audited
from tests.services.cast import SECOND
from tests.services.desk import Desk
from tests.services.pair import Pair, make_pair

URL = "https://hub-b.example/"


@pytest.fixture
def pair(desk: Desk, sqlite_template: Path, tmp_path: Path) -> Iterator[Pair]:
    with make_pair(desk, sqlite_template, tmp_path) as made:
        yield made


def linked(pair: Pair, **settings: Any) -> links.Shown:
    given = {"url": URL, "push": True, "pull": False} | settings
    return links.add(pair.here, OPERATOR, "hub-b", **given)


def state(pair: Pair) -> tuple[str, str]:
    shown = links.shown(pair.here, OPERATOR, "hub-b")
    return shown.state, shown.said


def test_a_link_says_in_words_how_it_is_doing(pair: Pair) -> None:
    assert linked(pair).said == "waiting: no agreement is in force"
    pair.agree()
    assert state(pair) == ("new", "sending, not tried yet")
    pair.desk.share("aa", pair.desk.incident("aa"))
    pair.desk.wait(3)
    with pair.here.db.write() as tx:
        store.attempted(tx, pair.peer.id, pair.desk.now())
        store.succeeded(tx, pair.peer.id, pair.desk.now())
    assert state(pair) == ("working", "sending, 3 s behind")
    (progress,) = [one for one in links.shown(pair.here, OPERATOR, "hub-b").progress if one.collection == "incidents"]
    assert (progress.direction, progress.waiting, progress.behind_us) == ("out", 1, 3 * SECOND)
    collection = pair.desk.opened("aa").collection
    with pair.here.db.write() as tx:
        position = str(pair.desk.now())
        relay_batches.advance(tx, pair.peer.id, collection.id, "out", position, objects=1, now=pair.desk.now())
    assert state(pair) == ("working", "sending, up to date")
    with pair.here.db.write() as tx:
        for _ in range(4):
            store.failed(
                tx, pair.peer.id, pair.desk.now(), "no answer from hub-b.example", pair.desk.now() + 600 * SECOND
            )
    assert state(pair) == (
        "waiting",
        "waiting until 2026-11-22 12:10 UTC after 4 failures: no answer from hub-b.example",
    )
    links.update(pair.here, OPERATOR, "hub-b", paused=True)
    assert state(pair) == ("paused", "paused since 2026-11-22 12:00 UTC")


def test_a_link_is_leased_to_one_process_and_a_paused_one_to_none(pair: Pair) -> None:
    linked(pair)
    now = pair.desk.now()
    with pair.here.db.write() as tx:
        assert store.lease(tx, pair.peer.id, now + 10, now)
        assert not store.lease(tx, pair.peer.id, now + 20, now + 9)
        assert store.lease(tx, pair.peer.id, now + 20, now + 10)
        store.release(tx, pair.peer.id)
        assert store.lease(tx, pair.peer.id, now + 30, now + 10)
        store.release(tx, pair.peer.id)
        store.change(tx, pair.peer.id, paused_at=now)
        assert not store.lease(tx, pair.peer.id, now + 30, now + 10)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://hub-b.example/"},
        {"url": "https://user:secret@hub-b.example/"},
        {"url": "https://hub-b.example"},
        {"url": "https://hub-b.example/?a=b"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://169.254.169.254/"},
        {"url": "https://[::1]/"},
        {"url": "https://localhost/"},
        {"url": "ftp://hub-b.example/"},
        {"url": None},
    ],
    ids=lambda one: str(one["url"]),
)
def test_an_address_that_must_not_be_called_makes_no_link(pair: Pair, settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        linked(pair, **settings)
    assert links.listed(pair.here, OPERATOR) == []


def test_a_link_to_who_is_no_hub_or_a_second_one_is_not_made(pair: Pair) -> None:
    with pytest.raises(NotFound):
        links.add(pair.here, OPERATOR, "aa", url=URL, push=True, pull=False)
    linked(pair)
    with pytest.raises(Conflict):
        linked(pair)
    with pytest.raises(Forbidden):
        links.listed(pair.here, pair.desk.callers["aa"])


def test_a_token_is_a_file_that_nobody_else_may_read(tmp_path: Path) -> None:
    token = bearer_token(secret_text(b"l" * LOOKUP_BYTES), secret_text(b"x" * SECRET_BYTES))
    link_tokens.keep(tmp_path, "hub-b", token)
    file = tmp_path / "links" / "hub-b.token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert link_tokens.read(tmp_path, "hub-b") == token
    file.chmod(0o644)
    with pytest.raises(ConfigError):
        link_tokens.read(tmp_path, "hub-b")
    link_tokens.forget(tmp_path, "hub-b")
    with pytest.raises(ConfigError):
        link_tokens.read(tmp_path, "hub-b")
    for handle in ("../hub-b", "a/b", ""):
        with pytest.raises(InvalidRequest):
            link_tokens.keep(tmp_path, handle, token)


def letter(pair: Pair, direction: letter_store.Direction = "out", *, number: int = 1) -> bool:
    with pair.here.db.write() as tx:
        return letter_store.add(
            tx,
            uuid=uuid4(pair.here.token_bytes),
            peer_id=pair.peer.id,
            collection_id=pair.desk.opened("aa").collection.id,
            direction=direction,
            stix_id=f"incident--fad5bbd5-90d1-42ee-97c9-{number:012d}",
            version="2026-11-22T12:00:00.000Z",
            sha256=None,
            rule="tlp",
            reason="too strict",
            now=pair.desk.now(),
        )


def test_a_dead_letter_is_replayed_once_and_open_again_when_it_is_refused_again(pair: Pair) -> None:
    collection = pair.desk.opened("aa").collection.id
    assert letter(pair)
    assert not letter(pair)
    (one,) = dead_letters.listed(pair.here, OPERATOR)
    assert (one.attempts, one.state) == (2, "open")
    assert dead_letters.settle(pair.here, OPERATOR, "replay", [one.uuid]) == 1
    with pair.here.db.read() as tx:
        (waiting,) = letter_store.to_be_sent(tx, pair.peer.id, collection, limit=10)
    assert waiting.state == "to-be-sent"
    assert not letter(pair)
    (one,) = dead_letters.listed(pair.here, OPERATOR)
    assert (one.attempts, one.state) == (3, "open")
    dead_letters.settle(pair.here, OPERATOR, "replay", (), handle="hub-b")
    with pair.here.db.write() as tx:
        letter_store.sent(tx, [one.id], now=pair.desk.now())
    assert dead_letters.listed(pair.here, OPERATOR) == []
    (one,) = dead_letters.listed(pair.here, OPERATOR, settled=True)
    assert one.state == "replayed"
    with pytest.raises(Conflict):
        dead_letters.settle(pair.here, OPERATOR, "drop", [one.uuid])


def test_what_could_not_be_taken_only_the_other_hub_sends_again(pair: Pair) -> None:
    letter(pair, "in")
    (one,) = dead_letters.listed(pair.here, OPERATOR, handle="hub-b")
    with pytest.raises(Conflict):
        dead_letters.settle(pair.here, OPERATOR, "replay", [one.uuid])
    assert dead_letters.settle(pair.here, OPERATOR, "drop", [one.uuid]) == 1
    with pytest.raises(NotFound):
        dead_letters.settle(pair.here, OPERATOR, "drop", ["0b9a5c1e-6c0d-4a53-8f0b-4f1f1f5f6c7a"])


def test_the_audit_of_a_hub_with_agreements_and_links_finds_nothing_wrong(pair: Pair) -> None:
    pair.agree()
    pair.agree(days=30)
    linked(pair, max_bytes=100_000)
    links.update(pair.here, OPERATOR, "hub-b", max_bytes=None, pull=True, paused=True)
    links.update(pair.here, OPERATOR, "hub-b", paused=False)
    letter(pair)
    dead_letters.settle(pair.here, OPERATOR, "drop", (), handle="hub-b")
    assert audited(pair.here) == []
    links.remove(pair.here, OPERATOR, "hub-b")
    linked(pair)
    links.remove(pair.here, OPERATOR, "hub-b")
    agreements.end(pair.here, OPERATOR, "hub-b")
    assert audited(pair.here) == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE agreement SET state = 'agreed' WHERE state = 'ended'", "agreement.state"),
        ("UPDATE agreement SET ended_at = NULL WHERE state = 'ended'", "agreement.time"),
        ("UPDATE agreement SET document = (SELECT document FROM agreement WHERE state = 'agreed')", "agreement.bytes"),
        ("UPDATE agreement SET peer_id = (SELECT id FROM peer WHERE handle = 'aa')", "agreement.peer"),
        ("DELETE FROM agreement WHERE state = 'ended'", "agreement.lost"),
        ("UPDATE link SET url = 'https://evil.example/'", "link.setting"),
        ("UPDATE link SET paused_at = NULL", "link.setting"),
        ("DELETE FROM link", "link.lost"),
    ],
)
def test_a_changed_agreement_or_link_is_found_by_the_audit(pair: Pair, statement: str, code: str) -> None:
    pair.agree()
    pair.agree(days=30)
    linked(pair)
    links.update(pair.here, OPERATOR, "hub-b", paused=True)
    with pair.here.db.write() as tx:
        tx.execute(text(statement))
    assert code in {one.code for one in audited(pair.here)}
