"""Admission against what is stored: new, duplicate, conflict or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.admission import Admission, Candidate, KnownVersion, Tombstone, admit
from hub.domain.audience import WHOLE_GROUP, Audience
from hub.domain.policy.ownership import NOT_YOURS

AA, BB, CC = 1, 2, 3
OF_AA, VENDOR = "identity--aa", "identity--vendor"
OLD, NEW = "20261101000000.", "20261102000000."
X, Y = b"x" * 32, b"y" * 32


def named(*peers: int) -> Audience:
    return Audience("named", frozenset(peers))


STORED = KnownVersion(
    collection_id=10,
    group_id=100,
    stix_id="incident--1",
    version="2026-11-01T00:00:00Z",
    version_key=OLD,
    sha256=X,
    date_added=1000,
    author_identity=OF_AA,
    introduced=False,
    submitter_peer_id=AA,
    audience=WHOLE_GROUP,
    expires_at=None,
)
BY_AA = Candidate(
    stix_id="incident--1",
    version_key=OLD,
    sha256=X,
    created_by_ref=OF_AA,
    author_is_peer=True,
    submitter_peer_id=AA,
    group_id=100,
    collection_id=10,
    audience=WHOLE_GROUP,
    is_sco=False,
)
ELSEWHERE = {"group_id": 200, "collection_id": 20}
VENDORS = replace(STORED, author_identity=VENDOR, introduced=True)
NOBODYS = replace(STORED, author_identity=None, introduced=True)
BB_FOR_VENDOR = replace(BY_AA, created_by_ref=VENDOR, author_is_peer=False, submitter_peer_id=BB)
BB_FOR_NOBODY = replace(BB_FOR_VENDOR, created_by_ref=None)
BB_FOR_AA = replace(BB_FOR_VENDOR, created_by_ref=OF_AA)

TABLE: dict[str, tuple[Candidate, list[KnownVersion], str]] = {
    # rule 7: same content, same version
    "nothing stored": (BY_AA, [], "new"),
    "the same again": (BY_AA, [STORED], "duplicate"),
    "the same again for fewer": (replace(BY_AA, audience=named(AA)), [STORED], "duplicate"),
    "the same again for more": (BY_AA, [replace(STORED, audience=named(AA))], "duplicate"),
    "the same again after it expired": (BY_AA, [replace(STORED, expires_at=1)], "duplicate"),
    "the same from another introducer": (BB_FOR_VENDOR, [VENDORS], "duplicate"),
    "the same without author from another": (BB_FOR_NOBODY, [NOBODYS], "duplicate"),
    "the same in another collection": (BY_AA, [replace(STORED, collection_id=11)], "new"),
    "the same in another group": (BY_AA, [replace(STORED, **ELSEWHERE)], "new"),
    "a later version": (replace(BY_AA, version_key=NEW, sha256=Y), [STORED], "new"),
    "an earlier version": (BY_AA, [replace(STORED, version_key=NEW, sha256=Y)], "new"),
    "another object": (BY_AA, [replace(STORED, stix_id="incident--2", sha256=Y)], "new"),
    # rule 7: other content under one version
    "other content": (replace(BY_AA, sha256=Y), [STORED], "conflict"),
    "other content beside the same": (replace(BY_AA, sha256=Y), [STORED, replace(STORED, version_key=NEW)], "conflict"),
    "own other content in another collection": (
        replace(BY_AA, sha256=Y),
        [replace(STORED, collection_id=11)],
        "conflict",
    ),
    "own other content in another group": (replace(BY_AA, sha256=Y), [replace(STORED, **ELSEWHERE)], "conflict"),
    "introduced other content in the group": (
        replace(BB_FOR_VENDOR, sha256=Y),
        [replace(VENDORS, collection_id=11)],
        "conflict",
    ),
    "introduced other content elsewhere": (
        replace(BB_FOR_VENDOR, sha256=Y),
        [replace(VENDORS, **ELSEWHERE)],
        "new",
    ),
    # rule 6: one object, one author
    "another author in the group": (replace(BB_FOR_VENDOR, version_key=NEW), [STORED], "refused"),
    "an author where there was none": (replace(BB_FOR_VENDOR, version_key=NEW), [NOBODYS], "refused"),
    "no author where there was one": (replace(BB_FOR_NOBODY, version_key=NEW), [VENDORS], "refused"),
    "another author, introduced elsewhere": (
        replace(BB_FOR_VENDOR, version_key=NEW),
        [replace(NOBODYS, **ELSEWHERE)],
        "new",
    ),
    "a peer's object elsewhere under another author": (
        replace(BB_FOR_VENDOR, version_key=NEW),
        [replace(STORED, **ELSEWHERE)],
        "refused",
    ),
    "a peer's object elsewhere as one's own": (
        replace(BB_FOR_VENDOR, version_key=NEW, created_by_ref="identity--bb", author_is_peer=True),
        [replace(STORED, **ELSEWHERE)],
        "refused",
    ),
    "a version of a peer's object by another": (replace(BB_FOR_AA, version_key=NEW), [STORED], "refused"),
    "a version of a peer's object by a relay": (
        replace(BB_FOR_AA, version_key=NEW, author_is_peer=True),
        [STORED],
        "new",
    ),
    "a version without author by its first peer": (
        replace(BB_FOR_NOBODY, version_key=NEW, submitter_peer_id=AA),
        [NOBODYS],
        "new",
    ),
    "a version without author by another": (replace(BB_FOR_NOBODY, version_key=NEW), [NOBODYS], "refused"),
    "a version without author by the second": (
        replace(BB_FOR_NOBODY, version_key=NEW),
        [NOBODYS, replace(NOBODYS, submitter_peer_id=BB, date_added=1001)],
        "refused",
    ),
    "without author, introduced elsewhere by another": (
        replace(BB_FOR_NOBODY, version_key=NEW),
        [replace(NOBODYS, **ELSEWHERE)],
        "new",
    ),
    "the same without author in another collection": (
        replace(BB_FOR_NOBODY, collection_id=11),
        [NOBODYS],
        "new",
    ),
    # rule 6: an introducer may not narrow
    "a later version for as many": (replace(BB_FOR_VENDOR, version_key=NEW), [VENDORS], "new"),
    "a later version for fewer": (replace(BB_FOR_VENDOR, version_key=NEW, audience=named(BB)), [VENDORS], "refused"),
    "a later version for others": (
        replace(BB_FOR_VENDOR, version_key=NEW, audience=named(BB, CC)),
        [replace(VENDORS, audience=named(AA, CC))],
        "refused",
    ),
    "a later version for more": (
        replace(BB_FOR_VENDOR, version_key=NEW),
        [replace(VENDORS, audience=named(AA, CC))],
        "new",
    ),
    "a later version for a shorter time": (
        replace(BB_FOR_VENDOR, version_key=NEW, expires_at=2000),
        [VENDORS],
        "refused",
    ),
    "a later version for as long": (
        replace(BB_FOR_VENDOR, version_key=NEW, expires_at=2000),
        [replace(VENDORS, expires_at=2000)],
        "new",
    ),
    "the same introducer narrows": (
        replace(BB_FOR_VENDOR, version_key=NEW, submitter_peer_id=AA, audience=named(AA)),
        [VENDORS],
        "new",
    ),
    "the author narrows": (replace(BY_AA, version_key=NEW, audience=named(AA)), [STORED], "new"),
    "the owner of what has no author narrows": (
        replace(BB_FOR_NOBODY, version_key=NEW, submitter_peer_id=AA, audience=named(AA)),
        [NOBODYS],
        "new",
    ),
    "narrower, but in another collection": (
        replace(BB_FOR_VENDOR, version_key=NEW, audience=named(BB), collection_id=11),
        [VENDORS],
        "new",
    ),
}


@pytest.mark.parametrize(("candidate", "known", "outcome"), TABLE.values(), ids=TABLE)
def test_admission(candidate: Candidate, known: list[KnownVersion], outcome: str) -> None:
    assert admit(candidate, known, None).outcome == outcome
    assert admit(candidate, known[::-1], None).outcome == outcome


SCO = replace(BB_FOR_NOBODY, version_key=None, is_sco=True)
KNOWN_SCO = replace(NOBODYS, version_key=None)


@pytest.mark.parametrize(
    ("candidate", "known", "outcome"),
    [
        pytest.param(SCO, KNOWN_SCO, "duplicate", id="the same for the same"),
        pytest.param(SCO, replace(KNOWN_SCO, version_key=OLD), "duplicate", id="stored under its date_added"),
        pytest.param(replace(SCO, audience=named(BB)), KNOWN_SCO, "duplicate", id="the same for fewer"),
        pytest.param(SCO, replace(KNOWN_SCO, audience=named(AA)), "new", id="the same, stored for others only"),
        pytest.param(SCO, replace(KNOWN_SCO, expires_at=5), "new", id="the same, stored for a shorter time"),
        pytest.param(
            replace(SCO, submitter_peer_id=AA),
            replace(KNOWN_SCO, audience=named(AA)),
            "duplicate",
            id="own again",
        ),
        pytest.param(replace(SCO, sha256=Y), KNOWN_SCO, "new", id="other content is another version"),
        pytest.param(SCO, replace(KNOWN_SCO, collection_id=11), "new", id="in another collection"),
    ],
)
def test_an_observable_belongs_to_nobody(candidate: Candidate, known: KnownVersion, outcome: str) -> None:
    assert admit(candidate, [known], None).outcome == outcome


@pytest.mark.parametrize(
    ("candidate", "tombstone", "outcome"),
    [
        pytest.param(BY_AA, Tombstone("incident--1", None, 5, AA), "new", id="its owner brings it back"),
        pytest.param(BB_FOR_VENDOR, Tombstone("incident--1", None, 5, AA), "refused", id="somebody else"),
        pytest.param(
            replace(BB_FOR_AA, author_is_peer=True),
            Tombstone("incident--1", None, 5, AA),
            "refused",
            id="a relay does not bring back what the author withdrew",
        ),
        pytest.param(BB_FOR_VENDOR, Tombstone("incident--1", OLD, 5, AA), "refused", id="the deleted version"),
        pytest.param(BB_FOR_VENDOR, Tombstone("incident--1", NEW, 5, AA), "new", id="another version"),
        pytest.param(SCO, Tombstone("incident--1", None, 5, AA), "refused", id="an observable by somebody else"),
    ],
)
def test_only_its_owner_brings_back_what_was_deleted(candidate: Candidate, tombstone: Tombstone, outcome: str) -> None:
    assert admit(candidate, [], tombstone).outcome == outcome


def test_what_is_in_the_way_is_named_to_those_who_may_see_it() -> None:
    conflict = admit(replace(BY_AA, sha256=Y), [STORED], None)
    assert (conflict.rule, conflict.reason) == (
        "version",
        "this version is stored already with other content: send changed content with a later modified time",
    )
    assert admit(BY_AA, [STORED], None) == Admission("duplicate", "version", "already stored")
    narrower = admit(replace(BB_FOR_VENDOR, version_key=NEW, audience=named(BB)), [VENDORS], None)
    assert "another member introduced" in narrower.reason


HIDDEN: dict[str, tuple[Candidate, KnownVersion]] = {
    "a conflict outside the audience": (replace(BB_FOR_VENDOR, sha256=Y), replace(VENDORS, audience=named(AA))),
    "a conflict that may have expired": (replace(BB_FOR_VENDOR, sha256=Y), replace(VENDORS, expires_at=1)),
    "a conflict in another collection": (replace(BB_FOR_VENDOR, sha256=Y), replace(VENDORS, collection_id=11)),
    "a conflict where one may not read": (replace(BB_FOR_VENDOR, sha256=Y, may_read=False), VENDORS),
    "a conflict in another group": (
        replace(BB_FOR_VENDOR, sha256=Y, author_is_peer=True),
        replace(VENDORS, **ELSEWHERE),
    ),
    "another author, hidden": (
        replace(BB_FOR_VENDOR, version_key=NEW),
        replace(STORED, audience=named(AA)),
    ),
    "another author in another group": (replace(BB_FOR_VENDOR, version_key=NEW), replace(STORED, **ELSEWHERE)),
    "wider than one may know": (
        replace(BB_FOR_VENDOR, version_key=NEW, audience=named(BB)),
        replace(VENDORS, audience=named(AA)),
    ),
}


@pytest.mark.parametrize(("candidate", "known"), HIDDEN.values(), ids=HIDDEN)
def test_what_is_hidden_is_refused_in_the_words_of_any_refusal(candidate: Candidate, known: KnownVersion) -> None:
    admission = admit(candidate, [known], None)
    assert (admission.rule, admission.reason) == ("ownership", NOT_YOURS)
    assert admission.outcome in ("conflict", "refused")


_AUDIENCES = st.sampled_from([WHOLE_GROUP, named(AA), named(AA, BB), named(BB), Audience("except", frozenset({BB}))])
_SHARED: dict[str, Any] = {
    "version_key": st.sampled_from([OLD, NEW]),
    "sha256": st.sampled_from([X, Y]),
    "submitter_peer_id": st.sampled_from([AA, BB]),
    "group_id": st.sampled_from([100, 200]),
    "audience": _AUDIENCES,
    "expires_at": st.sampled_from([None, 1, 2000]),
}
_KNOWN = st.builds(
    lambda **made: replace(STORED, **made, collection_id=made["group_id"] // 10),
    author_identity=st.sampled_from([None, OF_AA, VENDOR]),
    introduced=st.booleans(),
    **_SHARED,
)
_CANDIDATES = st.builds(
    lambda **made: replace(BY_AA, **made, collection_id=made["group_id"] // 10),
    created_by_ref=st.sampled_from([None, OF_AA, VENDOR]),
    author_is_peer=st.booleans(),
    is_sco=st.just(False),
    **_SHARED,
)


@given(_CANDIDATES, st.lists(_KNOWN, max_size=4))
def test_no_version_ever_gets_a_second_content_in_a_group(candidate: Candidate, known: list[KnownVersion]) -> None:
    admission = admit(candidate, known, None)
    if admission.outcome == "new":
        here = [one for one in known if one.group_id == candidate.group_id]
        assert all(one.sha256 == candidate.sha256 for one in here if one.version_key == candidate.version_key)
        assert {one.author_identity for one in here} <= {candidate.created_by_ref}


@given(_CANDIDATES, st.lists(_KNOWN, max_size=4))
def test_a_stranger_learns_nothing_from_a_refusal(candidate: Candidate, known: list[KnownVersion]) -> None:
    hidden = [one for one in known if one.submitter_peer_id != candidate.submitter_peer_id]
    hidden = [replace(one, audience=named(CC)) for one in hidden]
    admission = admit(candidate, hidden, None)
    if admission.outcome in ("refused", "conflict"):
        assert (admission.rule, admission.reason) == ("ownership", NOT_YOURS)
