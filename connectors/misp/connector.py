"""MISP, in and out: by the REST API of a server, in MISP's feed format, or from an exported file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from connectors.misp.feed_target import FeedDestination
from connectors.misp.origins import FeedOrigin, FileOrigin, Origin, ServerOrigin, read_file
from connectors.misp.server import Server, read_key, require_libraries
from connectors.misp.server_target import ServerDestination
from connectors.misp.settings import MispSettings
from connectors.misp.source import MispSource
from connectors.misp.target import Destination, MispTarget
from connectors.sdk.exchange import Source, Target, Tools
from connectors.sdk.kind import ConnectorError, Kind


def open_source(settings: MispSettings, tools: Tools) -> Source:
    """Return the events of a MISP. Raises ConnectorError."""
    require_libraries()
    return MispSource(
        origin=_origin(settings, tools),
        rules=settings.rules(tools.identity),
        folder=tools.folder,
        max_gone=settings.max_withdrawn_events,
        withdraw_missing=settings.withdraw_missing,
        progress=tools.progress,
    )


def open_target(settings: MispSettings, tools: Tools) -> Target:
    """Return a MISP that takes events. Raises ConnectorError."""
    require_libraries()
    return MispTarget(
        destination=_destination(settings, tools),
        rules=settings.out_rules(),
        folder=tools.folder,
        progress=tools.progress,
    )


def _origin(settings: MispSettings, tools: Tools) -> Origin:
    if settings.url is not None:
        return ServerOrigin(
            _server(settings, tools),
            published_only=settings.published_only,
            keep_unpublished=not settings.withdraw_unpublished,
        )
    if settings.feed is not None:
        place = _place(settings.feed, tools)
        return FeedOrigin(place, tools.session(place) if isinstance(place, str) else None)
    return FileOrigin(tools.path(settings.file or ""))


def _destination(settings: MispSettings, tools: Tools) -> Destination:
    if settings.url is not None:
        return ServerDestination(_server(settings, tools), origin_tag=settings.origin_tag, publish=settings.publish)
    place = None if settings.feed is None else _place(settings.feed, tools)
    if not isinstance(place, Path):
        raise ConnectorError("to MISP, set url for a server, or feed for a folder that a web server hands out")
    return FeedDestination(place, strictest=settings.feed_tlp)


def _server(settings: MispSettings, tools: Tools) -> Server:
    octets = read_file(tools.path(settings.key_file or ""))
    if octets is None:
        raise ConnectorError("the file that key_file names is not there; it holds the API key of a user of MISP")
    return Server(settings.url or "", read_key(octets.decode("ascii", "replace")), tools)


def _place(text: str, tools: Tools) -> Path | str:
    if "://" in text:
        return text if text.endswith("/") else f"{text}/"
    return tools.path(text)


KIND: Final = Kind(
    name="misp",
    summary="MISP events, by its REST API, its feed format, or an exported file",
    settings=MispSettings,
    source=open_source,
    target=open_target,
)
