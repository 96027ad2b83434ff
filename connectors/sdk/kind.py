"""What a connector package exports: its settings, and how to open it in either direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.sdk.exchange import Source, Target, Tools
from hub.errors import CybexError


class ConnectorError(CybexError):
    """The system on the other side cannot be used now, or did not understand; ``detail`` says what to do."""

    code = "connector"
    title = "The connector could not do it"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one kind of connector: subclass it with fields that have types, defaults and checks.

    They stand in a table of their own, so that they never collide with what is said of the hub (`connectors.sdk.config`
    reads both)::

        [connector.misp-in]
        kind = "misp"
        direction = "in"
        url = "https://hub.example/alpha/"
        collection = "incidents"
        token_file = "hub.token"
        key_file = "aa.pem"
        every = "15m"

        [connector.misp-in.network]
        allow_private = true

        [connector.misp-in.settings]
        url = "https://misp.example/"
        token_file = "misp.key"

    An unknown or ill-typed key in the configuration is refused with its name before anything starts. Secrets are never
    values of settings but names of files: ``token_file = "misp.key"``.
    """


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of connector: the object that an entry point of the group ``cybex.connectors`` names.

    :param name: as in ``kind = "misp"`` of the configuration.
    :param summary: one line for `cybex connector kinds`.
    :param source: opens the direction system -> hub, None when there is none. :param target: the other direction.
    :param check: looks whether the system answers, changes nothing, and returns one line for `cybex connector check`.
    """

    name: str
    summary: str
    settings: type[Settings]
    source: Callable[[Any, Tools], Source] | None = None
    target: Callable[[Any, Tools], Target] | None = None
    check: Callable[[Any, Tools], str] | None = None
