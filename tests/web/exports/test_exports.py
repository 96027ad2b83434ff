"""Polling exports: who gets what, what a token opens and what it does not, and what a poll costs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator

import pytest
import zstandard

from hub.domain import limits
from hub.domain.membership import Right
from hub.errors import Forbidden, InvalidRequest, NotFound
from hub.exports import block_list
from hub.exports.formats import FORMATS, Format
from hub.exports.request import Request
from hub.services import audit, collections, credentials, delivered, deliveries, export_tokens, exports, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.cast import SECOND
from tests.services.desk import Desk
from tests.web.exports.conftest import Get, lines, pattern, token


def basic(secret: str, name: str = "x") -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def login(desk: Desk, part: str) -> str:
    return basic(desk.cast.logins[part][1], desk.cast.logins[part][0])


def test_a_token_in_the_path_gives_what_its_peer_may_block(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    answer = get(f"/exports/{secret}")
    assert lines(answer) == ["5.6.7.8", "5.6.9.1"]
    assert "# left out, pap: 1" in answer.text
    assert "66.66" not in answer.text
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Cybex-Entries"] == "2"
    assert lines(get(f"/exports/{secret}/blocked.txt")) == ["5.6.7.8", "5.6.9.1"]
    assert lines(get("/exports/", Authorization=basic(secret))) == ["5.6.7.8", "5.6.9.1"]


def test_each_recipient_gets_his_own(filled: Desk, get: Get) -> None:
    assert "66.66.66.66" in lines(get(f"/exports/{token(filled, 'ee')[1]}"))
    assert "66.66.66.66" in lines(get(f"/exports/{token(filled, 'aa')[1]}"))
    assert "66.66.66.66" not in lines(get(f"/exports/{token(filled, 'bb')[1]}"))


def test_a_credential_gives_the_same_with_options(filled: Desk, get: Get) -> None:
    answer = get("/exports/groups/alpha/domain?collection=indicators", Authorization=login(filled, "feed"))
    assert lines(answer) == ["evil.net"]
    assert get("/exports/groups/alpha/ip?x=1", Authorization=login(filled, "feed")).status_code == 400
    assert get("/exports/groups/alpha/ip?ttl=x", Authorization=login(filled, "feed")).status_code == 400
    assert get("/exports/groups/alpha/ip?ttl=5&ttl=6", Authorization=login(filled, "feed")).status_code == 400
    kept = get("/exports/groups/alpha/ip?keep_out=5.6.9.0/24,x.org", Authorization=login(filled, "feed"))
    assert lines(kept) == ["5.6.7.8"]
    assert "warning list of-the-reader: 1" in kept.text


STRANGERS = [
    ("feed", "/exports/groups/alpha/nothing", 404),
    ("feed", "/exports/groups/nowhere/ip", 404),
    ("feed", "/exports/groups/alpha/ip?collection=nothing", 404),
    ("foreign", "/exports/groups/alpha/ip", 404),
    ("lonely", "/exports/groups/alpha/ip", 404),
    ("operator", "/exports/groups/alpha/ip", 404),
    ("revoked", "/exports/groups/alpha/ip", 401),
]


def test_what_is_not_his_to_know_of_does_not_exist(filled: Desk, get: Get) -> None:
    answered = [(part, path, get(path, Authorization=login(filled, part)).status_code) for part, path, _ in STRANGERS]
    assert answered == STRANGERS
    assert get("/exports/groups/alpha/ip").status_code == 401


def test_a_token_opens_nothing_else(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    for name in ("x", "token", "bb.analyst"):
        for path in ("/taxii2/", "/alpha/", "/alpha/collections/", "/api/v1/whoami", "/exports/groups/alpha/ip"):
            assert get(path, Authorization=basic(secret, name)).status_code == 401
            assert get(path, Authorization=f"Bearer {secret}").status_code == 401
    assert get("/exports/", Authorization=f"Bearer {secret}").status_code == 401
    assert get("/exports/", Authorization=login(filled, "feed")).status_code == 401
    assert get(f"/exports/{secret}", method="POST").status_code == 405


def test_a_wrong_token_is_an_address_of_nothing(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    wrong = [
        secret[:-1] + ("a" if secret[-1] != "a" else "b"),
        secret[:28] + "a" * 40,
        "x",
        "cybexport_",
        secret.upper(),
    ]
    answers = {
        (get(f"/exports/{one}").status_code, get("/exports/", Authorization=basic(one)).status_code) for one in wrong
    }
    assert answers == {(404, 401)}
    assert get(f"/exports/{secret}").status_code == 200


def test_a_token_ends_when_it_is_revoked_or_expires_or_its_credential_is_revoked(filled: Desk, get: Get) -> None:
    bb = filled.callers["bb"]
    revoked, expiring = token(filled), token(filled, expires_at=filled.now() + 10 * SECOND)
    made_by, lasting = token(filled), token(filled, "aa", never_expires=True)
    export_tokens.revoke(filled.hub, bb, revoked[0])
    filled.wait(11)
    assert [get(f"/exports/{one[1]}").status_code for one in (revoked, expiring, made_by, lasting)] == [
        404,
        404,
        200,
        200,
    ]
    credentials.revoke(filled.hub, OPERATOR, "bb", bb.credential_id)
    filled.wait(limits.CREDENTIAL_LIFETIME_SECONDS)
    assert [get(f"/exports/{one[1]}").status_code for one in (made_by, lasting)] == [404, 200]


def test_rights_are_asked_for_at_each_poll(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    one = token(filled, collection="indicators")[1]
    assert get(f"/exports/{secret}").status_code == 200
    collections.set_rights(filled.hub, OPERATOR, "alpha", "indicators", "bb", (False, None))
    assert lines(get(f"/exports/{secret}")) == []
    assert get(f"/exports/{one}").status_code == 403
    members.put(filled.hub, OPERATOR, "alpha", "bb", {Right.WRITE})
    assert get(f"/exports/{secret}").status_code == 403
    members.suspend(filled.hub, OPERATOR, "alpha", "bb")
    assert get(f"/exports/{secret}").status_code == 404
    members.restore(filled.hub, OPERATOR, "alpha", "bb")
    peers.update(filled.hub, OPERATOR, "bb", suspended=True)
    assert get(f"/exports/{secret}").status_code == 404


def test_what_has_not_changed_is_not_sent_again_and_not_looked_at(
    filled: Desk, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = token(filled)
    first = get(f"/exports/{secret}")
    tag = first.headers["ETag"]
    filled.wait(5)
    assert lines(get(f"/exports/{secret}")) == lines(first)
    with monkeypatch.context() as patched:
        patched.setattr(exports, "_made", None)  # looking would fail
        again = get(f"/exports/{secret}", If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    assert get(f"/exports/{secret}").headers["Last-Modified"] == first.headers["Last-Modified"]
    assert get(f"/exports/{token(filled)[1]}", If_None_Match=f'"x", {tag}').status_code == 304
    assert get(f"/exports/{token(filled, options={'aggregate': False})[1]}", If_None_Match=tag).status_code == 304


def test_another_process_answers_with_the_same_tag(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    tag = get(f"/exports/{secret}").headers["ETag"]
    filled.wait(5)
    filled.hub.exports._known.clear()
    assert get(f"/exports/{secret}", If_None_Match=tag).status_code == 304


def test_a_new_a_withdrawn_and_an_expired_indicator_change_the_tag(filled: Desk, get: Get) -> None:
    _, secret = token(filled)

    def poll(known: str = "") -> tuple[int, str, list[str]]:
        answer = get(f"/exports/{secret}", If_None_Match=known)
        return answer.status_code, answer.headers["ETag"], [] if answer.status_code == 304 else lines(answer)

    _, tag, before = poll()
    more = pattern(filled, "[ipv4-addr:value = '9.1.2.3']")
    filled.share("aa", more, alias="indicators")
    status, tag, found = poll(tag)
    assert (status, found) == (200, [*before, "9.1.2.3"])
    assert poll(tag)[0] == 304
    revoking = {**more, "modified": filled.stamp(1), "revoked": True}
    filled.wait(2)
    filled.share("aa", revoking, alias="indicators")
    status, tag, found = poll(tag)
    assert (status, found) == (200, before)
    filled.wait(3600)  # one was valid for an hour
    status, tag, found = poll(tag)
    assert (status, found) == (200, ["5.6.7.8"])
    assert poll(tag)[0] == 304


def test_what_a_poll_gave_is_in_the_delivery_ledger_and_what_it_left_out_is_not(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    hub = filled.hub
    assert get(f"/exports/{secret}", method="HEAD").status_code == 200
    assert hub.deliveries.take() == []
    tag = get(f"/exports/{secret}").headers["ETag"]
    waiting = hub.deliveries.take()
    assert len(waiting) == 1
    page = filled.opened("bb", "indicators").collection.id
    assert waiting[0].collection_id == page
    assert waiting[0].types == {"indicator"}
    hub.deliveries.put_back(waiting)
    deliveries.flush(hub)
    states = {}
    for one in filled.seen("aa", "indicators"):
        if one["type"] == "indicator":
            (version,) = delivered.delivered(hub, filled.callers["aa"], one["id"])
            states[one["pattern"].split("'")[1]] = {each.peer.handle: each.state for each in version.peers}["bb"]
    assert states == {
        "5.6.7.8": "served",
        "5.6.9.1": "served",
        "evil.net": "not-yet",
        "7.7.7.7": "not-yet",
        "66.66.66.66": "may-not",
    }
    hub.deliveries.take()
    assert get(f"/exports/{secret}", If_None_Match=tag).status_code == 304
    assert hub.deliveries.take() == []


def test_what_fails_on_the_way_is_no_short_list(filled: Desk, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(request: Request) -> Iterator[bytes]:
        pieces = block_list.ip(request)
        yield next(pieces)
        yield b"5.6.7.8\n" * 300_000
        raise OSError("the disk is full")

    monkeypatch.setitem(FORMATS, "ip", Format(failing, "text/plain", "txt"))  # type: ignore[arg-type]
    answer = get(f"/exports/{token(filled)[1]}")
    assert answer.status_code == 500
    assert b"5.6.7.8" not in answer.data
    assert filled.hub.deliveries.take() == []


def test_an_export_is_compressed_for_whoever_takes_it(filled: Desk, get: Get) -> None:
    _, secret = token(filled)
    plain = get(f"/exports/{secret}").data
    packed = get(f"/exports/{secret}", Accept_Encoding="gzip")
    assert (packed.headers["Content-Encoding"], gzip.decompress(packed.data)) == ("gzip", plain)
    assert packed.headers["Content-Length"] == str(len(packed.data))
    packed = get(f"/exports/{secret}", Accept_Encoding="zstd")
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed.data) == plain
    assert packed.headers["ETag"] == get(f"/exports/{secret}").headers["ETag"]


def test_too_much_is_refused_and_not_cut(filled: Desk, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = token(filled)
    monkeypatch.setattr(limits, "EXPORT_OBJECTS", 2)
    assert get(f"/exports/{secret}").status_code == 409
    monkeypatch.undo()
    monkeypatch.setattr(limits, "EXPORT_BYTES", 100)
    assert get(f"/exports/{secret}").status_code == 409


def test_who_is_not_given_a_turn_comes_again(filled: Desk, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = token(filled)
    monkeypatch.setattr(limits, "EXPORT_PATIENCE_SECONDS", 0.01)
    with filled.hub.exports.turn(), filled.hub.exports.turn():
        answer = get(f"/exports/{secret}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert get(f"/exports/{secret}").status_code == 200


def test_objects_of_all_collections_come_once_as_they_are_stored(filled: Desk, get: Get) -> None:
    shared = filled.incident("aa")
    signed = filled.sign("aa", shared)
    for alias in ("indicators", "incidents"):
        assert not filled.post("aa", *signed, alias=alias).failures
    bundle = json.loads(get(f"/exports/{token(filled, format_='stix')[1]}").data)
    ids = [one["id"] for one in bundle["objects"]]
    assert ids.count(shared["id"]) == 1
    assert len(ids) == len(set(ids)) == 5  # four indicators and the incident
    raw = get(f"/exports/{token(filled, format_='stix')[1]}").data
    assert sum(body in raw for body in set(filled.stored())) == len(ids)
    assert b"66.66" not in raw


def test_every_format_is_served(filled: Desk, get: Get) -> None:
    for name, format_ in FORMATS.items():
        answer = get(f"/exports/{token(filled, format_=name)[1]}/x")
        assert answer.status_code == 200, name
        assert answer.headers["Content-Type"] == format_.media_type, name
        assert b"66.66.66.66" not in answer.data, name


def test_a_token_is_made_and_revoked_on_the_record_and_for_ones_own_peer(filled: Desk) -> None:
    hub = filled.hub
    uuid, secret = token(filled)
    export_tokens.revoke(hub, filled.callers["bb"], uuid)
    export_tokens.revoke(hub, filled.callers["bb"], uuid)
    told = [row.line for row in audit.recent(hub, OPERATOR, limit=2)]
    assert [line.action for line in told] == ["export-token.revoke", "export-token.add"]
    assert {line.subject for line in told} == {f"peers/bb/export-tokens/{uuid}"}
    assert secret[10:] not in str(told)
    for wrong, field in (
        ({"format_": "x"}, "format"),
        ({"options": {"x": 1}}, "options"),
        ({"label": "a\nb"}, "label"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            token(filled, **wrong)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        token(filled, slug="nowhere")
    with pytest.raises(Forbidden):
        export_tokens.add(
            hub, filled.callers["bb"], handle="aa", slug="alpha", collection=None, format_="ip", options={}, label="x"
        )
    with pytest.raises(NotFound):
        export_tokens.shown(hub, filled.callers["aa"], uuid)
    assert [row.uuid for row in export_tokens.listed(hub, filled.callers["aa"])] == []
    assert [row.uuid for row in export_tokens.listed(hub, OPERATOR)] == [uuid]
    with pytest.raises(Forbidden):
        export_tokens.listed(hub, filled.cast.caller("feed"))
