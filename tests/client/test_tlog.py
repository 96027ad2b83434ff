"""Who follows a log notices, and can prove, that it was rewound, split, signed by another key, or lacks a leaf."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.client import keyfile, tlog
from hub.client.tlog import LogMisbehaved, LogRewound, NotLogged, NotYetLogged, SplitView, UnknownLogKey
from hub.client.tlog_memory import remember
from hub.client.transport import Login, RemoteError, Transport
from hub.client.witness import Witness, watch
from hub.domain import checkpoint, merkle, signed_note
from hub.domain.checkpoint import Checkpoint
from hub.domain.log_event import leaf_data
from hub.domain.merkle import HASH_BYTES
from hub.errors import ConfigError
from hub.services import checkpoints, log_reading, witnesses
from hub.services.actor import LOCAL_OPERATOR
from hub.store import checkpoints as store
from hub.store import peers as peer_store
from hub.store.checkpoints import Stored
from tests.client.hub_server import HubServer
from tests.services.log_world import write_leaves

NOW = 1_795_305_600
WITNESS = Witness("cirt.example/witness", keyfile.generate())


@pytest.fixture
def url(running: HubServer) -> str:
    """A log of more than a tile, under a checkpoint."""
    write_leaves(running.hub, 300)
    checkpoints.make(running.hub)
    return f"{running.base_url}tlog/"


@pytest.fixture
def transport() -> Transport:
    return Transport(None, sleep=lambda _seconds: None)


def grow(running: HubServer, count: int = 300) -> None:
    write_leaves(running.hub, count)
    checkpoints.make(running.hub)


def forge(
    running: HubServer, change: Callable[[Checkpoint], Checkpoint], key: keyfile.PrivateKey | None = None
) -> None:
    """Make the hub serve a checkpoint that its key signed and its leaves do not give."""
    with running.hub.db.write() as tx:
        last = store.latest(tx)
        assert last is not None
        forged = change(checkpoint.parse(signed_note.parse(last.note).text))
        line = signed_note.signed(forged.text, forged.origin, key or running.hub.log_key).line
        tx.execute(text("DELETE FROM cosignature"))
        tx.execute(text("DELETE FROM log_checkpoint"))
        note = signed_note.with_signatures(forged.text, [line])
        store.add(tx, Stored(forged.size, forged.root, last.at, note))


def evidence(state: Path) -> list[bytes]:
    return [path.read_bytes() for path in state.parent.glob(f"{state.name}.evidence-*")]


def test_a_log_that_grows_is_followed(running: HubServer, url: str, transport: Transport, tmp_path: Path) -> None:
    state = tmp_path / "hub.log"
    first = remember(transport, url, state)
    assert first.before is None
    again = remember(transport, url, state)
    assert again.before == again.seen.checkpoint == first.seen.checkpoint
    for count in (1, 300):
        before = again.seen.checkpoint
        grow(running, count)
        again = remember(transport, url, state, key=first.seen.key)
        assert (again.before, again.seen.checkpoint.size) == (before, before.size + count)


def _cut(tree: Checkpoint) -> Checkpoint:
    return Checkpoint(tree.origin, tree.size - 1, b"r" * HASH_BYTES)


def _other_root(tree: Checkpoint) -> Checkpoint:
    return Checkpoint(tree.origin, tree.size, b"r" * HASH_BYTES)


def _larger(tree: Checkpoint) -> Checkpoint:
    return Checkpoint(tree.origin, tree.size + 1, b"r" * HASH_BYTES)


@pytest.mark.parametrize(
    ("change", "error"),
    [(_cut, LogRewound), (_other_root, SplitView)],
    ids=["log_rewound", "splits_view"],
)
def test_a_log_that_takes_something_back_is_caught_with_proof(
    running: HubServer,
    url: str,
    transport: Transport,
    tmp_path: Path,
    change: Callable[[Checkpoint], Checkpoint],
    error: type[LogMisbehaved],
) -> None:
    state = tmp_path / "hub.log"
    old = remember(transport, url, state)
    kept = state.read_bytes()
    forge(running, change)
    with pytest.raises(error) as caught:
        remember(transport, url, state)
    assert state.read_bytes() == kept, "what was believed stays believed"
    assert set(evidence(state)) == set(caught.value.evidence)
    shown = [signed_note.parse(note) for note in evidence(state)]
    assert all(signed_note.verified(note, [old.seen.key]) for note in shown)
    assert len({note.text for note in shown}) == 2


def test_a_log_that_grew_out_of_another_past_is_caught(
    running: HubServer, url: str, transport: Transport, tmp_path: Path
) -> None:
    """The hub changes an old leaf, makes its whole tree anew and signs that: nothing is wrong but the past."""
    state = tmp_path / "hub.log"
    remember(transport, url, state)
    with running.hub.db.write() as tx:
        tx.execute(text("UPDATE log_leaf SET payload = salt WHERE idx = 7"))
        tx.execute(text("DELETE FROM log_tile"))
        tx.execute(text("DELETE FROM log_checkpoint"))
    grow(running)
    with pytest.raises(SplitView):
        remember(transport, url, state)
    assert len(evidence(state)) == 2
    remember(transport, url, tmp_path / "newcomer")


def test_another_key_is_caught(running: HubServer, url: str, transport: Transport, tmp_path: Path) -> None:
    state = tmp_path / "hub.log"
    remember(transport, url, state)
    forge(running, lambda tree: tree, keyfile.generate())
    with pytest.raises(UnknownLogKey):
        remember(transport, url, state)
    assert evidence(state)
    stranger = signed_note.verifier_key(log_reading.state(running.hub).origin or "", keyfile.generate().public)
    with pytest.raises(UnknownLogKey):
        remember(transport, url, tmp_path / "second", key=stranger)


def test_a_log_under_another_name_is_caught(running: HubServer, url: str, transport: Transport, tmp_path: Path) -> None:
    remember(transport, url, tmp_path / "hub.log")
    forge(running, lambda tree: Checkpoint("other.example/tlog", tree.size, tree.root))
    with pytest.raises(UnknownLogKey):
        remember(transport, url, tmp_path / "hub.log")


def test_a_tile_that_cannot_be_had_proves_nothing_and_accuses_nobody(
    running: HubServer, url: str, transport: Transport, tmp_path: Path
) -> None:
    state = tmp_path / "hub.log"
    remember(transport, url, state)
    kept = state.read_bytes()
    grow(running)
    with running.hub.db.write() as tx:
        tx.execute(
            text("UPDATE log_tile SET hashes = salt FROM log_leaf WHERE log_leaf.idx = 0 AND log_tile.level = 0")
        )
    with pytest.raises(RemoteError):
        remember(transport, url, state)
    assert (state.read_bytes(), evidence(state)) == (kept, [])


def test_a_state_file_is_of_one_log_and_one_key(url: str, transport: Transport, tmp_path: Path) -> None:
    state = tmp_path / "hub.log"
    found = remember(transport, url, state)
    other = signed_note.verifier_key(found.seen.key.name, keyfile.generate().public)
    for wrong in ({"key": other}, {"url": url.replace("tlog", "x/tlog")}):
        with pytest.raises(ConfigError):
            remember(**{"transport": transport, "url": url, "state_file": state} | wrong)  # type: ignore[arg-type] # one call for both
    for content in ("", "[]", "{}", '{"url":1,"verifier_key":"x","note":""}'):
        state.write_text(content)
        with pytest.raises(ConfigError):
            remember(transport, url, state)


def test_an_opened_leaf_is_proved_to_be_in_the_log(running: HubServer, url: str, transport: Transport) -> None:
    with running.hub.db.read() as tx:
        aa = peer_store.by_handle(tx, "aa")
    assert aa is not None
    (index,) = write_leaves(running.hub, 1, peer_id=aa.id)
    own = Transport(Login(token=running.tokens["aa"]))
    leaf = tlog.open_leaf(own, url, index)
    assert (leaf.index, leaf.payload) == (index, {"event": "test", "number": 0})
    key = tlog.log_key(transport, url)
    with pytest.raises(NotYetLogged):
        tlog.check_inclusion(transport, url, tlog.fetch(transport, url, key), index, leaf.data)
    checkpoints.make(running.hub)
    known = tlog.fetch(transport, url, key)
    tlog.check_inclusion(transport, url, known, index, leaf.data)
    for place, data in ((index - 1, leaf.data), (index, leaf_data(bytes(16), b"{}"))):
        with pytest.raises(NotLogged):
            tlog.check_inclusion(transport, url, known, place, data)
    with pytest.raises(RemoteError):
        tlog.open_leaf(Transport(Login(token=running.tokens["bb"])), url, index)


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"index": "1", "salt": "", "payload": "{}"}, {"index": 1, "salt": "AA==", "payload": "{}"}],
)
def test_what_is_no_opened_leaf_is_refused(body: object) -> None:
    with pytest.raises(RemoteError):
        tlog.opened(body)  # type: ignore[arg-type] # whatever a server may send


def test_the_log_is_found_from_an_api_root() -> None:
    assert tlog.log_url("https://hub.example/alpha/") == "https://hub.example/tlog/"
    assert tlog.log_url("https://hub.example/cybex/alpha") == "https://hub.example/cybex/tlog/"


def test_a_witness_cosigns_what_only_grew(running: HubServer, url: str, transport: Transport, tmp_path: Path) -> None:
    witnesses.put(running.hub, LOCAL_OPERATOR, "cirt", WITNESS.verifier_key.text)
    checkpoints.make(running.hub)
    state = tmp_path / "hub.log"
    now = running.hub.clock() // 1_000_000
    for _ in range(2):
        watched = watch(transport, url, state, WITNESS, now=now)
        note = signed_note.parse(transport.fetch(f"{url}checkpoint"))
        signed_note.verified(note, [WITNESS.verifier_key])
        assert checkpoint.parse(note.text) == watched.seen.checkpoint
        grow(running)
    forge(running, _other_root)
    with pytest.raises(SplitView):
        watch(transport, url, state, WITNESS, now=now)
    (row,) = witnesses.listed(running.hub, LOCAL_OPERATOR)
    assert row.size is None, "nothing was cosigned after the forgery took the earlier lines away"


def test_a_witness_cosigns_no_tree_it_has_not_remembered(
    running: HubServer, url: str, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witnesses.put(running.hub, LOCAL_OPERATOR, "cirt", WITNESS.verifier_key.text)
    checkpoints.make(running.hub)
    state = tmp_path / "hub.log"
    seen: list[bytes] = []
    monkeypatch.setattr(Transport, "hand_in", lambda *_args, **_more: seen.append(state.read_bytes()) or b"")
    watched = watch(transport, url, state, WITNESS, now=NOW)
    assert signed_note.parse(watched.seen.note).text.splitlines()[2].encode() in seen[0]


def test_two_witnesses_do_not_share_a_state_file(url: str, transport: Transport, tmp_path: Path) -> None:
    state = tmp_path / "hub.log"

    class Nested(Transport):
        def fetch(self, url: str) -> bytes:
            watch(transport, url, state, WITNESS, now=NOW)
            return b""

    with pytest.raises(ConfigError, match="another witness"):
        watch(Nested(None), url, state, WITNESS, now=NOW)


def test_only_complete_subtrees_are_asked_for_in_tiles(url: str, transport: Transport) -> None:
    known = tlog.fetch(transport, url, tlog.log_key(transport, url))
    size = known.checkpoint.size
    assert merkle.root(size, tlog.tiles_of(transport, url, size)) == known.checkpoint.root
