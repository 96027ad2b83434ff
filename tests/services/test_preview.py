"""A preview says what then happens, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub.domain.membership import Right
from hub.domain.tlp import LEVELS
from hub.errors import Forbidden, NotFound, Unprocessable
from hub.services import groups, members, preview
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.preview import Preview, Previewed
from hub.store import tables
from tests.services.desk import Desk, Stix, domain, later, marked

GREEN, AMBER, RED = (
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
)
COUNTED = [table for name, table in tables.metadata.tables.items() if name not in ("credential",)]


def ask(desk: Desk, handle: str, *objects: Mapping[str, Any], slug: str = "alpha") -> Preview:
    envelope = {"objects": json.loads(json.dumps([dict(one) for one in objects]))}
    return preview.preview(desk.hub, desk.callers[handle], slug, "incidents", envelope)


def everything(desk: Desk) -> dict[str, list[str]]:
    """Return every row of the hub."""
    with desk.hub.db.read() as tx:
        return {table.name: sorted(repr(row) for row in tx.execute(select(table))) for table in COUNTED}


def line(found: Preview, stix_id: str) -> Previewed:
    (one,) = (each for each in found.objects if each.stix_id == stix_id)
    return one


def seeing(found: Preview, one: Previewed) -> set[str]:
    assert one.readers is not None
    return {each.peer.handle for each in found.readers[one.readers].named if each.may_read}


def objects_of(desk: Desk, author: str) -> st.SearchStrategy[list[Stix]]:
    """Return lists of objects as a peer may try to post them, good and bad."""
    everyone = sorted(desk.identity.values())
    terms = st.builds(
        lambda kind, whom, seconds: {
            "to": {"recipient_refs": sorted(whom)},
            "not": {"excluded_refs": sorted(whom)},
            "embargo": {"embargo_until": desk.stamp(seconds)},
            "ends": {"permission_expires": desk.stamp(seconds)},
        }[kind],
        st.sampled_from(["to", "not", "embargo", "ends"]),
        st.sets(st.sampled_from(everyone), min_size=1, max_size=2),
        st.sampled_from([-60, 60, 3600]),
    )

    def one(kind: str, said: dict[str, Any] | None, level: str | None, signed: bool) -> list[Stix]:
        made: Stix = {
            "own": lambda: desk.incident(author),
            "other's": lambda: desk.incident("ee" if author != "ee" else "aa"),
            "nobody's": lambda: desk.incident(None),
            "address": lambda: domain(),
            "broken": lambda: {**desk.incident(author), "modified": "yesterday"},
        }[kind]()
        extra: list[Stix] = []
        refs = [level] if level else []
        if said is not None:
            extra.append(desk.releasability(author, **said))
            refs.append(extra[0]["id"])
        if refs:
            made["object_marking_refs"] = refs
        if not signed or kind == "broken":
            return [*extra, made]
        return desk.sign(author, *extra, made)

    kinds = st.sampled_from(["own", "own", "own", "other's", "nobody's", "address", "broken"])
    levels = st.sampled_from([None, GREEN, AMBER, RED])
    made = st.builds(one, kinds, st.one_of(st.none(), terms), levels, st.sampled_from([True, True, True, False]))
    return st.lists(made, min_size=1, max_size=3).map(lambda lists: [each for some in lists for each in some])


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_preview_says_what_the_post_then_does_and_who_then_reads_it(desk: Desk, data: st.DataObject) -> None:
    desk.wait(1)
    author = data.draw(st.sampled_from(["aa", "bb"]))
    objects = data.draw(objects_of(desk, author))
    before = everything(desk)
    found = ask(desk, author, *objects)
    assert everything(desk) == before
    status = desk.post(author, *objects)
    taken = {(one.stix_id, one.version) for one in found.objects if one.outcome != "refused"}
    refused = [(one.stix_id, f"{one.rule}: {one.message}") for one in found.objects if one.outcome == "refused"]
    assert {(each["id"], each["version"]) for each in status.successes} == taken
    assert [(each["id"], each["message"]) for each in status.failures] == refused
    held = {each["id"] for each in status.successes if each.get("message", "").startswith("held")}
    assert held == {one.stix_id for one in found.objects if one.outcome == "held"}
    read = {handle: {each["id"] for each in desk.seen(handle)} for handle in ("aa", "bb", "ee")}
    for one in found.objects:
        if one.outcome == "accepted":
            assert {handle for handle in read if one.stix_id in read[handle]} - {author} == seeing(found, one)
            assert one.tlp in LEVELS
        elif one.outcome in ("held", "refused"):
            assert not any(one.stix_id in ids for ids in read.values()) or one.stix_id.startswith("domain-name")


def test_posting_again_is_a_duplicate_and_what_another_posted_has_no_readers(desk: Desk) -> None:
    made, address = desk.incident(), domain()
    signed = desk.sign("aa", made, address)
    desk.post("aa", *signed)
    found = ask(desk, "aa", *signed)
    assert {one.outcome for one in found.objects} == {"duplicate"}
    assert seeing(found, line(found, made["id"])) == {"bb", "ee"}
    found = ask(desk, "bb", *desk.sign("bb", address))
    assert (line(found, address["id"]).outcome, line(found, address["id"]).readers) == ("duplicate", None)


def test_it_says_who_would_lose_what_he_has(desk: Desk) -> None:
    made = desk.incident()
    desk.share("aa", made)
    desk.seen("ee")
    terms = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.wait(5)
    found = ask(desk, "aa", *desk.sign("aa", terms, marked(later(made), terms)))
    one = line(found, made["id"])
    assert (seeing(found, one), one.losing, one.others_losing) == ({"bb"}, ("ee",), 0)
    wider = ask(desk, "aa", *desk.sign("aa", later(made, name="Wave")))
    assert line(wider, made["id"]).losing == ()


@pytest.mark.parametrize("visibility", ["moderators", "hidden"])
def test_names_appear_only_to_those_who_may_know_them(desk: Desk, visibility: str) -> None:
    groups.update(desk.hub, OPERATOR, "alpha", member_visibility=visibility)
    found = ask(desk, "bb", *desk.sign("bb", desk.incident("bb")))
    (readers,) = found.readers
    assert (readers.named, readers.others_may, readers.others_may_not) == ((), 2, 1)


def test_only_who_may_post_there_may_preview(desk: Desk) -> None:
    with pytest.raises(NotFound):
        ask(desk, "cc", desk.incident())
    assert preview.preview(desk.hub, desk.cast.caller("feed"), "alpha", "incidents", {"objects": [{}]})
    with pytest.raises(Unprocessable):
        ask(desk, "aa")
    members.put(desk.hub, OPERATOR, "alpha", "bb", {Right.READ})
    with pytest.raises(Forbidden):
        ask(desk, "bb", desk.incident())
