"""All the wiring: settings in, one `Hub` out. Only here are the clock, the randomness and the database real."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from hub import config
from hub.config import Settings
from hub.domain.stix_validation import StixValidator
from hub.errors import ConfigError
from hub.services.context import Bounds, Hub
from hub.services.schema_files import read_schemas
from hub.store.database import Database


def clock() -> int:
    """Return microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def open_hub(settings: Settings, *, migrated: bool = True) -> Hub:
    """Return the hub of these settings; its database and secrets must exist.

    :param migrated: refuse a database that is not at this version's schema.
    :raises ConfigError: a secret is missing, or the schema is not this version's; the text names the command to run.
    :raises Busy: the database cannot be reached.
    """
    kept = config.load_secrets(settings)
    db = Database.open(settings.database_url)
    if migrated and db.revision() != db.head():
        raise ConfigError("the database is not at this version's schema; run: cybex migrate", field="database")
    return Hub(
        db=db,
        clock=clock,
        token_bytes=secrets.token_bytes,
        validator=StixValidator(read_schemas()),
        cursor_key=kept.cursor_key,
        bounds=Bounds(
            max_content_length=settings.limits.max_content_length,
            sync_content_length=settings.limits.sync_content_length,
            max_objects=settings.limits.max_objects,
            page_objects_default=settings.limits.page_objects_default,
            page_objects_max=settings.limits.page_objects_max,
            page_bytes_max=settings.limits.page_bytes_max,
        ),
        public_url=settings.public_url,
        trusted_proxies=settings.server.trusted_proxies,
        metrics_allow=settings.metrics.allow,
    )


def open_hub_at(data: Path | None = None) -> Hub:
    """Return the hub in a data directory: the argument, else CYBEX_DATA, else ``cybex-data`` here."""
    return open_hub(config.load(data))
