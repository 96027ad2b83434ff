"""What docs/api.md says is so: the paths exist, the bodies are valid, the bounds are the hub's."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hub.domain import limits
from hub.domain.membership import Role
from hub.web.api.document import operations

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_example_is_a_request_the_document_allows() -> None:
    examples = re.findall(r"curl (.*?)https://hub\.example\.org(/\S+)", PAGE, re.DOTALL)
    assert len(examples) == 6
    for options, path in examples:
        body = re.search(r"--json '(.*?)'", options)
        method = re.search(r"-X (\w+)", options)
        verb = method[1] if method else "POST" if body else "GET"
        matching = [
            operation
            for operation in operations()
            if operation.method == verb and re.fullmatch(re.sub(r"<\w+>", "[^/]+", operation.rule), path)
        ]
        assert len(matching) == 1, path
        if body is not None:
            validator = matching[0].body
            assert validator is not None
            validator.validate(json.loads(body[1]))


def test_roles_and_bounds_are_those_of_the_hub() -> None:
    for role in Role:
        assert f"`{role.value}`" in PAGE
    assert f"`limit` is {limits.API_PAGE_DEFAULT} unless said, {limits.API_PAGE_MAX:,} at most" in PAGE
    assert f"at most {limits.API_BODY_BYTES // 1024} KiB" in PAGE
    assert f"lives {limits.CREDENTIAL_LIFETIME_SECONDS // 86400} days" in PAGE
    assert f"After {limits.LOGIN_FAILURES} failures in a minute" in PAGE
    assert limits.LOGIN_FAILURE_WINDOW_US == 60_000_000
