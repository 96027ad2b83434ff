"""Somebody who calls /api/v1, and what must hold of every answer he gets, whatever the test is about."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from jsonschema_rs import Draft202012Validator

from hub.web.api.document import document

BASE = "/api/v1"


@dataclass
class Answer:
    """One answer."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, Any]:
        """What the caller can learn from it: everything but the random number of an error."""
        value = self.json if self.body else None
        if isinstance(value, dict):
            value.pop("error_id", None)
        return self.status, value


@dataclass
class Client:
    """Somebody with a login, or without one."""

    app: Flask
    login: tuple[str, str] | None = None

    def call(
        self, method: str, target: str, body: object = None, *, raw: bytes | None = None, **headers: str
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.login is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        answered = self.app.test_client().open(BASE + target, method=method, data=data, headers=sent)
        answer = Answer(answered.status_code, answered.headers, answered.data)
        check(method, target, answer)
        return answer

    def get(self, target: str, **headers: str) -> Answer:
        return self.call("GET", target, **headers)

    def post(self, target: str, body: object) -> Answer:
        return self.call("POST", target, body)

    def put(self, target: str, body: object = None) -> Answer:
        return self.call("PUT", target, body)

    def patch(self, target: str, body: object) -> Answer:
        return self.call("PATCH", target, body)

    def delete(self, target: str) -> Answer:
        return self.call("DELETE", target)


def check(method: str, target: str, answer: Answer) -> None:
    """Assert what holds of every answer: it is what the document says, and never the hub's fault."""
    assert answer.status < 500, answer.body
    assert not 300 <= answer.status < 400
    assert answer.headers["Cache-Control"] == ("private, no-cache" if "ETag" in answer.headers else "no-store")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.status == 204:
        assert answer.body == b""
        return
    problem = answer.status >= 400
    assert answer.headers["Content-Type"] == ("application/problem+json" if problem else "application/json")
    if answer.status == 401:
        assert [value.split()[0] for value in answer.headers.getlist("WWW-Authenticate")] == ["Basic", "Bearer"]
    schema = {"$ref": "#/components/schemas/Problem"} if problem else _schema(method, target, answer.status)
    if schema is not None:
        Draft202012Validator({**schema, "components": document()["components"]}).validate(answer.json)


def _schema(method: str, target: str, status: int) -> dict[str, Any] | None:
    """Return the schema that the document gives for this answer."""
    steps = target.partition("?")[0].split("/")
    for path, item in document()["paths"].items():
        given = path.split("/")
        if len(given) != len(steps) or method.lower() not in item:
            continue
        if all(a == b or a.startswith("{") for a, b in zip(given, steps, strict=True)):
            schema: dict[str, Any] = item[method.lower()]["responses"][str(status)]["content"]["application/json"][
                "schema"
            ]
            return schema
    return None
