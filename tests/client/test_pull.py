"""`cybex pull`: what is new, verified and kept; an interruption loses nothing and repeats nothing."""

from __future__ import annotations

import itertools
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub import cli
from hub.cli.pull import pull as command
from hub.client import pull as module
from hub.client.api import key_directory
from hub.client.feed import collection_url
from hub.client.pull import STATE_FILE, Pulled, pull
from hub.client.push import push
from hub.client.transport import Login, RemoteError, Transport
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import jcs
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.sco_id import deterministic_id
from hub.errors import ConfigError
from tests.client.conftest import Session
from tests.client.hub_server import EVER, HubServer
from tests.client.scripted_server import Asked, Reply, ScriptedServer, envelope
from tests.domain.signing import AUTHOR, AUTHOR_KEY, DOMAIN, INDICATOR, NOW, SIGNED, ring

D = [f"2026-11-0{day}T00:00:00.000000Z" for day in range(1, 8)]


def signed(*objects: Any) -> list[dict[str, Any]]:
    made, _ = sign_objects(objects, AUTHOR_KEY, identity=AUTHOR, created=SIGNED, new_uuid=lambda: str(uuid.uuid4()))
    return made


def note(number: int) -> dict[str, Any]:
    """An object of a vendor, which gets a signature beside it."""
    vendor = "identity--00000000-0000-4000-8000-000000000001"
    return {**INDICATOR, "id": f"indicator--00000000-0000-4000-8000-{number:012d}", "created_by_ref": vendor}


def run(session: Session, server: ScriptedServer, out: Path, **changes: Any) -> Pulled:
    named: dict[str, Any] = {"clock": lambda: NOW} | changes
    *_, pulled = pull(session.transport, collection_url(server.url, "c"), out, ring(), **named)
    return pulled


def kept(out: Path, ending: str = ".json") -> dict[str, list[str]]:
    """Return the ids in each file that is not the bookmark and not of failed objects."""
    files = sorted(path for path in out.glob(f"*{ending}") if path.name != STATE_FILE)
    if ending == ".json":
        files = [path for path in files if not path.name.endswith(".failed.json")]
    return {path.name: [one["id"] for one in json.loads(path.read_text())["objects"]] for path in files}


def bookmark(out: Path) -> Any:
    return json.loads((out / STATE_FILE).read_text())


