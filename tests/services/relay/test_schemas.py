"""What hubs hand to each other has the form that the schemas say, and nothing that lacks a member has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from hub.services import agreements
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.relay import reaching
from tests.services.relay.test_hostile import batch_of
from tests.services.relay.world import Site, Ticking, connect, database_at

Json = dict[str, Any]
FOLDER = Path(__file__).parents[3] / "schemas" / "hub"
NAMES = ("agreement", "introduction", "hop", "batch", "reach")


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Json]]:
    """What the code makes, by schema."""
    folder, clock = tmp_path_factory.mktemp("schemas"), Ticking()
    one, two = (Site.make(name, database_at(folder / f"{name}.db"), clock) for name in ("one", "two"))
    one.cirt("aa")
    two.cirt("cc")
    connect(one, two, types=["incident", "indicator"])
    (posted,) = one.share("aa", one.incident("aa"))
    batch = batch_of(one, two)
    header = batch["header"]
    one.push(two)
    one.withdraw("aa", posted["id"])
    one.push(two)
    with two.hub.db.read() as tx:
        reaches = reaching.due(tx, two.hub, two.peer("hub-one"))
    documents = [dict(one_.document) for one_ in agreements.listed(one.hub, OPERATOR)]
    return {
        "agreement": documents,
        "introduction": header["introductions"],
        "hop": [hop for item in header["items"] for hop in item["hops"]],
        "batch": [batch],
        "reach": reaches,
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_is_valid_and_what_lacks_a_member_is_not(name: str, made: dict[str, list[Json]]) -> None:
    checks = validator(name)
    assert made[name]
    for document in made[name]:
        assert [error.message for error in checks.iter_errors(document)] == []
        optional = {"log_index", "previous"}
        for member in document.keys() - optional:
            assert not checks.is_valid({key: value for key, value in document.items() if key != member}), member
            assert not checks.is_valid(document | {member: 7.5}), member
        inner = document.get("header")
        if inner is not None:
            for member in inner.keys() - {"reaches"}:
                lacking = {key: value for key, value in inner.items() if key != member}
                assert not checks.is_valid(document | {"header": lacking}), member
