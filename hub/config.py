"""`Settings`: what the operator may choose, from ``hub.toml`` and ``CYBEX_*``. Nothing else reads either of them.

The environment wins over the file, so that one image serves several places. A key that is not known, in either, is an
error that names it: a misspelt bound must not pass for a set one. Secrets stand in neither: they are files under
``secrets/`` in the data directory, which the hub makes itself and nobody else may read.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.domain import key_material, limits
from hub.domain.key_material import PrivateKey
from hub.errors import ConfigError, SignatureError

FILE: Final = "hub.toml"
DEFAULT_DATA: Final = "cybex-data"
DATABASE_FILE: Final = "hub.sqlite3"
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Octets = Annotated[int, msgspec.Meta(ge=1024, le=limits.MAX_CONTENT_LENGTH)]
Page = Annotated[int, msgspec.Meta(ge=1, le=limits.PAGE_OBJECTS_MAX)]
PageOctets = Annotated[int, msgspec.Meta(ge=1024, le=limits.PAGE_BYTES_MAX)]
Objects = Annotated[int, msgspec.Meta(ge=1, le=limits.MAX_OBJECTS)]
StatusSeconds = Annotated[int, msgspec.Meta(ge=limits.STATUS_RETENTION_MIN_SECONDS, le=limits.RETENTION_MAX_SECONDS)]
Processes = Annotated[int, msgspec.Meta(ge=1, le=256)]


def _networks(field: str, values: tuple[str, ...]) -> None:
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError:
            raise ValueError(f"{field} holds something that is no network such as 10.0.0.0/8") from None


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the hub listens, and whom it believes about a caller."""

    host: str = "127.0.0.1"
    port: Port = 8080
    workers: Processes = 1
    threads: Processes = 8
    behind_proxy: bool = False
    trusted_proxies: tuple[str, ...] = ()
    client_certificate_header: Literal["none", "client-cert"] = "none"

    def __post_init__(self) -> None:
        """Refuse what would only fail at the first request."""
        _networks("trusted_proxies", self.trusted_proxies)
        if self.client_certificate_header != "none" and not self.trusted_proxies:
            raise ValueError("client_certificate_header needs trusted_proxies: without them nobody is believed")


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PEM files; a relative path starts at the data directory. The key is PKCS #8."""

    certificate: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse half a pair."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: set both or none")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's bounds, none above the hub's own (`hub.domain.limits`)."""

    max_content_length: Octets = limits.MAX_CONTENT_LENGTH
    sync_content_length: Octets = limits.SYNC_CONTENT_LENGTH
    max_objects: Objects = limits.MAX_OBJECTS
    page_objects_default: Page = limits.PAGE_OBJECTS_DEFAULT
    page_objects_max: Page = limits.PAGE_OBJECTS_MAX
    page_bytes_max: PageOctets = limits.PAGE_BYTES_MAX
    status_retention_seconds: StatusSeconds = limits.STATUS_RETENTION_SECONDS

    def __post_init__(self) -> None:
        """Refuse bounds that contradict each other."""
        if self.page_objects_default > self.page_objects_max:
            raise ValueError("page_objects_default may not exceed page_objects_max")


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How events are written to standard error."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may read ``/metrics``; for everybody else it does not exist."""

    allow: tuple[str, ...] = LOOPBACK

    def __post_init__(self) -> None:
        """Refuse what is no network."""
        _networks("allow", self.allow)


class Exports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every export heeds."""

    warning_list: str = ""
    """File of addresses, networks and names that never become entries; a relative path starts at the data directory."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it, checked. ``data`` comes from the command line or CYBEX_DATA, never from the file itself.

    ``connector`` is checked when it is used (`connectors.sdk.config`): one that is not right must not stop the hub.
    """

    data: Path
    database_url: str = ""
    public_url: str | None = None
    server: Server = Server()
    tls: Tls = Tls()
    limits: Limits = Limits()
    log: Log = Log()
    metrics: Metrics = Metrics()
    exports: Exports = Exports()
    connector: dict[str, dict[str, Any]] = {}

    def __post_init__(self) -> None:
        """Refuse a public URL that could not be put in front of a path."""
        if self.public_url is not None:
            parts = urlsplit(self.public_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise ValueError("public_url is an http(s) URL without query or fragment")
            if not self.public_url.endswith("/"):
                raise ValueError("public_url ends in a slash")

    @property
    def file(self) -> Path:
        """Where ``hub.toml`` is."""
        return self.data / FILE

    @property
    def secrets(self) -> Path:
        """The folder of the files no one else may read."""
        return self.data / "secrets"

    @property
    def run(self) -> Path:
        """The folder of what lives as long as the process: heartbeats and metrics."""
        return self.data / "run"

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this machine, so that one command can run everything."""
        return self.database_url.startswith("sqlite:")

    @property
    def database_file(self) -> Path | None:
        """The embedded database's file, None on a server."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.embedded else None

    @property
    def warning_list(self) -> Path | None:
        """The file of the operator's own warning list, None when there is none."""
        return self.data / self.exports.warning_list if self.exports.warning_list else None

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """The certificate's and the key's file, None when the hub speaks plain HTTP."""
        if self.tls.certificate is None or self.tls.key is None:
            return None
        return self.data / self.tls.certificate, self.data / self.tls.key