def test_each_page_is_a_bundle_and_the_bookmark_moves_behind_it(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    first, second = signed(INDICATOR)[0], signed(note(2))
    server.replies(
        envelope(first, dates=(D[0], D[0]), more=True, next="n"),
        envelope(second[1], second[0], dates=(D[1], D[2])),
    )
    pulled = run(session, server, tmp_path)
    assert (pulled.objects, pulled.pages, pulled.by_status) == (2, 2, {"verified": 2})
    assert kept(tmp_path) == {
        "from-the-start.json": [first["id"]],
        "after-20261101T000000000000Z.json": [second[1]["id"], second[0]["id"]],
    }
    assert bookmark(tmp_path)["added_after"] == pulled.bookmark == D[2]
    assert sorted(pulled.files) == sorted(kept(tmp_path))


def test_the_next_pull_asks_for_what_is_newer_and_finds_nothing(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    server.replies(envelope(*signed(INDICATOR), dates=(D[0], D[0])), envelope())
    run(session, server, tmp_path)
    again = run(session, server, tmp_path)
    assert (again.objects, again.files, again.bookmark) == (0, [], D[0])
    assert f"added_after={D[0]}".replace(":", "%3A") in server.asked[1].target


def test_a_crash_between_bundle_and_bookmark_fetches_the_page_again_over_its_own_file(
    server: ScriptedServer, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = signed(note(1)), signed(note(2))
    server.replies(envelope(*reversed(one), dates=(D[0], D[1])), envelope(*one[::-1], *two[::-1], dates=(D[0], D[3])))
    with monkeypatch.context() as patch:
        patch.setattr(module, "_save", _crash)
        with pytest.raises(KeyboardInterrupt):
            run(session, server, tmp_path)
    assert not (tmp_path / STATE_FILE).exists()
    pulled = run(session, server, tmp_path)
    assert pulled.objects == 2
    assert list(kept(tmp_path)) == ["from-the-start.json"]
    assert len(kept(tmp_path)["from-the-start.json"]) == 4


def _crash(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_crash_leaves_no_half_written_file(
    server: ScriptedServer, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies(envelope(*signed(INDICATOR), dates=(D[0], D[0])))
    monkeypatch.setattr("os.fsync", _crash)
    with pytest.raises(KeyboardInterrupt):
        run(session, server, tmp_path)
    assert list(tmp_path.glob("*.json")) == []


def test_an_interrupted_pull_goes_on_after_the_last_whole_page(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    objects = [signed({**INDICATOR, "id": f"indicator--{uuid.uuid4()}"})[0] for _ in range(3)]
    replies = [
        envelope(objects[0], dates=(D[0], D[0]), more=True, next="n"),
        Reply(404),
        envelope(objects[1], objects[2], dates=(D[1], D[2])),
    ]
    server.replies(*replies)
    with pytest.raises(RemoteError):
        run(session, server, tmp_path)
    run(session, server, tmp_path)
    assert sorted(itertools.chain(*kept(tmp_path).values())) == sorted(one["id"] for one in objects)


def test_a_signature_at_the_end_of_a_page_waits_for_its_object_on_the_next(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    (one, over_one), (two, over_two) = signed(note(1)), signed(note(2))
    server.replies(
        envelope(over_one, one, over_two, dates=(D[0], D[2]), more=True, next="n"), envelope(two, dates=(D[3], D[3]))
    )
    pulled = run(session, server, tmp_path)
    assert (pulled.by_status, pulled.apart, pulled.failures) == ({"verified": 2}, 0, [])
    assert bookmark(tmp_path)["carried"] == []


def test_it_waits_over_an_interruption_too(server: ScriptedServer, session: Session, tmp_path: Path) -> None:
    one, over_one = signed(note(1))
    server.replies(
        envelope(over_one, dates=(D[0], D[0]), more=True, next="n"), Reply(404), envelope(one, dates=(D[1], D[1]))
    )
    with pytest.raises(RemoteError):
        run(session, server, tmp_path)
    assert bookmark(tmp_path)["carried"] == [over_one]
    assert run(session, server, tmp_path).by_status == {"verified": 1}


def test_versions_of_one_object_parted_by_a_page_keep_their_signatures(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    newer = {**note(1), "modified": "2026-01-10T09:00:00.000Z"}
    (one, over_one), (two, over_two) = signed(note(1)), signed(newer)
    server.replies(
        envelope(over_one, one, over_two, dates=(D[0], D[2]), more=True, next="n"), envelope(two, dates=(D[3], D[3]))
    )
    assert run(session, server, tmp_path).by_status == {"verified": 2}


def test_a_signature_over_what_is_not_on_the_page_is_kept_and_no_failure(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    """A later version has replaced its object, or the object came with an earlier pull."""
    over_old, (new, over_new) = signed(note(1))[1], signed({**note(1), "modified": "2026-01-10T09:00:00.000Z"})
    server.replies(envelope(over_old, over_new, new, dates=(D[0], D[2])))
    pulled = run(session, server, tmp_path)
    assert (pulled.by_status, pulled.apart, pulled.failures) == ({"verified": 1}, 1, [])
    assert over_old["id"] in kept(tmp_path)["from-the-start.json"]


def test_what_fails_is_kept_apart_with_its_signature(server: ScriptedServer, session: Session, tmp_path: Path) -> None:
    good, (bad, over_bad) = signed(INDICATOR)[0], signed(DOMAIN)
    bad = {**bad, "value": "tampered.example"}
    server.replies(envelope(good, over_bad, bad, dates=(D[0], D[2])))
    pulled = run(session, server, tmp_path)
    # The changed observable is another version than the signed one: nobody has signed what is there.
    assert pulled.by_status == {"verified": 1, "unsigned": 1}
    strict = run(session, server, tmp_path / "strict", require_signatures=True)
    assert [one.id for one in strict.failures] == [bad["id"]]
    assert kept(tmp_path / "strict", ".failed.json") == {"from-the-start.failed.json": [bad["id"]]}


def test_a_changed_object_fails_and_is_evidence(server: ScriptedServer, session: Session, tmp_path: Path) -> None:
    good, bad = signed(INDICATOR, {**INDICATOR, "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd30"})
    server.replies(envelope({**bad, "name": "changed"}, good, dates=(D[0], D[1])))
    pulled = run(session, server, tmp_path)
    assert pulled.by_status == {"verified": 1, "failed": 1}
    assert "it was changed after signing" in pulled.failures[0].reason
    assert kept(tmp_path) == {"from-the-start.json": [good["id"]]}
    assert kept(tmp_path, ".failed.json") == {"from-the-start.failed.json": [bad["id"]]}


def test_a_page_that_is_judged_otherwise_the_second_time_leaves_no_old_verdict(
    server: ScriptedServer, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies(envelope(*signed(INDICATOR), dates=(D[0], D[0])))
    url = collection_url(server.url, "c")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_save", _crash)
        with pytest.raises(KeyboardInterrupt):
            list(pull(session.transport, url, tmp_path, KeyRing([]), clock=lambda: NOW))
    assert list(kept(tmp_path, ".failed.json")) == ["from-the-start.failed.json"]
    run(session, server, tmp_path)
    assert kept(tmp_path, ".failed.json") == {}


def test_the_bytes_that_were_signed_are_what_is_kept(server: ScriptedServer, session: Session, tmp_path: Path) -> None:
    (one,) = signed(INDICATOR)
    server.replies(envelope(one, dates=(D[0], D[0])))
    run(session, server, tmp_path)
    assert jcs(one) in (tmp_path / "from-the-start.json").read_bytes()


def test_a_directory_of_another_collection_or_of_other_types_is_refused(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    server.replies(envelope(*signed(INDICATOR), dates=(D[0], D[0])))
    run(session, server, tmp_path)
    with pytest.raises(ConfigError, match="holds another collection"):
        list(pull(session.transport, server.url + "other/", tmp_path, ring(), clock=lambda: NOW))
    with pytest.raises(ConfigError, match="pull of other types"):
        run(session, server, tmp_path, filters={"match[type]": "indicator"})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', None], ids=str)
def test_a_damaged_bookmark_is_said_and_touched_by_nobody(
    server: ScriptedServer, session: Session, tmp_path: Path, text: str | None
) -> None:
    state = {"url": collection_url(server.url, "c"), "filters": {}, "added_after": "x", "carried": [1]}
    (tmp_path / STATE_FILE).write_text(json.dumps(state) if text is None else text)
    before = (tmp_path / STATE_FILE).read_bytes()
    with pytest.raises(ConfigError) as refused:
        run(session, server, tmp_path)
    assert refused.value.field == "out"
    assert (tmp_path / STATE_FILE).read_bytes() == before
    assert server.asked == []


def test_a_directory_that_cannot_be_made_is_said(server: ScriptedServer, session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        run(session, server, tmp_path / "file" / "out")


def test_what_is_no_stix_is_an_error_and_the_bookmark_stays(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    server.replies(envelope({"name": "no id"}, dates=(D[0], D[0])))
    with pytest.raises(RemoteError, match="without an id or a type"):
        run(session, server, tmp_path)
    assert list(tmp_path.iterdir()) == []


# The command itself, against a real hub.


def share(running: HubServer, *objects: dict[str, Any]) -> None:
    made, _ = sign_objects(
        objects,
        running.keys["aa"],
        identity=running.identity["aa"],
        created="2026-01-10T08:00:01.000Z",
        new_uuid=lambda: str(uuid.uuid4()),
    )
    *_, pushed = push(Transport(Login(token=running.tokens["aa"])), running.api_root, "incidents", made)
    assert not pushed.failures


def cybex_pull(running: HubServer, tmp_path: Path, *arguments: str, handle: str = "bb") -> Result:
    token = tmp_path / f"{handle}.token"
    if not token.exists():
        running.token_file(handle, tmp_path)
    where = ["--url", running.api_root, "--token-file", str(token), "--out", str(tmp_path / "in")]
    return CliRunner().invoke(command, [*where, *arguments])


def own(running: HubServer) -> dict[str, Any]:
    mine = {name: value for name, value in INDICATOR.items() if name != "object_marking_refs"}
    return {**mine, "created_by_ref": running.identity["aa"], "id": f"indicator--{uuid.uuid4()}"}


def test_the_command_pulls_verifies_and_goes_on_later(running: HubServer, tmp_path: Path) -> None:
    share(running, own(running), dict(DOMAIN), own(running))
    first = cybex_pull(running, tmp_path, "--limit", "2")
    assert first.exit_code == 0, first.output
    assert first.stdout.strip() == "3 objects: 3 verified"
    assert "3 objects on 2 pages, 0 failed" in first.stderr
    assert cybex_pull(running, tmp_path).stdout.strip() == "0 objects: nothing new"
    share(running, own(running))
    report = json.loads(cybex_pull(running, tmp_path, "--json").stdout)
    assert (report["objects"], report["by_status"], report["failures"]) == (1, {"verified": 1}, [])
    assert report["files"]
    assert report["bookmark"] == bookmark(tmp_path / "in")["added_after"]


def test_a_pull_by_type_brings_only_that_and_fails_for_no_others_signature(running: HubServer, tmp_path: Path) -> None:
    mutex = {"type": "mutex", "spec_version": "2.1", "id": "mutex--00000000-0000-5000-8000-000000000000", "name": "x"}
    mutex["id"] = str(deterministic_id(mutex))
    share(running, dict(DOMAIN), mutex, own(running))
    pulled = cybex_pull(running, tmp_path, "--type", "domain-name", "--json")
    assert pulled.exit_code == 0, pulled.output
    report = json.loads(pulled.stdout)
    assert report["by_status"] == {"verified": 1}


def test_failures_end_with_exit_code_1(running: HubServer, tmp_path: Path) -> None:
    share(running, own(running))
    (tmp_path / "nobody.json").write_text('{"keys": []}')
    pulled = cybex_pull(running, tmp_path, "--keys", str(tmp_path / "nobody.json"))
    assert pulled.exit_code == 1
    assert "1 failed" in pulled.stdout
    assert "not an enrolled key" in pulled.stdout


def test_an_outsider_is_told_one_line_and_no_traceback(
    running: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = running.token_file("cc", tmp_path)
    where = ["--url", running.api_root, "--token-file", str(token), "--out", str(tmp_path / "in")]
    monkeypatch.setattr(sys, "argv", ["cybex", "pull", *where])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cybex: The other side did not do it: 404")
    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "http://hub.example/alpha/"],
        ["--url", "https://[::1"],
        ["--token-file", "missing.token"],
        ["--certificate", "c.pem"],
        ["--ca", "missing.pem"],
    ],
    ids=["plain-http", "no-address", "no-token", "no-certificate-key", "no-authority"],
)
def test_wrong_options_are_one_line(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t").write_text("token")
    base = ["--url", "https://hub.example/alpha/", "--token-file", "t", "--out", "in"]
    monkeypatch.setattr(sys, "argv", ["cybex", "pull", *base, *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_directory_of_keys_is_the_hubs_own(running: HubServer, tmp_path: Path) -> None:
    """A key that is not in the hub's directory proves nothing, whatever the signature says of itself."""
    listed = key_directory(Transport(Login(token=running.tokens["bb"])), running.api_root)
    assert {item.handle for item in listed} == {"aa", "bb"}
    assert all(isinstance(item.key, SigningKey) and item.key.valid_from == EVER for item in listed)


def test_progress_is_told_page_by_page(server: ScriptedServer, session: Session, tmp_path: Path) -> None:
    objects = [signed({**INDICATOR, "id": f"indicator--{uuid.uuid4()}"})[0] for _ in range(3)]

    def page(asked: Asked) -> Reply:
        number = len(server.asked) - 1
        return envelope(objects[number], dates=(D[number], D[number]), more=number < 2, next=str(number))

    server.script = page
    counts = [one.objects for one in pull(session.transport, server.url, tmp_path, ring(), clock=lambda: NOW)]
    assert counts == [1, 2, 3]
