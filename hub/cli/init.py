"""``cybex init``: from nothing to a hub that can be served, with secrets that nobody chose and nobody has seen."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hub import config
from hub.bootstrap import open_hub
from hub.client import keyfile
from hub.config import Settings
from hub.domain import limits
from hub.domain.membership import CredentialKind, PeerKind, Role
from hub.errors import Conflict
from hub.services import credentials, keys, peers
from hub.services.actor import HUB_HANDLE, LOCAL_OPERATOR
from hub.services.context import Hub
from hub.services.credentials import Issued
from hub.store.database import Database

FILE_MODE = 0o600


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
@click.option("--name", default="CYBEX hub", show_default=True, help="Name of the hub, shown to its peers.")
@click.option("--url", help="Address under which peers reach the hub, such as https://hub.example.org/")
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default 8080).")
@click.option("--behind-proxy", is_flag=True, help="A proxy in front of the hub speaks TLS.")
@click.option("--trusted-proxy", multiple=True, metavar="CIDR", help="A network whose forwarded headers are believed.")
@click.option("--client-certificates", is_flag=True, help="The trusted proxy sends Client-Cert (RFC 9440).")
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="Certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its key, PEM, PKCS #8.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def init(
    data: Path | None,
    name: str,
    url: str | None,
    host: str | None,
    port: int | None,
    behind_proxy: bool,
    trusted_proxy: tuple[str, ...],
    client_certificates: bool,
    tls_certificate: Path | None,
    tls_key: Path | None,
    as_json: bool,
) -> None:
    """Make a new hub: configuration, secrets, database, and an operator whose password is shown once.

    A second run changes nothing. One that was interrupted may be run again. For PostgreSQL set CYBEX_DATABASE_URL_FILE.

    Example: cybex init --data /var/lib/cybex --url https://hub.example.org/
    """
    directory = config.data_directory(data)
    chosen: dict[str, object] = {
        "public_url": url,
        "server.host": host,
        "server.port": port,
        "server.behind_proxy": behind_proxy or None,
        "server.trusted_proxies": list(trusted_proxy) or None,
        "server.client_certificate_header": "client-cert" if client_certificates else None,
        "tls.certificate": str(tls_certificate.absolute()) if tls_certificate else None,
        "tls.key": str(tls_key.absolute()) if tls_key else None,
    }
    settings = _configuration(directory, chosen)
    config.ensure_secrets(settings)
    _migrated(settings)
    hub = open_hub(settings)
    try:
        issued = first_operator(hub, settings, name)
    finally:
        hub.db.close()
    _report(settings, issued, as_json=as_json)


def first_operator(hub: Hub, settings: Settings, name: str) -> Issued:
    """Make the hub's own peer, its key and its operator, whichever is missing. Raises Conflict when all are there."""
    if HUB_HANDLE not in {peer.handle for peer in peers.listed(hub, LOCAL_OPERATOR)}:
        peers.add(hub, LOCAL_OPERATOR, handle=HUB_HANDLE, name=name, kind=PeerKind.HUB)
    public = keyfile.read(settings.secrets / config.SIGNING_KEY).public
    if public.kid not in {key.kid for key in keys.of_peer(hub, LOCAL_OPERATOR, HUB_HANDLE)[1]}:
        keys.enrol(hub, LOCAL_OPERATOR, HUB_HANDLE, public_key=public.text)
    _, existing = credentials.listed(hub, LOCAL_OPERATOR, HUB_HANDLE)
    if any(credential.role is Role.OPERATOR for credential in existing):
        raise Conflict(
            "this hub is initialised already and nothing was changed; for another operator run: "
            "cybex credential add hub --role operator"
        )
    return credentials.add(
        hub,
        LOCAL_OPERATOR,
        HUB_HANDLE,
        kind=CredentialKind.BASIC,
        role=Role.OPERATOR,
        label="operator, made by cybex init",
        username="operator",
    )


