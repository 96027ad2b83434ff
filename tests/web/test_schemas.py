"""Whoever meets one of our extensions can read what it means, without a login."""

from __future__ import annotations

import json

import pytest

from hub.domain.releasability import EXTENSION_DEFINITION
from hub.domain.signature_profile import EXTENSION_DEFINITIONS
from hub.store.database import Database
from hub.web.app import create_app
from tests.services.cast import make_hub


@pytest.mark.parametrize("definition", [*EXTENSION_DEFINITIONS, EXTENSION_DEFINITION], ids=lambda one: one["name"])
def test_the_schema_that_an_extension_definition_names_is_served_to_everybody(
    sqlite_url: str, definition: dict[str, str]
) -> None:
    client = create_app(make_hub(Database.open(sqlite_url))).test_client()
    answer = client.get("/" + definition["schema"])
    assert answer.status_code == 200
    assert answer.content_type == "application/schema+json"
    assert json.loads(answer.data)["$schema"]


def test_no_other_file_is_served(sqlite_url: str) -> None:
    client = create_app(make_hub(Database.open(sqlite_url))).test_client()
    for path in ("/schemas/hub/none.json", "/schemas/hub/..%2fstix%2fLICENSE", "/schemas/stix/LICENSE"):
        assert client.get(path).status_code in (401, 404)
