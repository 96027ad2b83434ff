"""How events are written: one JSON line each on standard error, dotted nouns with fields, no content and no secrets."""

from __future__ import annotations

import logging
import logging.config
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, Literal

import orjson
import structlog

EventDict = MutableMapping[str, Any]

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
FRAMES: Final = 12


def configure(form: Literal["json", "console"], level: str) -> None:
    """Make every logger of this process, the libraries' included, write the hub's form to standard error."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_shared(), outline_exception, renderer(form)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(library_logging(form))


def beside_output() -> None:
    """Make events of a command go to standard error: what it prints is read by programs."""
    structlog.configure(
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # as it is when something is written
        cache_logger_on_first_use=False,
    )


def library_logging(form: Literal["json", "console"]) -> dict[str, Any]:
    """Return the `logging` configuration under which libraries warn in the hub's own form."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [structlog.stdlib.add_logger_name, *_shared()],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, outline_exception, renderer(form)],
    }
    handler = {"class": "logging.StreamHandler", "formatter": "hub", "stream": "ext://sys.stderr"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"hub": formatter},
        "handlers": {"hub": handler},
        "root": {"handlers": ["hub"], "level": "WARNING"},
        "loggers": {"_granian": {"level": "ERROR"}},
    }


def renderer(form: Literal["json", "console"]) -> Callable[[Any, str, EventDict], str]:
    """Return what turns an event into its line."""
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

    def to_json(_logger: Any, _method: str, event: EventDict) -> str:
        return orjson.dumps(event, default=_named, option=orjson.OPT_NON_STR_KEYS).decode("utf-8")

    return to_json


def outline_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put the kind and the place of an exception into the event, never its text, which may hold content."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    failure = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(failure, BaseException):
        frames = traceback.extract_tb(failure.__traceback__)[-FRAMES:]
        event["exception"] = f"{type(failure).__module__}.{type(failure).__qualname__}"
        event["places"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _shared() -> list[Any]:
    return [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")]


def _named(value: object) -> str:
    return type(value).__name__
