"""A connector's configuration: one ``[connector.NAME]`` table, the same in ``hub.toml`` and in a CIRT's own file.

What the table itself says is about the hub and the schedule; ``[connector.NAME.network]`` is about how the other system
is reached; ``[connector.NAME.settings]`` belongs to the kind. A key that is not known is an error that names it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from connectors.sdk import kinds, limits
from connectors.sdk.kind import Kind, Settings
from hub.client.transport import Login, check_address
from hub.domain import naming
from hub.errors import ConfigError, InvalidRequest

NAME: Final = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
"""Form of a connector's name: it is a folder, a path segment of the API, and a label of the metrics."""

_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_MAX_SECRET: Final = 16 * 1024

Seconds = Annotated[int, msgspec.Meta(ge=1, le=limits.RUN_SECONDS_MAX)]
Octets = Annotated[int, msgspec.Meta(ge=1024)]
Page = Annotated[int, msgspec.Meta(ge=1, le=5_000)]


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the other system is reached. Files are PEM.

    :param allow_private: permit addresses of private networks, which the hub's own machine may be part of.
    :param allow_http: permit plain HTTP. :param ca: certification authority to believe in place of the system's.
    :param timeout: seconds without an octet.
    """

    allow_private: bool = False
    allow_http: bool = False
    ca: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0, le=600)] = 60.0

    def __post_init__(self) -> None:
        """Refuse half a pair."""
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key go together: set both or none")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[connector.NAME]`` table.

    :param direction: ``in`` brings from the system into the hub, ``out`` takes from the hub into the system.
    :param url: API root of the hub, such as ``https://hub.example/alpha/``; or the hub's address, with ``group``.
    :param key_file: PEM of the key that signs and vouches; ``in`` needs one.
    :param identity: STIX identity of the peer; else the one beside the key, else the credential's own.
    :param hub_key: kid of the hub's key, or a file with it; else the first one seen is remembered.
    :param every: such as ``15m``, ``90s``, ``1h`` or ``1d``; without it the connector is started by hand.
    :param max_bytes: octets a run may carry; what is left follows in the next one.
    :param types: ``out`` takes only objects of these STIX types, and every retraction.
    :param require_signatures: ``out`` does not hand over what is not signed.
    """

    kind: str
    direction: Literal["in", "out"]
    url: str
    group: str | None = None
    collection: str = "indicators"
    token_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    certificate: str | None = None
    certificate_key: str | None = None
    ca: str | None = None
    allow_http: bool = False
    key_file: str | None = None
    identity: str | None = None
    hub_key: str | None = None
    every: str | None = None
    enabled: bool = True
    max_seconds: Seconds = limits.RUN_SECONDS
    max_bytes: Octets | None = None
    page: Page = limits.PAGE_OBJECTS
    types: tuple[str, ...] = ()
    require_signatures: bool = False
    network: Network = Network()
    settings: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """Refuse what would only fail when it runs."""
        if self.every is not None:
            seconds(self.every)
        if self.direction == "in" and self.key_file is None:
            raise ValueError("key_file is missing: what a connector brings is signed by its key")
        if self.direction == "in" and self.types:
            raise ValueError("types is for the direction out; a source brings what its settings say")
        if not all(re.fullmatch(naming.STIX_TYPE, one) for one in self.types):
            raise ValueError("types holds something that is no STIX type")
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key go together: set both or none")


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector that can be opened.

    :param base: folder of the file it is configured in; relative paths start there.
    :param folder: of its state.
    """

    name: str
    table: Table
    kind: Kind
    settings: Settings
    base: Path
    folder: Path

    @property
    def api_root(self) -> str:
        """Where the group is on the hub, with a slash at the end."""
        return api_root(self.table)

    @property
    def every_seconds(self) -> int | None:
        """How often it runs; None when it is started by hand."""
        return None if self.table.every is None else seconds(self.table.every)

    @property
    def target(self) -> str:
        """``group/collection``, for people."""
        return f"{urlsplit(self.api_root).path.rstrip('/').rpartition('/')[2]}/{self.table.collection}"

    def path(self, text: str) -> Path:
        """Return the path that the configuration names."""
        return self.base / Path(text).expanduser()

    def login(self) -> Login:
        """Return the credential for the hub. Raises ConfigError."""
        table = self.table
        pair = None
        if table.certificate is not None and table.certificate_key is not None:
            pair = (str(self.path(table.certificate)), str(self.path(table.certificate_key)))
        return Login(
            token=self._secret("token_file", table.token_file),
            username=table.username,
            password=self._secret("password_file", table.password_file),
            certificate=pair,
        )

    def _secret(self, field: str, file: str | None) -> str | None:
        if file is None:
            return None
        where = f"connector.{self.name}.{field}"
        path = self.path(file)
        try:
            with path.open("rb") as opened:
                text = opened.read(_MAX_SECRET).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{path} cannot be read", field=where) from None
        if not text:
            raise ConfigError(f"{path} is empty", field=where)
        return text


def api_root(table: Table) -> str:
    """Return the API root that a table names, with a slash at the end."""
    url = table.url.rstrip("/")
    return f"{url}/{table.group}/" if table.group is not None else f"{url}/"


def load(file: Path) -> dict[str, Mapping[str, Any]]:
    """Return the ``[connector.*]`` tables of a file, unchecked, by name. Raises ConfigError."""
    try:
        with file.open("rb") as opened:
            octets = opened.read(limits.SETTINGS_FILE_BYTES + 1)
        if len(octets) > limits.SETTINGS_FILE_BYTES:
            raise ConfigError(f"{file} is longer than {limits.SETTINGS_FILE_BYTES} octets")
        content = tomllib.loads(octets.decode("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no {file}; name the file with --config, see docs/connectors.md") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {type(error).__name__}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    return tables(content.get("connector", {}))


def tables(given: object) -> dict[str, Mapping[str, Any]]:
    """Return the tables under ``connector`` by name. Raises ConfigError for a name that cannot be one."""
    if not isinstance(given, Mapping) or not all(isinstance(one, Mapping) for one in given.values()):
        raise ConfigError("write one table for each, such as [connector.misp]", field="connector")
    if len(given) > limits.CONNECTORS:
        raise ConfigError(f"there are more than {limits.CONNECTORS}", field="connector")
    for name in given:
        if re.fullmatch(NAME, name, re.ASCII) is None:
            raise ConfigError(
                "a name has 1 to 63 lower-case letters, digits and inner hyphens", field=f"connector.{name[:80]}"
            )
    return dict(given)


def read(
    name: str,
    given: Mapping[str, Any],
    base: Path,
    *,
    state: Path | None = None,
    kind_of: Callable[[str], Kind] = kinds.named,
) -> Connector:
    """Return the connector that a table configures.

    :param base: folder of the file. :param state: folder of all connectors' state; ``connectors`` beside the file
        when None. :param kind_of: finds a kind by its name.
    :raises ConfigError: naming the key at fault.
    """
    where = f"connector.{name}"
    table = _converted(given, Table, where)
    try:
        kind = kind_of(table.kind)
        check_address(api_root(table), allow_http=table.allow_http)
        if table.group is not None:
            naming.slug(table.group, "group")
        if table.identity is not None:
            naming.identity(table.identity)
    except (ConfigError, InvalidRequest) as error:
        raise ConfigError(error.detail, field=f"{where}.{error.field}" if error.field else where) from None
    if (kind.source if table.direction == "in" else kind.target) is None:
        raise ConfigError(f"the kind {table.kind} has no direction {table.direction}", field=f"{where}.direction")
    settings = _converted(table.settings, kind.settings, f"{where}.settings")
    return Connector(name, table, kind, settings, base, (state or base / "connectors") / name)


def seconds(text: str) -> int:
    """Return how long ``15m`` is. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    length = 0 if match is None else int(match[1]) * _SECONDS[match[2]]
    if not limits.EVERY_SECONDS_MIN <= length <= limits.EVERY_SECONDS_MAX:
        raise ValueError("every must be a time such as 15m, 90s, 1h or 1d: from 10 seconds to 30 days")
    return length


_Struct = Any  # a subclass of msgspec.Struct; the type checker cannot carry it through convert's `type` parameter


def _converted(given: Mapping[str, Any], kind: type[_Struct], where: str) -> _Struct:
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        field = where + place.rstrip("`")
        raise ConfigError(message, field=field) from None
