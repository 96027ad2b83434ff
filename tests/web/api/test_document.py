"""The OpenAPI document and the behaviour are one: routes, names, examples, and who may read it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from hub.domain import limits, naming
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services.keys import REASONS
from hub.web import relay
from hub.web.api.document import METHODS, document, operations
from hub.web.app import create_app
from tests.services.cast import Cast
from tests.web.api.client import BASE
from tests.web.api.conftest import As


def test_the_document_has_the_routes_of_the_app_and_no_others_but_for_the_relay_protocol(sqlite_copy: Cast) -> None:
    app = create_app(sqlite_copy.hub)
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD"}
    }
    written = {
        (BASE + path, method.upper())
        for path, item in document()["paths"].items()
        for method in item
        if method != "parameters"
    }
    relayed = {(path, method) for method, path in relay.ROUTES.values()}  # docs/relay.md describes these
    assert relayed < served
    assert served - relayed == written


def test_every_path_parameter_is_declared_and_every_operation_is_whole() -> None:
    seen = set()
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            seen.add(operation["operationId"])
            assert operation["summary"]
            assert "security" in operation
            success = [status for status in operation["responses"] if status.startswith("2")]
            assert success, path
            if operation["security"]:
                assert {"401", "403", "404", "503"} <= operation["responses"].keys(), path
    for operation in operations():
        assert {parameter.name for parameter in operation.path} == set(re.findall(r"<(\w+)>", operation.rule))
    assert len(seen) == len(operations())


def examples() -> list[tuple[str, dict[str, Any], Any]]:
    found = []

    def walk(value: Any, place: str) -> None:
        if isinstance(value, dict):
            if "schema" in value and "example" in value:
                found.append((place, value["schema"], value["example"]))
            for name, child in value.items():
                walk(child, f"{place}/{name}")
        elif isinstance(value, list):
            for number, child in enumerate(value):
                walk(child, f"{place}/{number}")

    walk(document(), "")
    return found


def test_every_example_is_an_example_of_its_schema() -> None:
    assert len(examples()) > 50
    for place, schema, example in examples():
        validator = Draft202012Validator({**schema, "components": document()["components"]}, validate_formats=True)
        assert validator.is_valid(example), place


def test_every_body_and_every_answer_has_an_example_and_every_object_is_closed() -> None:
    for path, item in document()["paths"].items():
        for method in METHODS:
            for part in _contents(item.get(method, {})):
                assert "example" in part, path
    for name, schema in document()["components"]["schemas"].items():
        if name != "Problem":  # RFC 9457 §3.2 lets a problem grow
            assert schema["additionalProperties"] is False, name


def _contents(operation: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [operation["requestBody"]] if "requestBody" in operation else []
    parts += [answer for status, answer in operation.get("responses", {}).items() if status.startswith("2")]
    return [part["content"]["application/json"] for part in parts if "content" in part]


@pytest.mark.parametrize(
    ("schema", "name", "expected"),
    [
        ("NewPeer", "handle", naming.HANDLE),
        ("NewPeer", "identity", naming.IDENTITY),
        ("NewPeer", "country", naming.COUNTRY),
        ("NewGroup", "slug", naming.SLUG),
        ("NewCollection", "alias", naming.ALIAS),
        ("NewCredential", "username", naming.USERNAME),
    ],
)
def test_names_have_the_patterns_of_the_domain(schema: str, name: str, expected: str) -> None:
    assert document()["components"]["schemas"][schema]["properties"][name]["pattern"] == expected


@pytest.mark.parametrize(
    ("schema", "name", "expected"),
    [
        ("NewPeer", "kind", list(PeerKind)),
        ("NewPeer", "itu_region", [*naming.ITU_REGIONS, None]),
        ("NewCredential", "kind", list(CredentialKind)),
        ("NewCredential", "role", list(Role)),
        ("KeyRevocation", "reason", list(REASONS)),
        ("NewGroup", "default_tlp", list(naming.DEFAULT_TLP_LEVELS)),
        ("NewGroup", "tlp_ceiling", list(naming.TLP_LEVELS)),
    ],
)
def test_closed_lists_are_those_of_the_domain(schema: str, name: str, expected: list[Any]) -> None:
    assert document()["components"]["schemas"][schema]["properties"][name]["enum"] == expected


def test_the_rights_and_bounds_are_those_of_the_domain() -> None:
    components = document()["components"]
    assert components["schemas"]["MemberRights"]["properties"]["rights"]["items"]["enum"] == list(Right)
    limit = components["parameters"]["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (limits.API_PAGE_DEFAULT, limits.API_PAGE_MAX)


def test_everybody_may_read_the_document(sqlite_who: As) -> None:
    answer = sqlite_who("anonymous").get("/openapi.json")
    assert answer.status == 200
    assert json.loads(answer.body) == document()
