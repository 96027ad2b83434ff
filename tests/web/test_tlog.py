"""`/tlog/` is laid out as C2SP tlog-tiles says, needs no login, and takes witnesses' cosignatures only."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from hub.client import keyfile
from hub.domain import checkpoint, limits, merkle, signed_note, tiles
from hub.domain.signed_note import COSIGNATURE, Note
from hub.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hub.services import checkpoints, witnesses
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.web.app import create_app
from tests.services.cast import Cast
from tests.services.conftest import cast, hub, postgresql_cast, postgresql_copy, sqlite_cast, sqlite_copy
from tests.services.log_world import write_leaves

__all__ = ["cast", "hub", "postgresql_cast", "postgresql_copy", "sqlite_cast", "sqlite_copy"]

KEY = keyfile.generate()
WITNESS = signed_note.verifier_key("cirt.example/witness", KEY.public, COSIGNATURE)


@pytest.fixture
def grown(hub: Hub) -> Hub:
    """A hub whose log has more than one tile, all of it under a checkpoint, and one leaf more."""
    write_leaves(hub, 600)
    assert checkpoints.make(hub) is not None
    write_leaves(hub, 1)
    return hub


@pytest.fixture
def client(grown: Hub) -> FlaskClient:
    return create_app(grown).test_client()


def signed(client: FlaskClient) -> Note:
    return signed_note.parse(client.get("/tlog/checkpoint").data)


def test_the_checkpoint_is_a_note_by_the_key_that_is_served(client: FlaskClient) -> None:
    answer = client.get("/tlog/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-store"
    key = signed_note.parse_key(client.get("/tlog/key").text.rstrip("\n"))
    assert [found.name for found, _ in signed_note.verified(signed(client), [key])] == [key.name]
    assert checkpoint.parse(signed(client).text).origin == key.name


def test_tiles_and_entries_give_the_signed_root(client: FlaskClient) -> None:
    tree = checkpoint.parse(signed(client).text)
    leaves: list[bytes] = []
    for index in range(3):
        tile = tiles.Tile(None, index, tiles.width_of(0, index, tree.size))
        answer = client.get(f"/tlog/tile/{tile.path}")
        assert (answer.status_code, answer.content_type) == (200, "application/octet-stream")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        entries = tiles.parse_bundle(answer.data)
        assert {len(entry) for entry in entries} == {32}
        hashes = client.get(f"/tlog/tile/{tiles.Tile(0, index, tile.width).path}").data
        assert hashes == b"".join(merkle.leaf_hash(entry) for entry in entries)
        leaves += entries
    assert len(leaves) == tree.size
    served = merkle.root(
        tree.size,
        tiles.TileHashes(
            lambda level, index: (
                client.get(f"/tlog/tile/{tiles.Tile(level, index, tiles.width_of(level, index, tree.size)).path}").data
            )
        ),
    )
    assert served == tree.root


def test_partial_tiles_stay_after_they_are_full(client: FlaskClient) -> None:
    whole = client.get("/tlog/tile/0/000").data
    assert len(whole) == 8192
    for width in (1, 42, 255):
        assert client.get(f"/tlog/tile/0/000.p/{width}").data == whole[: width * 32]


@pytest.mark.parametrize(
    "path",
    [
        *("tile/0/003", "tile/0/002", "tile/0/002.p/255", "tile/1/000", "tile/1/000.p/3", "tile/2/000.p/1"),
        *("tile/entries/003", "tile/entries/002.p/255", "tile/64/000", "tile/0/0", "tile/0/000.p/256", "tile/x"),
        "tile/0/x999/x999/x999/x999/x999/999",
    ],
)
def test_what_no_checkpoint_covers_is_not_there(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/tlog/{path}")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["checkpoint", "key", "tile/0/000", "tile/entries/001"])
def test_head_is_get_without_the_body_and_nothing_else_is_allowed(client: FlaskClient, path: str) -> None:
    head, get = client.head(f"/tlog/{path}"), client.get(f"/tlog/{path}")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert get.headers["X-Content-Type-Options"] == "nosniff"
    for method in (client.post, client.put, client.delete):
        answer = method(f"/tlog/{path}")
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


@pytest.fixture
def watched(grown: Hub) -> Hub:
    """The same hub with a witness."""
    witnesses.put(grown, LOCAL_OPERATOR, "cirt", WITNESS.text)
    checkpoints.make(grown)
    return grown


def cosigned(client: FlaskClient, hub: Hub, *, after: int = 0) -> bytes:
    """Return the checkpoint as the witness hands it in."""
    text = signed(client).text
    at = hub.clock() // 1_000_000 + after
    return Note(text, (signed_note.cosigned(text, WITNESS.name, KEY, at),)).octets


def hand_in(client: FlaskClient, body: bytes) -> TestResponse:
    return client.post("/tlog/cosignatures", data=body, content_type="text/plain; charset=utf-8")


def test_a_cosignature_is_taken_from_anybody_and_shown_with_the_checkpoint(watched: Hub) -> None:
    client = create_app(watched).test_client()
    assert client.get("/tlog/cosigned-checkpoint").status_code == 404
    answer = hand_in(client, cosigned(client, watched))
    assert (answer.status_code, answer.text) == (200, "cirt\n")
    log = signed_note.parse_key(client.get("/tlog/key").text.strip())
    assert [key.name for key, _ in signed_note.verified(signed(client), [log, WITNESS])] == [log.name, WITNESS.name]
    (row,) = witnesses.listed(watched, LOCAL_OPERATOR)
    assert row.size == checkpoint.parse(signed(client).text).size


def test_the_latest_cosignature_of_a_checkpoint_counts_and_the_cosigned_checkpoint_stays_to_be_had(
    watched: Hub,
) -> None:
    client = create_app(watched).test_client()
    for after in (0, 20, 10):
        assert hand_in(client, cosigned(client, watched, after=after)).status_code == 200
    both = signed(client)
    assert signed_note.time_of(both.signatures[1]) == watched.clock() // 1_000_000 + 20
    write_leaves(watched, 1)
    checkpoints.make(watched)
    assert len(signed(client).signatures) == 1
    assert signed_note.parse(client.get("/tlog/cosigned-checkpoint").data) == both


def test_what_is_no_cosignature_by_a_witness_is_refused_and_changes_nothing(watched: Hub) -> None:
    client = create_app(watched).test_client()
    text, now = signed(client).text, watched.clock() // 1_000_000
    stranger, other = keyfile.generate(), text.replace("\n", "x\n", 1)
    false = signed_note.Signature(WITNESS.name, WITNESS.key_id, bytes(7) + b"\1" + bytes(64))
    size = checkpoint.parse(text).size
    cases: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"x" * (limits.COSIGNATURE_BYTES + 1), 413),
        (signed(client).octets, 403),
        (Note(text, (signed_note.cosigned(text, "somebody", stranger, now),)).octets, 403),
        (Note(text, (signed_note.cosigned(text, WITNESS.name, stranger, now),)).octets, 403),
        (Note(text, (false,)).octets, 403),
        (Note(other, (signed_note.cosigned(other, WITNESS.name, KEY, now),)).octets, 422),
        (cosigned(client, watched, after=limits.SIGNATURE_FUTURE_SECONDS + 5), 422),
        (cosigned(client, watched).replace(f"\n{size}\n".encode(), f"\n{size + 1}\n".encode()), 404),
        (cosigned(client, watched).replace(f"\n{size}\n".encode(), b"\n1\n"), 404),
    ]
    for body, status in cases:
        assert hand_in(client, body).status_code == status, body
    assert len(signed(client).signatures) == 1


def test_a_checkpoint_that_somebody_else_signed_with_the_hubs_key_is_written_down(watched: Hub) -> None:
    client = create_app(watched).test_client()
    tree = checkpoint.parse(signed(client).text)
    forged = checkpoint.Checkpoint(tree.origin, tree.size, b"f" * 32).text
    with capture_logs() as lines:
        body = Note(forged, (signed_note.signed(forged, tree.origin, watched.log_key),)).octets
        assert hand_in(client, body).status_code == 422
    assert [line["size"] for line in lines if line["event"] == "log.split_view"] == [tree.size]


def test_a_removed_witness_is_shown_no_more_and_cannot_hand_in(watched: Hub) -> None:
    client = create_app(watched).test_client()
    assert hand_in(client, cosigned(client, watched)).status_code == 200
    witnesses.remove(watched, LOCAL_OPERATOR, "cirt")
    assert len(signed(client).signatures) == 1
    assert client.get("/tlog/cosigned-checkpoint").status_code == 404
    assert hand_in(client, cosigned(client, watched)).status_code == 403
    with pytest.raises(NotFound):
        witnesses.remove(watched, LOCAL_OPERATOR, "cirt")
    assert witnesses.listed(watched, LOCAL_OPERATOR) == []
    assert witnesses.put(watched, LOCAL_OPERATOR, "cirt", WITNESS.text)[1]
    assert len(signed(client).signatures) == 2


def test_a_name_stays_with_its_key_and_a_key_with_its_name(watched: Hub) -> None:
    assert witnesses.put(watched, LOCAL_OPERATOR, "cirt", WITNESS.text)[1] is False
    another = signed_note.verifier_key(WITNESS.name, keyfile.generate().public, COSIGNATURE).text
    witnesses.remove(watched, LOCAL_OPERATOR, "cirt")
    with pytest.raises(Conflict):
        witnesses.put(watched, LOCAL_OPERATOR, "cirt", another)
    renamed = signed_note.verifier_key("elsewhere.example/witness", KEY.public, COSIGNATURE).text
    with pytest.raises(Conflict):
        witnesses.put(watched, LOCAL_OPERATOR, "second", renamed)
    plain = signed_note.verifier_key(WITNESS.name, keyfile.generate().public).text
    for key in (plain, "x", ""):
        with pytest.raises(InvalidRequest):
            witnesses.put(watched, LOCAL_OPERATOR, "third", key)
    with pytest.raises(InvalidRequest):
        witnesses.put(watched, LOCAL_OPERATOR, "Third", another)


def test_witnesses_have_a_bound(watched: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WITNESSES", 1)
    key = signed_note.verifier_key("a.example/w", keyfile.generate().public, COSIGNATURE).text
    with pytest.raises(Conflict):
        witnesses.put(watched, LOCAL_OPERATOR, "second", key)


def test_only_an_operator_changes_witnesses(sqlite_copy: Cast) -> None:
    for change in (
        lambda who: witnesses.put(sqlite_copy.hub, who, "cirt", WITNESS.text),
        lambda who: witnesses.remove(sqlite_copy.hub, who, "cirt"),
    ):
        with pytest.raises(Forbidden):
            change(sqlite_copy.caller("moderator"))
