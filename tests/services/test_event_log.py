"""Log lines: JSON, one each, and of an exception its kind and place but never its text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.services import event_log


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_json_line_with_time_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    event_log.configure("json", "info")
    structlog.get_logger().info("ingest.complete", stored=3, peer="aa\n{}")
    (line,) = lines(capsys)
    assert (line["event"], line["stored"], line["peer"], line["level"]) == ("ingest.complete", 3, "aa\n{}", "info")
    assert str(line["at"]).endswith("Z")


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    event_log.configure("json", "warning")
    structlog.get_logger().info("http.request")
    structlog.get_logger().warning("http.request")
    assert [line["level"] for line in lines(capsys)] == ["warning"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_shows_its_kind_and_place_but_not_its_text(capsys: pytest.CaptureFixture[str], form: str) -> None:
    event_log.configure("json" if form == "json" else "console", "info")
    try:
        raise ValueError("indicator--secret")
    except ValueError:
        structlog.get_logger().exception("worker.failed")
        logging.getLogger("some.library").exception("it failed")
    written = capsys.readouterr().err
    assert written.count("builtins.ValueError") == 2
    assert written.count("test_event_log.py") == 2
    assert "secret" not in written


def test_libraries_write_the_same_form_and_only_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    event_log.configure("json", "info")
    logging.getLogger("alembic").info("Context impl SQLiteImpl")
    logging.getLogger("urllib3").warning("retrying")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("retrying", "urllib3", "warning")


def test_what_json_cannot_hold_is_named_by_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    event_log.configure("json", "info")
    structlog.get_logger().info("x", value=object())
    assert lines(capsys)[0]["value"] == "object"
