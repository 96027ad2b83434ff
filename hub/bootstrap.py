"""All the wiring: settings in, one `Hub` out. Only here are the clock, the randomness and the database real."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub import config
from hub.config import Settings
from hub.domain import limits
from hub.domain.membership import Peer
from hub.domain.stix_problem import Problem
from hub.domain.stix_validation import StixValidator
from hub.errors import ConfigError, InvalidRequest
from hub.exports.warning import OPERATOR, OwnList, own_list
from hub.services import link_tokens
from hub.services.context import Bounds, Hub
from hub.services.schema_files import read_schemas
from hub.services.turns import Turns
from hub.store.database import Database
from hub.store.links import Link

if TYPE_CHECKING:
    from hub.client.relay import PartnerHub


def clock() -> int:
    """Return microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


class LazyValidator:
    """The STIX validator, made from its 70 schemas at the first object: `cybex peer list` needs none of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: StixValidator | None = None

    def problems(self, obj: Mapping[str, Any], /) -> Sequence[Problem]:
        """Return what is wrong with an object; see `StixValidator.problems`."""
        return self.ready().problems(obj)

    def ready(self) -> StixValidator:
        """Return the validator; a server asks for it before it answers its first request."""
        if self._made is None:
            with self._lock:
                self._made = self._made or StixValidator(read_schemas())
        return self._made


def open_hub(settings: Settings, *, migrated: bool = True, prepared: bool = False) -> Hub:
    """Return the hub of these settings; its database and secrets must exist.

    :param migrated: refuse a database that is not at this version's schema.
    :param prepared: make now what would otherwise be made at the first object, as a server should.
    :raises ConfigError: a secret is missing, or the schema is not this version's; the text names the command to run.
    :raises Busy: the database cannot be reached.
    """
    kept = config.load_secrets(settings)
    db = Database.open(settings.database_url)
    if migrated and db.revision() != db.head():
        raise ConfigError("the database is not at this version's schema; run: cybex migrate", field="database")
    validator = LazyValidator()
    if prepared:
        validator.ready()
    return Hub(
        db=db,
        clock=clock,
        token_bytes=secrets.token_bytes,
        validator=validator,
        cursor_key=kept.cursor_key,
        signing_key=config.private_key(kept.signing_key),
        log_key=config.private_key(kept.log_key),
        bounds=Bounds(
            max_content_length=settings.limits.max_content_length,
            sync_content_length=settings.limits.sync_content_length,
            max_objects=settings.limits.max_objects,
            page_objects_default=settings.limits.page_objects_default,
            page_objects_max=settings.limits.page_objects_max,
            page_bytes_max=settings.limits.page_bytes_max,
            status_retention_seconds=settings.limits.status_retention_seconds,
        ),
        public_url=settings.public_url,
        trusted_proxies=settings.server.trusted_proxies,
        metrics_allow=settings.metrics.allow,
        turns=Turns(settings.server.threads),
        own_warnings=_own_warnings(settings.warning_list),
    )


def _own_warnings(file: Path | None) -> tuple[OwnList, ...]:
    """Return the operator's own warning list. Raises ConfigError: a hub without it would export what it must not."""
    if file is None:
        return ()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        if len(lines) > limits.EXPORT_OWN_LIST:
            raise ConfigError(f"{file} has more than {limits.EXPORT_OWN_LIST} lines", field="exports.warning_list")
        return (own_list(OPERATOR, lines, "exports.warning_list"),)
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{file} cannot be read", field="exports.warning_list") from None
    except InvalidRequest as error:
        raise ConfigError(f"{file}: {error.detail}", field="exports.warning_list") from None


def partner_opener(settings: Settings) -> Callable[[Peer, Link], PartnerHub]:
    """Return what opens another hub as this one calls it, with the token that is kept for it.

    The opener raises ConfigError when the address or the token is not usable.
    """

    from hub.client.relay import partner_at  # loads requests, which most commands do without

    def opened(peer: Peer, link: Link) -> PartnerHub:
        token = link_tokens.read(settings.secrets, peer.handle)
        return partner_at(link.url or "", token=token, allow_private=link.allow_private)

    return opened


def open_hub_at(data: Path | None = None) -> Hub:
    """Return the hub in a data directory: the argument, else CYBEX_DATA, else ``cybex-data`` here."""
    return open_hub(config.load(data))
