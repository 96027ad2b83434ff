"""The kind ``taxii``: any TAXII 2.1 server, as a source or as a target."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from connectors.sdk.exchange import Source, Target, Tools
from connectors.sdk.kind import Kind, Settings
from hub.client.login import Login
from hub.domain import naming
from hub.domain.taxii_time import parse_timestamp
from hub.errors import ConfigError

if TYPE_CHECKING:
    from connectors.taxii.client import StrictConnection

_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_SECRET_BYTES: Final = 16 * 1024
_SECOND: Final = 1_000_000


class TaxiiSettings(Settings, frozen=True, forbid_unknown_fields=True):
    """Where the collection is, and how it is read and written. Files hold one secret each.

    :param discovery: address of the discovery resource, such as ``https://taxii.example/taxii2/``; or
    :param api_root: address of the API root. :param collection: id or alias.
    :param page: objects asked for at once. :param batch: objects handed over at once.
    :param types: only objects of these types are asked for. :param since: without a bookmark, begin here (RFC 3339).
    :param versions: ``all`` asks for every version of an object, not only its last.
    :param overlap: seconds by which objects may show up later than they are dated.
    :param delete: delete there what was withdrawn here. :param wait: seconds until a pending status is given up.
    """

    collection: str
    discovery: str | None = None
    api_root: str | None = None
    username: str | None = None
    password_file: str | None = None
    token_file: str | None = None
    api_key_header: str | None = None
    api_key_file: str | None = None
    page: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1_000
    batch: Annotated[int, msgspec.Meta(ge=1, le=5_000)] = 500
    types: tuple[str, ...] = ()
    since: str | None = None
    versions: Literal["last", "all"] = "last"
    overlap: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 5
    delete: bool = False
    wait: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 120

    def __post_init__(self) -> None:
        """Refuse what would only fail when it runs."""
        if (self.discovery is None) == (self.api_root is None):
            raise ValueError("set either discovery or api_root")
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file go together")
        if (self.api_key_header is None) != (self.api_key_file is None):
            raise ValueError("api_key_header and api_key_file go together")
        if sum(one is not None for one in (self.username, self.token_file, self.api_key_file)) > 1:
            raise ValueError("give one of password_file, token_file and api_key_file")
        if self.api_key_header is not None and _HEADER.fullmatch(self.api_key_header) is None:
            raise ValueError("api_key_header is no name of a header")
        if not all(re.fullmatch(naming.STIX_TYPE, one) for one in self.types):
            raise ValueError("types holds something that is no STIX type")
        if self.since is not None:
            parse_timestamp(self.since)

    @property
    def address(self) -> str:
        """The address that was given; credentials go to its host and to no other."""
        return str(self.discovery or self.api_root)


def _source(settings: TaxiiSettings, tools: Tools) -> Source:
    from connectors.taxii import client, source  # loads taxii2-client, which a hub without this connector need not

    def collect() -> tuple[StrictConnection, Any]:
        connection = client.StrictConnection(_session(settings, tools))
        root = _root(settings, connection)
        return connection, client.open_collection(connection, root, settings.collection)

    filters: dict[str, Any] = {}
    if settings.types:
        filters["type"] = list(settings.types)
    if settings.versions == "all":
        filters["version"] = "all"
    return source.TaxiiSource(
        collect,
        clock=tools.clock,
        page=settings.page,
        overlap=settings.overlap * _SECOND,
        since=None if settings.since is None else parse_timestamp(settings.since),
        filters=filters,
    )


def _target(settings: TaxiiSettings, tools: Tools) -> Target:
    from connectors.taxii import client, target  # as above

    def collect() -> tuple[StrictConnection, Any, Any]:
        connection = client.StrictConnection(_session(settings, tools))
        root = _root(settings, connection)
        collection = client.open_collection(connection, root, settings.collection)
        return connection, client.open_root(connection, root), collection

    return target.TaxiiTarget(
        collect,
        together=settings.batch,
        delete=settings.delete,
        patience=settings.wait,
        progress=tools.progress,
    )


def _root(settings: TaxiiSettings, connection: StrictConnection) -> str:
    from connectors.taxii import client  # as above

    if settings.api_root is not None:
        return settings.api_root
    return client.api_root(connection, settings.address)


def _session(settings: TaxiiSettings, tools: Tools) -> Any:
    session = tools.session(settings.address)
    if settings.username or settings.token_file or settings.api_key_file:
        session.auth = _login(settings, _reader(tools)).auth()
    return session


def _login(settings: TaxiiSettings, read: Callable[[str, str], str]) -> Login:
    if settings.token_file is not None:
        return Login(token=read("token_file", settings.token_file))
    if settings.api_key_header is not None and settings.api_key_file is not None:
        return Login(api_key=(settings.api_key_header, read("api_key_file", settings.api_key_file)))
    return Login(username=settings.username, password=read("password_file", str(settings.password_file)))


def _reader(tools: Tools) -> Callable[[str, str], str]:
    def read(field: str, file: str) -> str:
        path = tools.path(file)
        try:
            with path.open("rb") as opened:
                text = opened.read(_SECRET_BYTES).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{path} cannot be read", field=field) from None
        if not text:
            raise ConfigError(f"{path} is empty", field=field)
        return text

    return read


KIND: Final = Kind(
    name="taxii",
    summary="collections of other TAXII 2.1 servers, in and out",
    settings=TaxiiSettings,
    source=_source,
    target=_target,
)