# environment name -> where it stands in the file, and how its text is read
ENVIRONMENT: Final[Mapping[str, tuple[str, str]]] = {
    "CYBEX_DATABASE_URL": ("database_url", "text"),
    "CYBEX_PUBLIC_URL": ("public_url", "text"),
    "CYBEX_HOST": ("server.host", "text"),
    "CYBEX_PORT": ("server.port", "integer"),
    "CYBEX_WORKERS": ("server.workers", "integer"),
    "CYBEX_THREADS": ("server.threads", "integer"),
    "CYBEX_BEHIND_PROXY": ("server.behind_proxy", "boolean"),
    "CYBEX_TRUSTED_PROXIES": ("server.trusted_proxies", "list"),
    "CYBEX_CLIENT_CERTIFICATE_HEADER": ("server.client_certificate_header", "text"),
    "CYBEX_TLS_CERTIFICATE": ("tls.certificate", "text"),
    "CYBEX_TLS_KEY": ("tls.key", "text"),
    "CYBEX_MAX_CONTENT_LENGTH": ("limits.max_content_length", "integer"),
    "CYBEX_SYNC_CONTENT_LENGTH": ("limits.sync_content_length", "integer"),
    "CYBEX_PAGE_OBJECTS_DEFAULT": ("limits.page_objects_default", "integer"),
    "CYBEX_PAGE_OBJECTS_MAX": ("limits.page_objects_max", "integer"),
    "CYBEX_LOG_FORMAT": ("log.format", "text"),
    "CYBEX_LOG_LEVEL": ("log.level", "text"),
    "CYBEX_METRICS_ALLOW": ("metrics.allow", "list"),
}
# Read elsewhere in this file.
OTHER_NAMES: Final = frozenset({"CYBEX_DATA", "CYBEX_DATABASE_URL_FILE"})
# Options of `cybex push` and `cybex pull`, which know no hub.toml; what compose.yaml asks for; and the tests'.
FOREIGN_NAMES: Final = frozenset(
    {"CYBEX_CLIENT_URL", "CYBEX_CLIENT_USERNAME", "CYBEX_CLIENT_PASSWORD", "CYBEX_CLIENT_TOKEN"}
    | {"CYBEX_DOMAIN", "CYBEX_TLS", "CYBEX_CLIENT_CA"}
)
FOREIGN_PREFIX: Final = "CYBEX_TEST_"


def data_directory(data: Path | None = None, env: Mapping[str, str] | None = None) -> Path:
    """Return the data directory: the argument, else CYBEX_DATA, else ``cybex-data`` here."""
    environment = os.environ if env is None else env
    return (data or Path(environment.get("CYBEX_DATA") or DEFAULT_DATA)).absolute()


def load(data: Path | None = None, env: Mapping[str, str] | None = None, *, file: Path | None = None) -> Settings:
    """Return the settings of the hub in a data directory; the file need not exist. Raises ConfigError, naming the key.

    :param env: the process's own environment when None.
    :param file: read this one in place of the directory's own ``hub.toml``.
    """
    environment = os.environ if env is None else env
    directory = data_directory(data, environment)
    raw = _file(file or directory / FILE)
    if "data" in raw:
        raise ConfigError(f"{FILE}: the data directory is given by --data or CYBEX_DATA, not here", field="data")
    if urlsplit(str(raw.get("database_url", ""))).password:
        raise ConfigError(
            f"{FILE} holds no secrets: use CYBEX_DATABASE_URL_FILE or a pgpass file", field="database_url"
        )
    raw["data"] = str(directory)
    for name, value in _environment(environment).items():
        path, kind = ENVIRONMENT[name]
        _put(raw, path.split("."), _read(name, kind, value))
    raw["database_url"] = raw.get("database_url") or f"sqlite:///{directory / DATABASE_FILE}"
    try:
        return msgspec.convert(raw, Settings, dec_hook=_path)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$.")
        field = where.rstrip("`") or None
        raise ConfigError(f"{FILE} or the environment: {message}", field=field) from None


