"""`cybex push`: signed, cut into envelopes the hub takes, posted, and decided on object by object."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub import cli
from hub.cli.push import push as command
from hub.client.push import Pushed, push
from hub.client.transport import RemoteError, Transport
from hub.domain.bundle_signing import sign_objects
from tests.client.conftest import Session
from tests.client.hub_server import HubServer
from tests.client.scripted_server import Asked, Reply, ScriptedServer
from tests.domain.signing import AUTHOR, AUTHOR_KEY, DOMAIN, INDICATOR, SIGNED

VENDOR = "identity--00000000-0000-4000-8000-000000000001"


def vendors(number: int, **changes: Any) -> dict[str, Any]:
    stix_id = f"indicator--00000000-0000-4000-8000-{number:012d}"
    return {**INDICATOR, "id": stix_id, "created_by_ref": VENDOR} | changes


def signed(*objects: Any) -> list[dict[str, Any]]:
    made, _ = sign_objects(objects, AUTHOR_KEY, identity=AUTHOR, created=SIGNED, new_uuid=lambda: str(uuid.uuid4()))
    return made


def line(obj: dict[str, Any]) -> dict[str, str]:
    return {"id": obj["id"], "version": "1"}


def status(
    objects: list[dict[str, Any]], *, state: str = "complete", done: int | None = None, failed: int = 0
) -> dict[str, Any]:
    done = len(objects) - failed if done is None else done
    return {
        "id": "2d086da7-4bdc-4f91-900e-d77486753710",
        "status": state,
        "total_count": len(objects),
        "success_count": done,
        "failure_count": failed,
        "pending_count": len(objects) - done - failed,
        "successes": [line(obj) for obj in objects[:done]],
        "failures": [line(obj) | {"message": "because"} for obj in objects[done : done + failed]],
    }


def taking(server: ScriptedServer, *, most: int = 10_000_000) -> list[list[dict[str, Any]]]:
    """Make the server an API root that takes everything; return the envelopes it gets."""
    taken: list[list[dict[str, Any]]] = []

    def answer(asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(200, json.dumps({"title": "x", "versions": [], "max_content_length": most}).encode())
        assert len(asked.body) <= most
        taken.append(json.loads(asked.body)["objects"])
        return Reply(202, json.dumps(status(taken[-1])).encode())

    server.script = answer
    return taken


def run(session: Session, server: ScriptedServer, objects: list[dict[str, Any]], **changes: Any) -> Pushed:
    *_, pushed = push(session.transport, server.url, "c", objects, **changes)
    return pushed


def test_a_batch_keeps_every_signature_with_its_version(server: ScriptedServer, session: Session) -> None:
    taken = taking(server)
    versions = [vendors(1, modified=f"2026-01-1{day}T08:00:00.000Z") for day in range(3)]
    pieces = signed(*versions, vendors(2), DOMAIN)
    pushed = run(session, server, pieces[::2] + pieces[1::2], batch=3)
    assert (pushed.total, pushed.done, pushed.envelopes, len(pushed.successes)) == (10, 10, 5, 10)
    for target, signature in taken:
        assert signature["related_to"] == target["id"]
        assert signature["related_version"] == target.get("modified", signature["related_version"])


def test_markings_go_before_what_they_mark(server: ScriptedServer, session: Session) -> None:
    taken = taking(server)
    marking = {"type": "marking-definition", "id": "marking-definition--" + str(uuid.uuid4()), "created": SIGNED}
    run(session, server, [vendors(1), vendors(2), marking], batch=1)
    assert [one["type"] for (one,) in taken] == ["marking-definition", "indicator", "indicator"]


def test_a_signature_over_what_the_hub_has_already_is_sent_alone(server: ScriptedServer, session: Session) -> None:
    taken = taking(server)
    run(session, server, signed(vendors(1))[1:])
    assert [one["type"] for one in taken[0]] == ["jss-signature"]


def test_no_envelope_is_longer_than_the_api_root_takes(server: ScriptedServer, session: Session) -> None:
    taken = taking(server, most=2_000)
    run(session, server, [vendors(number) for number in range(20)])
    assert len(taken) > 3
    assert sum(map(len, taken)) == 20


def test_pending_is_asked_for_until_it_is_complete(server: ScriptedServer, session: Session) -> None:
    objects = [vendors(1), vendors(2), vendors(3)]
    root = Reply(200, b'{"max_content_length": 100000}')
    server.replies(
        root,
        *[
            Reply(202, json.dumps(one).encode())
            for one in (
                status(objects, state="pending", done=0),
                status(objects, state="pending", done=2),
                status(objects, done=2, failed=1),
            )
        ],
    )
    seen = [(one.done, one.under_way) for one in push(session.transport, server.url, "c", objects)]
    assert seen == [(0, 0), (0, 2), (3, 0)]
    assert server.asked[-1].target == "/status/2d086da7-4bdc-4f91-900e-d77486753710/"
    assert len(session.waited) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        status([vendors(1)]) | {"status": "done"},
        status([vendors(1)]) | {"total_count": "1"},
        status([vendors(1)]) | {"successes": {"id": "x"}},
        status([vendors(1)]) | {"failures": ["x"]},
        {name: value for name, value in status([vendors(1)]).items() if name != "id"},
    ],
    ids=["empty", "list", "state", "counts", "successes", "failures", "no-id"],
)
def test_what_is_no_status_is_an_error(server: ScriptedServer, session: Session, answer: Any) -> None:
    server.replies(Reply(200, b'{"max_content_length": 100000}'), Reply(202, json.dumps(answer).encode()))
    with pytest.raises(RemoteError, match="not a TAXII status"):
        run(session, server, [vendors(1)])


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"max_content_length": true}', b'{"max_content_length": 0}'])
def test_what_is_no_api_root_is_an_error(server: ScriptedServer, session: Session, body: bytes) -> None:
    server.replies(Reply(200, body))
    with pytest.raises(RemoteError, match="does not answer as one"):
        run(session, server, [vendors(1)])


# The command itself, against a real hub.


@pytest.fixture
def place(running: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with AA's token and key, and an unsigned bundle: one object that names no author, one observable."""
    monkeypatch.chdir(tmp_path)
    running.token_file("aa", tmp_path)
    running.key_file("aa", tmp_path)
    bare = {name: value for name, value in INDICATOR.items() if name not in ("created_by_ref", "object_marking_refs")}
    bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [bare, dict(DOMAIN)]}
    (tmp_path / "incident.json").write_text(json.dumps(bundle))
    return tmp_path


