"""A hub that lies, by name: an honest one behind its own application, and one switch for each lie it can tell.

What is told to a peer is changed on its way out, with the hub's own keys where a hub would use them. What is
written is changed in the database, as hostile software would. `LIES` says of each who finds out, with which command;
docs/trust.md says the same in words, and a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sqlalchemy import text
from werkzeug.test import run_wsgi_app

from hub.client import keyfile
from hub.domain import jss, merkle, signed_note
from hub.domain.canonical import jcs
from hub.domain.checkpoint import Checkpoint
from hub.domain.retraction import is_retraction
from hub.domain.signature_extensions import INLINE_EXTENSION_ID, SIGNATURE_TYPE
from hub.domain.stix import instant_us
from hub.domain.taxii_time import format_timestamp
from hub.services.context import Hub


@dataclass(frozen=True)
class Lie:
    """What a hub may try, who finds out, and with which command.

    :param test: name of the test that shows it, in ``tests/test_simulator.py``.
    """

    party: str
    command: str
    test: str


def _lie(name: str, party: str, command: str) -> tuple[str, Lie]:
    return name, Lie(party, command, f"test_{name}")


LIES: Final[Mapping[str, Lie]] = dict(
    (
        _lie("receipts_forged", "author", "cybex push"),
        _lie("denies_logging", "author", "cybex receipt"),
        _lie("withholds_retraction", "author", "cybex acknowledgements"),
        _lie("alters_object", "other member", "cybex pull"),
        _lie("strips_signature", "other member", "cybex pull"),
        _lie("replays_old_version", "other member", "cybex pull"),
        _lie("dates_pages_back", "other member", "cybex pull"),
        _lie("key_swapped", "other member", "cybex pull"),
        _lie("log_rewound", "witness", "cybex witness"),
        _lie("splits_view", "witness", "cybex witness"),
        _lie("log_key_swapped", "witness", "cybex witness"),
        _lie("backdates", "auditor", "cybex audit"),
        _lie("drops_object", "auditor", "cybex audit"),
        _lie("alters_marking", "auditor", "cybex audit"),
        _lie("invents_member", "auditor", "cybex audit"),
        _lie("rewrites_receipt", "auditor", "cybex audit"),
    )
)

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Simulator:
    """A WSGI application that is the hub's own as long as no lie is switched on."""

    app: WSGIApplication
    hub: Hub
    lies: set[str] = field(default_factory=set)
    remembered: dict[str, bytes] = field(default_factory=dict)  # what was once answered, by path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        chunks, status, headers = run_wsgi_app(self.app, environ)
        answer = int(status.split()[0]), dict(headers), b"".join(chunks)
        path = str(environ["PATH_INFO"])
        for name in sorted(self.lies):
            tell = getattr(self, f"_{name}", None)
            if tell is not None:
                answer = tell(str(environ["REQUEST_METHOD"]), path, answer)
        if answer[0] == 200 and not self.lies:
            self.remembered[path] = answer[2]
        answer[1]["Content-Length"] = str(len(answer[2]))
        start_response(f"{answer[0]} Whatever", list(answer[1].items()))
        return [answer[2]]

    def write(self, sql: str, **values: object) -> int:
        """Change the database as hostile software would; return how many rows it concerned."""
        with self.hub.db.write() as tx:
            return tx.execute(text(sql), values).rowcount

    # What is told to the author.

    def _receipts_forged(self, method: str, path: str, answer: Answer) -> Answer:
        """Sign the receipt with another key than the hub's: whoever sits between cannot do better."""
        return _on(answer, method == "POST" and path.endswith("/objects/"), self._forge)

    def _forge(self, body: dict[str, Any]) -> None:
        receipt = body.get("x_cybex_receipt")
        if receipt is not None:
            bare = {name: value for name, value in receipt.items() if name != "signatures"}
            names = ("type", "id", "created", "modified", "signee")
            metadata = {name: receipt["signatures"][0][name] for name in names}
            body["x_cybex_receipt"] = jss.sign(bare, keyfile.generate(), metadata=metadata)

    def _denies_logging(self, method: str, path: str, answer: Answer) -> Answer:
        """Open another leaf than the one the receipt has promised."""

        def change(body: dict[str, Any]) -> None:
            payload = json.loads(body["payload"])
            body["payload"] = jcs({**payload, "sha256": "00" * 32}).decode()

        return _on(answer, "/log/leaves/" in path, change)

    # What is told to readers.

    def _withholds_retraction(self, method: str, path: str, answer: Answer) -> Answer:
        return _on_pages(answer, method, path, lambda objects: [one for one in objects if not is_retraction(one)])

    def _alters_object(self, method: str, path: str, answer: Answer) -> Answer:
        return _on_pages(answer, method, path, lambda objects: [_renamed(one) for one in objects])

    def _strips_signature(self, method: str, path: str, answer: Answer) -> Answer:
        return _on_pages(answer, method, path, _stripped)

    def _replays_old_version(self, method: str, path: str, answer: Answer) -> Answer:
        """Give what the page held once, dated as if it had just come."""
        if method == "GET" and path.endswith("/objects/") and path in self.remembered:
            now = format_timestamp(self.hub.clock())
            dates = {f"X-TAXII-Date-Added-{end}": now for end in ("First", "Last")}
            return answer[0], {**answer[1], **dates}, self.remembered[path]
        return answer

    def _dates_pages_back(self, method: str, path: str, answer: Answer) -> Answer:
        if method == "GET" and path.endswith("/objects/") and "X-TAXII-Date-Added-First" in answer[1]:
            first = instant_us(answer[1]["X-TAXII-Date-Added-First"]) - 3_600_000_000
            return answer[0], {**answer[1], "X-TAXII-Date-Added-First": format_timestamp(first)}, answer[2]
        return answer

    def _key_swapped(self, method: str, path: str, answer: Answer) -> Answer:
        """Name a key of the hub's own making as that of each member."""

        def change(body: dict[str, Any]) -> None:
            for entry in body["keys"]:
                other = keyfile.generate().public
                entry |= {"public_key": other.text, "kid": other.kid}

        return _on(answer, path.endswith("/keys"), change)

    # What is told of the log.

    def _log_rewound(self, method: str, path: str, answer: Answer) -> Answer:
        if path.endswith("/tlog/checkpoint") and path in self.remembered:
            return answer[0], answer[1], self.remembered[path]
        return answer

    def _splits_view(self, method: str, path: str, answer: Answer) -> Answer:
        """Sign another tree of the same size with the log's own key."""
        return self._signed_by(self.hub.log_key, path, answer, split=True)

    def _log_key_swapped(self, method: str, path: str, answer: Answer) -> Answer:
        return self._signed_by(keyfile.generate(), path, answer, split=False)

    def _signed_by(self, key: Any, path: str, answer: Answer, *, split: bool) -> Answer:
        if not path.endswith("/tlog/checkpoint"):
            return answer
        origin, size, _ = signed_note.parse(answer[2]).text.split("\n")[:3]
        root = merkle.leaf_hash(b"another tree") if split else merkle.EMPTY_ROOT
        told = Checkpoint(origin, int(size), root).text
        line = signed_note.signed(told, origin, key).line
        return answer[0], answer[1], f"{told}\n{line}".encode()

    # What is written.

    def drops_object(self, stix_id: str) -> None:
        """Lose an object that was accepted, and let the counts agree."""
        gone = self.write("DELETE FROM entry WHERE stix_id = :id", id=stix_id)
        self.write("UPDATE collection SET entries = entries - :gone WHERE entries > 0", gone=gone)

    def alters_marking(self, stix_id: str) -> None:
        """Let everybody read what its author gave to some."""
        assert self.write("UPDATE entry SET audience_id = 1 WHERE stix_id = :id", id=stix_id)

    def invents_member(self, handle: str) -> None:
        """Let a peer into the group without anybody's word."""
        peer = "SELECT id FROM peer WHERE handle = :handle"
        # The one value is bound; the statement is written out here.
        self.write(
            "INSERT INTO member (group_id, peer_id, may_read, may_write, may_moderate, joined_at)"
            f" SELECT 1, ({peer}), 1, 1, 0, 0",
            handle=handle,
        )

    def rewrites_receipt(self) -> None:
        """Say in the kept receipt that everything was refused; without the hub's key it cannot be signed."""
        assert self.write("UPDATE submission SET receipt = replace(receipt, 'accepted', 'rejected')")


