"""Check `log`, second half: what the log says has happened is still there, or the log also says why it is not."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hub.domain.signature_extensions import SIGNATURE_TYPE
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf, body_of, leaf_of
from hub.services.auditing.leaves import ACCEPTED, RETRACTED
from hub.store import scan

RETENTION = "retention.remove"
_GONE_LINES = ("object.delete",)


def check(ground: Ground) -> Findings:
    """Find leaves of which nothing stored speaks any more and nothing says why."""
    gone, withdrawn = _gone(ground), _withdrawn(ground)
    for uuid, _ in ground.withdrawn:
        gone[uuid, SIGNATURE_TYPE] += 1  # those over what was withdrawn go with it, and no leaf names them
    for piece in scan.pieces(ground.tx, "log_leaf"):
        for row in piece:
            yield from _parties(ground, leaf_of(row))
            if ground.is_explained(row["idx"]):
                continue
            leaf = leaf_of(row)
            name = f"leaf {leaf.index}"
            if leaf.kind == ACCEPTED:
                stix_id, uuid = str(leaf.body.get("id")), str(leaf.body.get("collection"))
                if (uuid, stix_id, leaf.body.get("sha256")) not in withdrawn and not _take(gone, uuid, stix_id):
                    text = f"{stix_id} was accepted, is not stored, and nothing says that it was withdrawn"
                    yield Finding("log.lost", "entry", name, text)
            elif leaf.kind in ROWS:
                text = "what this leaf says was kept is gone"
                yield Finding("log.lost", ROWS[leaf.kind], name, text)
            elif leaf.kind not in KEPT_FOR_A_TIME:
                yield Finding("log.lost", "audit_line", name, f"the audit line of this {leaf.kind} is gone")
        ground.step(len(piece))


def _parties(ground: Ground, leaf: Leaf) -> Findings:
    name = f"leaf {leaf.index}"
    who = leaf.body.get("submitter", leaf.body.get("actor"))
    identity = ground.identity(leaf.peer_id)
    if leaf.peer_id is not None and (identity is None or who not in (None, identity)):
        yield Finding("log.peer", "log_leaf.peer_id", name, "it is not the peer that the leaf's payload names")
    about = _named(ground, str(leaf.body.get("subject", "")))
    if leaf.about is not None and ground.identity(leaf.about) is None:
        yield Finding("log.about", "log_leaf.subject_peer_id", name, "there is no such peer")
    elif leaf.about is not None and about is not None and leaf.about not in (leaf.peer_id, about):
        yield Finding("log.about", "log_leaf.subject_peer_id", name, "it is about another peer")


def _named(ground: Ground, subject: str) -> int | None:
    """Return the peer whose handle the subject of a line holds, as in ``groups/alpha/members/aa``."""
    parts = subject.split("/")
    handles = [after for before, after in pairwise(parts) if before in ("peers", "members")]
    handles += [parts[5]] if len(parts) == 6 and parts[4] == "rights" else []
    found = [row["id"] for row in ground.peers.values() if row["handle"] in handles]
    return found[0] if found else None


ROWS = {"acknowledged": "acknowledgement", RETRACTED: "retraction"}
KEPT_FOR_A_TIME = frozenset({"refused"})
"""What is removed some time after it happened; its leaf stays."""


def _gone(ground: Ground) -> Counter[tuple[str, str]]:
    """Return how many versions audit lines say were withdrawn, by the collection's UUID and the object's STIX id."""
    found: Counter[tuple[str, str]] = Counter()
    for line in scan.having(ground.tx, "audit_line", "action", _GONE_LINES, ("subject", "detail")):
        parts = line["subject"].split("/")
        versions = body_of(line, "detail").get("versions")
        if len(parts) == 3 and isinstance(versions, int):
            found[parts[1], parts[2]] += versions
            found[parts[1], SIGNATURE_TYPE] += 1  # those over it go with it, and no line names or counts them
    for line in scan.having(ground.tx, "audit_line", "action", [RETENTION], ("subject", "detail")):
        versions = body_of(line, "detail").get("versions")
        if isinstance(versions, int):
            found[line["subject"].rpartition("/")[2], RETENTION] += versions
    return found


def _withdrawn(ground: Ground) -> set[tuple[str, str, str]]:
    """Return (collection's UUID, STIX id, SHA-256) of every version that leaves of the log say was withdrawn."""
    found = set()
    for row in scan.having(ground.tx, "log_leaf", "kind", [RETRACTED], ("payload",)):
        body = body_of(row)
        for one in body.get("versions", ()):
            found.add((str(body.get("collection")), str(body.get("id")), str(one.get("sha256"))))
    return found


def _take(gone: Counter[tuple[str, str]], uuid: str, stix_id: str) -> bool:
    """Say whether one more version of an object may be missing."""
    if stix_id.startswith(f"{SIGNATURE_TYPE}--") and gone[uuid, SIGNATURE_TYPE] > 0:
        return True
    for key in ((uuid, stix_id), (uuid, RETENTION)):
        if gone[key] > 0:
            gone[key] -= 1
            return True
    return False