def cybex_push(running: HubServer, *arguments: str, stdin: str | None = None) -> Result:
    where = ["--url", running.api_root, "--token-file", "aa.token"]
    return CliRunner().invoke(command, [*where, *arguments], input=stdin)


def test_a_push_signs_posts_and_says_what_became_of_it(running: HubServer, place: Path) -> None:
    pushed = cybex_push(running, "--key", "aa.pem", "--author", "incident.json")
    assert pushed.exit_code == 0, pushed.output
    assert pushed.stdout == "incident.json: 3 stored, 0 refused\n"
    assert "incident.json: 3 of 3 objects decided" in pushed.stderr
    kept = json.loads((place / "incident.json.signed").read_text())["objects"]
    assert kept[0]["created_by_ref"] == running.identity["aa"]
    assert "signatures" in kept[0]
    assert [one["type"] for one in kept[1:]] == ["domain-name", "jss-signature"]


def test_without_author_nobody_is_named_and_the_signature_stands_beside(running: HubServer, place: Path) -> None:
    assert cybex_push(running, "--key", "aa.pem", "incident.json").exit_code == 0
    kept = json.loads((place / "incident.json.signed").read_text())["objects"]
    assert "created_by_ref" not in kept[0]
    assert [one["type"] for one in kept].count("jss-signature") == 2