def _configuration(directory: Path, chosen: dict[str, object]) -> Settings:
    """Return the settings of the hub.toml that is there, else of the one written now, which is checked first."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / config.FILE
    given = {key: value for key, value in chosen.items() if value is not None}
    if path.exists():
        if given:
            raise Conflict(f"{path} is there already and nothing was changed; edit it", field="data")
        return config.load(directory)
    text = configuration_text(given)
    draft = directory / f".{config.FILE}.draft"
    draft.touch(mode=FILE_MODE)
    draft.write_text(text, encoding="utf-8")
    try:
        settings = config.load(directory, file=draft)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return settings


def configuration_text(given: dict[str, object]) -> str:
    """Return a hub.toml with what was chosen, and every other setting as a comment with its default."""
    lines = [
        "# The configuration of this hub. Every line that is commented out shows the default. A variable of the",
        "# environment wins over its line here. No secrets in this file: they lie in secrets/, the database's password",
        "# in the file that CYBEX_DATABASE_URL_FILE names, or in libpq's own places.",
        "",
    ]
    table = ""
    for key, default, comment in DEFAULTS:
        section, _, name = key.rpartition(".")
        if section != table:
            lines += ["", f"[{section}]"]
            table = section
        lines.append(f"# {comment}")
        lines.append(f"{name} = {_toml(given[key])}" if key in given else f"# {name} = {_toml(default)}")
    lines += ["", "# Connectors that the worker runs: one [connector.NAME] table each, see docs/connectors.md."]
    return "\n".join(lines) + "\n"


DEFAULTS: tuple[tuple[str, object, str], ...] = (
    ("public_url", "https://hub.example.org/", "Where peers reach the hub; without it the request's own host is used."),
    ("database_url", "postgresql://cybex@localhost/cybex", "Without it: SQLite, hub.sqlite3 beside this file."),
    ("server.host", "127.0.0.1", "Other than loopback needs [tls] or behind_proxy."),
    ("server.port", 8080, "1 to 65535."),
    ("server.workers", 1, "Processes. On PostgreSQL one per core."),
    ("server.threads", 8, "Requests that one process answers at a time."),
    ("server.behind_proxy", False, "true: a proxy in front speaks TLS, and the network up to here is trusted."),
    (
        "server.trusted_proxies",
        ["127.0.0.1/32"],
        "Whose X-Forwarded-* and Client-Cert are believed. Default: nobody's.",
    ),
    (
        "server.client_certificate_header",
        "none",
        "client-cert: the trusted proxy sets or removes Client-Cert (RFC 9440).",
    ),
    ("tls.certificate", "/etc/cybex/chain.pem", "PEM, the hub's own certificate first. Default: no TLS."),
    ("tls.key", "/etc/cybex/key.pem", "PEM, PKCS #8, readable by the hub's user only."),
    ("limits.max_content_length", limits.MAX_CONTENT_LENGTH, "Octets of a request body, decoded."),
    ("limits.sync_content_length", limits.SYNC_CONTENT_LENGTH, "Larger envelopes are left to the worker."),
    ("limits.max_objects", limits.MAX_OBJECTS, "Objects in one envelope."),
    ("limits.page_objects_default", limits.PAGE_OBJECTS_DEFAULT, "Objects on a page when none are asked for."),
    ("limits.page_objects_max", limits.PAGE_OBJECTS_MAX, "Objects on a page at most."),
    ("limits.page_bytes_max", limits.PAGE_BYTES_MAX, "Octets of objects on a page at most."),
    (
        "limits.status_retention_seconds",
        limits.STATUS_RETENTION_SECONDS,
        "How long statuses, receipts and refusals are kept; a day at least.",
    ),
    ("log.format", "json", "json or console."),
    ("log.level", "info", "debug, info, warning or error."),
    ("metrics.allow", list(config.LOOPBACK), "Who may read /metrics; for everybody else it does not exist."),
    ("exports.warning_list", "", "File of addresses, networks and names that no block list ever holds; none if empty."),
)


def _toml(value: object) -> str:
    """Write a value; TOML's strings, numbers, booleans and arrays of strings are spelt as in JSON."""
    return json.dumps(value, ensure_ascii=True)


def _migrated(settings: Settings) -> None:
    database = Database.open(settings.database_url)
    try:
        database.migrate()
    finally:
        database.close()


def _report(settings: Settings, issued: Issued, *, as_json: bool) -> None:
    username, password = issued.credential.username, issued.secret
    if as_json:
        result = {"data": str(settings.data), "configuration": str(settings.file), "identity": issued.peer.identity}
        click.echo(json.dumps({**result, "operator": {"username": username, "password": password}}))
        return
    click.echo(f"The hub is made in {settings.data}; its settings are in {settings.file}.")
    click.echo(f"Operator: {username}")
    click.echo(f"Password: {password}   (shown once; the hub keeps only a hash)")
    click.echo(f"Now: cybex doctor --data {settings.data} && cybex serve --data {settings.data}")