class Secrets(msgspec.Struct, frozen=True):
    """What only the hub knows. ``repr`` shows nothing of it, so that no log does.

    :param cursor_key: 32 octets that authenticate ``next``.
    :param signing_key: the hub's own Ed25519 key, PEM, PKCS #8: it signs what the hub itself states.
    :param log_key: the same for the checkpoints of the transparency log; apart, because witnesses remember it for ever.
    """

    cursor_key: bytes
    signing_key: bytes
    log_key: bytes

    def __repr__(self) -> str:
        """Say what it is and nothing else."""
        return "Secrets(...)"


CURSOR_KEY: Final = "cursor.key"
SIGNING_KEY: Final = "hub-signing-key.pem"
LOG_KEY: Final = "log-key.pem"


def ensure_secrets(settings: Settings, token_bytes: Callable[[int], bytes] = os.urandom) -> Secrets:
    """Return the hub's secrets, made if they are not there yet; another process that makes them too gets the same.

    Raises ConfigError when somebody else may read them.
    """
    settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_secret(settings.secrets / CURSOR_KEY, lambda: token_bytes(32).hex().encode("ascii") + b"\n")
    _make_secret(settings.secrets / SIGNING_KEY, _new_signing_key)
    _make_secret(settings.secrets / LOG_KEY, _new_signing_key)
    return load_secrets(settings)


def load_secrets(settings: Settings) -> Secrets:
    """Return the hub's secrets. Raises ConfigError when one is missing, broken, or readable by somebody else."""
    cursor = _read_secret(settings.secrets / CURSOR_KEY)
    try:
        cursor_key = bytes.fromhex(cursor.decode("ascii"))
    except ValueError:
        raise ConfigError("the cursor key is damaged: restore it, or delete it to have a new one") from None
    if len(cursor_key) < 32:
        raise ConfigError("the cursor key is too short: restore it, or delete it to have a new one")
    return Secrets(
        cursor_key=cursor_key,
        signing_key=_read_secret(settings.secrets / SIGNING_KEY),
        log_key=_read_secret(settings.secrets / LOG_KEY),
    )


def private_key(pem: bytes) -> PrivateKey:
    """Return the key in one of the hub's own PEM files. Raises ConfigError when it is damaged."""
    try:
        return key_material.private_key(serialization.load_pem_private_key(pem, password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm, SignatureError):
        raise ConfigError("a key in secrets/ is damaged; restore it from the backup of secrets/") from None


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _make_secret(path: Path, content: Callable[[], bytes]) -> None:
    """Leave a file that is whole or not there: it is written beside its place, then linked to it."""
    if path.exists():
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return  # another process was first; its secret is the hub's
    finally:
        Path(temporary).unlink()


def _read_secret(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others may read {path}: chmod 600 it, and consider whether it is still secret")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({type(error).__name__}): run cybex init, or restore") from None


def forget_header_names() -> tuple[str, ...]:
    """Return the names of this process's variables, after removing those that WSGI would take for request headers."""
    for name in [name for name in os.environ if name.startswith(("HTTP_", "REMOTE_", "SERVER_"))]:
        del os.environ[name]
    return tuple(os.environ)


def set_metrics_directory(directory: Path) -> None:
    """Let every process started from now on keep its counters in this folder, which is emptied first."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.db"):
        old.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)


def _file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {type(error).__name__}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the CYBEX_* variables that stand for a key of the file; an empty one is unset, as in compose files."""
    found = {}
    for name, value in environment.items():
        if not name.startswith("CYBEX_") or name in OTHER_NAMES | FOREIGN_NAMES or name.startswith(FOREIGN_PREFIX):
            continue
        if name not in ENVIRONMENT:
            raise ConfigError(f"there is no such setting; known are {', '.join(sorted(ENVIRONMENT))}", field=name)
        if value:
            found[name] = value
    secret = environment.get("CYBEX_DATABASE_URL_FILE")
    if secret:
        try:
            found["CYBEX_DATABASE_URL"] = Path(secret).read_text(encoding="utf-8").strip()
        except OSError as error:
            reason = f"the file cannot be read: {type(error).__name__}"
            raise ConfigError(reason, field="CYBEX_DATABASE_URL_FILE") from None
    return found


def _read(name: str, kind: str, value: str) -> object:
    if kind == "list":
        return [part.strip() for part in value.split(",") if part.strip()]
    if kind == "integer":
        try:
            return int(value)
        except ValueError:
            raise ConfigError("a whole number is expected", field=name) from None
    if kind == "boolean":
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if value.lower() not in words:
            raise ConfigError("true or false is expected", field=name)
        return words[value.lower()]
    return value


def _path(kind: type, value: object) -> object:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(str(value))


def _put(raw: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        raw = raw.setdefault(part, {})
        if not isinstance(raw, dict):
            raise ConfigError(f"{FILE}: a table is expected", field=part)
    raw[path[-1]] = value
