"""schemathesis over the whole API, as an operator, a member and a stranger: no 5xx, and every answer as documented."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from hub.store.database import Database
from hub.web.api.document import operations
from hub.web.app import create_app
from tests.services.cast import Cast, rejoined

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
EXAMPLES = 4
"""Per operation and mode: the operations are many, and each example is a request to a real database."""


@pytest.fixture(scope="module")
def fuzzed(sqlite_cast: tuple[Path, Cast], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """A cast that the whole module works on: what one example leaves behind the next one meets."""
    path = tmp_path_factory.mktemp("fuzz") / "cast.db"
    shutil.copy(sqlite_cast[0], path)
    database = Database.open(f"sqlite:///{path}")
    yield rejoined(sqlite_cast[1], database)
    database.close()


@pytest.fixture(scope="module")
def api(fuzzed: Cast) -> Any:
    """The document as the app serves it, with the app to call."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(fuzzed.hub))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", [operation.id for operation in operations()])
def test_no_request_breaks_the_api(name: str, mode: GenerationMode, api: Any, fuzzed: Cast) -> None:
    operation = api.find_operation_by_id(name)
    if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
        return

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        for part in ("operator", "analyst", "anonymous"):
            case.call_and_validate(headers=_headers(fuzzed, part), checks=CHECKS)

    ask()


def _can_be_wrong(operation: Any) -> bool:
    """Say whether an operation takes anything that could be malformed."""
    return bool(operation.body or operation.query or operation.path_parameters)


def _headers(cast: Cast, part: str) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # the client in the process does not undo gzip
    if part in cast.logins:
        login = ":".join(cast.logins[part]).encode()
        headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
    return headers