def test_a_repeated_push_sends_the_very_same_bytes(
    running: HubServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    real = Transport.post

    def noting(self: Any, url: str, body: bytes, **named: Any) -> Any:
        sent.append(body)
        return real(self, url, body, **named)

    monkeypatch.setattr(Transport, "post", noting)
    for _ in range(2):
        pushed = cybex_push(running, "--key", "aa.pem", "--author", "incident.json", "--json")
        assert pushed.exit_code == 0, pushed.output
    assert sent[0] == sent[1]
    report = json.loads(pushed.stdout)
    assert (report["total"], len(report["successes"]), report["failures"]) == (3, 3, [])


def test_a_changed_file_is_signed_anew(running: HubServer, place: Path) -> None:
    cybex_push(running, "--key", "aa.pem", "--author", "incident.json")
    bundle = json.loads((place / "incident.json").read_text())
    bundle["objects"][0] |= {"modified": "2026-01-11T08:00:00.000Z", "name": "Renamed"}
    (place / "incident.json").write_text(json.dumps(bundle))
    pushed = cybex_push(running, "--key", "aa.pem", "--author", "incident.json")
    assert pushed.exit_code == 0, pushed.output
    assert "Renamed" in (place / "incident.json.signed").read_text()


def test_refused_objects_are_named_and_end_with_exit_code_1(running: HubServer, place: Path) -> None:
    pushed = cybex_push(running, "incident.json")
    assert pushed.exit_code == 1
    assert "0 stored, 2 refused" in pushed.stdout
    assert f"  refused {INDICATOR['id']}: signature: the group requires a signature" in pushed.stdout
    report = json.loads(cybex_push(running, "--json", "incident.json").stdout)
    assert len(report["failures"]) == 2
    assert not (place / "incident.json.signed").exists()


def test_standard_input_is_a_file_too(running: HubServer, place: Path) -> None:
    text = (place / "incident.json").read_text()
    pushed = cybex_push(running, "--key", "aa.pem", "--author", "-", stdin=text)
    assert (pushed.exit_code, pushed.stdout) == (0, "-: 3 stored, 0 refused\n")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("flag", [["--author"], ["--identity", VENDOR]], ids=["author", "identity"])
def test_options_of_the_signer_need_a_key(running: HubServer, flag: list[str]) -> None:
    pushed = cybex_push(running, *flag, "incident.json")
    assert pushed.exit_code == 2
    assert "give --key as well" in pushed.stderr


def test_a_key_without_an_identity_asks_for_one(running: HubServer, place: Path) -> None:
    (place / "aa.pub.json").unlink()
    pushed = cybex_push(running, "--key", "aa.pem", "incident.json")
    assert pushed.exit_code == 2
    assert "--identity" in pushed.stderr
    named = cybex_push(running, "--key", "aa.pem", "--identity", running.identity["aa"], "incident.json")
    assert named.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.json"], "cannot be read"),
        (["broken.json"], "I-JSON"),
        (["nostix.json"], "id and a type"),
        (["--collection", "nowhere", "incident.json"], "404"),
        (["--key", "incident.json", "incident.json"], "key"),
        (["--url", "http://hub.example/", "incident.json"], "https"),
    ],
    ids=["no-file", "no-json", "no-stix", "no-collection", "no-key", "no-https"],
)
def test_what_goes_wrong_is_one_line_and_no_traceback(
    running: HubServer,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    (place / "broken.json").write_text('{"type": "bundle", ')
    (place / "nostix.json").write_text('{"objects": [{"name": "secret-content"}]}')
    base = ["cybex", "push", "--url", running.api_root, "--token-file", "aa.token"]
    monkeypatch.setattr(sys, "argv", base + arguments)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (text,) = capsys.readouterr().err.splitlines()
    assert text.startswith("cybex: ")
    assert said in text
    assert "secret-content" not in text
