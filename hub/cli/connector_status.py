"""``cybex connector status``: how connectors are, as this machine knows it, or as a hub was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from connectors.sdk import config as connector_config
from connectors.sdk.state import Folder
from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import print_rows
from hub.client.api import JSON, api_address
from hub.client.transport import RemoteError
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError

COLUMNS = ("name", "state", "last_success_at", "lag_seconds", "failures", "objects", "refused", "last_error")
_MOST_PAGES = 1_000


@click.command()
@click.argument("name", required=False)
@click.option(
    "--config", "file", type=click.Path(path_type=Path, dir_okay=False), help="File with the [connector.NAME] tables."
)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory of a hub, for its hub.toml.")
@click.option("--all-peers", is_flag=True, help="On the hub's machine: what the connectors of all peers reported.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@optional_connection_options
def status(
    name: str | None, file: Path | None, data: Path | None, all_peers: bool, as_json: bool, **options: Any
) -> None:
    """Show how connectors are: those configured here; with --url those that a hub was told of.

    Example: cybex connector status --config connectors.toml
    """
    columns: tuple[str, ...] = ("peer", *COLUMNS, "overdue")
    if options["url"] is not None:
        rows = _asked(options)
    elif all_peers:
        rows = _of_all(data)
    else:
        rows, columns = _local(file, data), COLUMNS
    if name is not None:
        rows = [row for row in rows if row.get("name") == name]
        if not rows:
            raise ConfigError("there is no such connector; see cybex connector list", field="NAME")
    print_rows(rows, columns, as_json=as_json)


def _local(file: Path | None, data: Path | None) -> list[dict[str, Any]]:
    from hub.cli.connector import configured  # that module registers this command

    place, tables = configured(file, data)
    rows: list[dict[str, Any]] = []
    for name, table in tables.items():
        try:
            one = connector_config.read(name, table, place.parent)
        except ConfigError as error:
            rows.append({"name": name, "state": "invalid", "last_error": f"{error.field}: {error.detail}"})
            continue
        how = Folder(one.folder).status()
        rows.append(
            {
                "name": name,
                "kind": one.table.kind,
                "direction": one.table.direction,
                "target": one.target,
                "every_seconds": one.every_seconds,
                "state": how.state.value if one.table.enabled else "disabled",
                "started_at": _instant(how.started_at),
                "finished_at": _instant(how.finished_at),
                "last_success_at": _instant(how.last_success_at),
                "last_error": how.last_error,
                "failures": how.failures,
                "retry_at": _instant(how.retry_at),
                "lag_seconds": how.lag_seconds,
                "objects": how.objects,
                "withdrawn": how.withdrawn,
                "refused": how.refused,
            }
        )
    return rows


def _asked(options: dict[str, Any]) -> list[dict[str, Any]]:
    session = transport(options, lambda text: click.echo(text, err=True))
    place = f"{api_address(options['url'])}/connectors"
    rows: list[dict[str, Any]] = []
    params: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        body = session.get(place, params=params, accept=JSON).body
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(items, list):
            raise RemoteError("the answer is no list of connectors; is this the API root of a CYBEX hub?")
        rows += [item for item in items if isinstance(item, dict)]
        following = body.get("next")
        if body.get("more") is not True or not isinstance(following, str) or params.get("after") == following:
            break
        params = {"after": following}
    return rows


def _of_all(data: Path | None) -> list[dict[str, Any]]:
    from hub.bootstrap import open_hub_at  # a connector's own machine has no hub, and need not load one
    from hub.services import connectors as service
    from hub.services.actor import LOCAL_OPERATOR
    from hub.web.api.connectors import connector as resource

    hub = open_hub_at(data)
    return [resource(row, hub.clock()) for row in service.listed(hub, LOCAL_OPERATOR)]


def _instant(us: int | None) -> str | None:
    return None if us is None else format_timestamp(us)
