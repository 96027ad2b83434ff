"""The authorisation matrix: every operation of the document times every way to be somebody, none left out."""

from __future__ import annotations

import pytest

from hub.web.api.document import Operation, operations
from tests.services.cast import Cast
from tests.web.api.client import BASE, Answer, Client
from tests.web.api.conftest import As
from tests.web.api.matrix import BODIES, EXPECTED, PARTS, QUERIES, path_values


def target(operation: Operation, values: dict[str, str]) -> str:
    path = operation.rule.removeprefix(BASE)
    for name, value in values.items():
        path = path.replace(f"<{name}>", value)
    query = QUERIES.get(operation.id)
    return path if query is None else f"{path}?{query}"


def ask(client: Client, operation: Operation, values: dict[str, str]) -> Answer:
    return client.call(operation.method, target(operation, values), BODIES.get(operation.id))


def test_the_table_has_every_operation_and_every_part() -> None:
    assert EXPECTED.keys() == {operation.id for operation in operations()}
    assert {len(row) for row in EXPECTED.values()} == {len(PARTS)}
    assert {operation.id for operation in operations() if operation.body is not None} == BODIES.keys()


@pytest.mark.parametrize("part", PARTS)
def test_everybody_may_do_what_the_table_says_and_nothing_else(part: str, sqlite_copy: Cast, sqlite_who: As) -> None:
    client, values = sqlite_who(part), path_values(sqlite_copy)
    answered = {}
    # What removes something comes last, so that each operation finds what it is about.
    for operation in sorted(operations(), key=_destructive):
        answered[operation.id] = ask(client, operation, values).status
        if answered[operation.id] < 300 and operation.id in ("updateMember", "putMember"):
            _undo(sqlite_who("operator"))
    column = PARTS.index(part)
    assert answered == {name: row[column] for name, row in EXPECTED.items()}


def _destructive(operation: Operation) -> int:
    order = {"DELETE": 1}.get(operation.method, 0)
    return order + {"revokeKey": 1, "revokeCredential": 2, "removeMember": 3}.get(operation.id, 0)


def _undo(operator: Client) -> None:
    assert operator.patch("/groups/alpha/members/bb", {"suspended": False}).status == 200
    assert operator.put("/groups/alpha/members/bb", {"rights": ["read", "write"]}).status == 200


@pytest.mark.parametrize("part", ["moderator", "admin", "analyst", "feed", "foreign", "suspended-member"])
def test_what_is_hidden_answers_like_what_does_not_exist(part: str, sqlite_copy: Cast, sqlite_who: As) -> None:
    """Each path part that names something is replaced, once by what the caller may not know of, once by nothing."""
    cast, client = sqlite_copy, sqlite_who(part)
    hidden_group, hidden_peer = ("alpha", "bb") if part in ("foreign", "suspended-member") else ("bravo", "cc")
    hidden = {
        "slug": hidden_group,
        "handle": hidden_peer,
        "id": str(cast.ids["operator"]),
        "kid": cast.kids[hidden_peer],
        "ref": "indicators",
        "author_identity": "identity--00000000-0000-4000-8000-000000000000",
    }
    absent = hidden | {"slug": "nowhere", "handle": "nobody", "id": "987654", "kid": "0" * 64}
    asked = 0
    for operation in operations():
        if not {"slug", "handle"} & {parameter.name for parameter in operation.path}:
            continue
        answers = [ask(client, operation, values) for values in (hidden, absent)]
        assert answers[0].told == answers[1].told, operation.id
        assert answers[0].status in (403, 404), operation.id
        asked += 1
    assert asked > 20


@pytest.mark.parametrize("name", ["handle", "id", "kid", "ref", "author_identity"])
def test_inside_a_visible_group_or_peer_the_same_holds(name: str, sqlite_copy: Cast, sqlite_who: As) -> None:
    """The group is one's own, the peer is one's own: only the last thing named is another's, or nobody's."""
    cast = sqlite_copy
    client = sqlite_who("moderator")
    visible = {**path_values(cast), "handle": "aa" if name in ("id", "kid") else "bb"}
    hidden = {"handle": "cc", "id": str(cast.ids["operator"]), "kid": cast.kids["cc"], "ref": "sightings"}
    absent = {"handle": "nobody", "id": "987654", "kid": "0" * 64, "ref": "nothing"}
    hidden["author_identity"], absent["author_identity"] = (f"identity--{n * 8}-0000-4000-8000-{n * 12}" for n in "12")
    sqlite_who("operator").post("/groups/bravo/collections", {"title": "Sightings", "alias": "sightings"})
    for operation in operations():
        if name in {parameter.name for parameter in operation.path}:
            answers = [ask(client, operation, visible | {name: other[name]}) for other in (hidden, absent)]
            assert answers[0].told == answers[1].told, operation.id
            assert answers[0].status in (403, 404), operation.id