def _on(answer: Answer, applies: bool, change: Callable[[dict[str, Any]], None]) -> Answer:
    if not applies or answer[0] >= 300:
        return answer
    body = json.loads(answer[2])
    change(body)
    return answer[0], answer[1], json.dumps(body).encode()


_Objects = list[dict[str, Any]]


def _on_pages(answer: Answer, method: str, path: str, change: Callable[[_Objects], _Objects]) -> Answer:
    def apply(body: dict[str, Any]) -> None:
        if "objects" in body:
            body["objects"] = change(body["objects"])

    return _on(answer, method == "GET" and "/objects/" in path, apply)


def _renamed(obj: dict[str, Any]) -> dict[str, Any]:
    return {**obj, "name": "nothing to worry about"} if "name" in obj else obj


def _stripped(objects: _Objects) -> _Objects:
    """Remove every signature, and what would show that there was one."""
    kept = []
    for obj in objects:
        if obj["type"] == SIGNATURE_TYPE:
            continue
        bare = {name: value for name, value in obj.items() if name != "signatures"}
        extensions = {name: value for name, value in obj.get("extensions", {}).items() if name != INLINE_EXTENSION_ID}
        bare["extensions"] = extensions
        kept.append(bare if extensions else {name: value for name, value in bare.items() if name != "extensions"})
    return kept
