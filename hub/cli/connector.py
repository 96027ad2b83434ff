"""``cybex connector``: bring in what other systems have, hand over what they need, and see how that goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from connectors.sdk import config as connector_config
from connectors.sdk import kinds as connector_kinds
from connectors.sdk import preview as connector_preview
from connectors.sdk import run as connector_run
from connectors.sdk.config import Connector
from connectors.sdk.report import Report
from connectors.sdk.state import Folder
from hub.cli import connector_status
from hub.cli.connector_new import new
from hub.cli.connector_schedule import end_with, keep_running
from hub.cli.output import print_rows, text_of
from hub.config import FILE, data_directory
from hub.errors import ConfigError

OWN_FILE = "connectors.toml"

config_option = click.option(
    "--config", "file", type=click.Path(path_type=Path, dir_okay=False), help="File with the [connector.NAME] tables."
)
data_option = click.option("--data", type=click.Path(path_type=Path), help="Data directory of a hub, for its hub.toml.")


@click.group()
def connector() -> None:
    """Connect other systems: MISP, TAXII servers, IODEF, CSV feeds, advisories, alerts.

    A connector is a member like any other. It is configured by a [connector.NAME] table: in hub.toml, where the worker
    runs it, or in a connectors.toml on the CIRT's own machine.

    Example: cybex connector run misp-in --config connectors.toml
    """


@connector.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def kinds(as_json: bool) -> None:
    """List the kinds of connectors that are installed, those of other packages too, and what is wrong with any.

    Example: cybex connector kinds
    """
    rows = []
    for found in connector_kinds.discover():
        kind = found.kind
        ways = [] if kind is None else [way for way, opens in (("in", kind.source), ("out", kind.target)) if opens]
        said = found.problem if kind is None else kind.summary
        rows.append({"kind": found.name, "directions": ways, "package": found.package, "summary": said})
    print_rows(rows, ("kind", "directions", "package", "summary"), as_json=as_json)


@connector.command("list")
@config_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(file: Path | None, data: Path | None, as_json: bool) -> None:
    """List the configured connectors; one that is not right is listed with what is wrong.

    Example: cybex connector list --config connectors.toml
    """
    place, tables = configured(file, data)
    rows = []
    for name, table in tables.items():
        row: dict[str, Any] = {"name": name, "kind": table.get("kind"), "direction": table.get("direction")}
        try:
            one = connector_config.read(name, table, place.parent)
            row |= {"target": one.target, "every": one.table.every, "enabled": one.table.enabled, "problem": None}
        except ConfigError as error:
            row |= {"target": None, "every": None, "enabled": False, "problem": f"{error.field}: {error.detail}"}
        rows.append(row)
    print_rows(rows, ("name", "kind", "direction", "target", "every", "enabled", "problem"), as_json=as_json)


@connector.command()
@click.argument("name")
@config_option
@data_option
@click.option("--once", is_flag=True, help="One run, and then the end (the default).")
@click.option("--every", metavar="TIME", help="Go on until interrupted, one run every 15m, 1h …")
@click.option("--dry-run", is_flag=True, help="Say what a run would do; nothing is posted, handed over or written.")
@click.option("--retry-refused", is_flag=True, help="Try once more what was refused, and nothing else.")
@click.option("--max-bytes", type=click.IntRange(1024), help="Octets this run may carry; the rest follows next time.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's record as JSON.")
@click.option("--parent", type=int, hidden=True, help="End with this process.")
def run(
    name: str,
    file: Path | None,
    data: Path | None,
    once: bool,
    every: str | None,
    dry_run: bool,
    retry_refused: bool,
    max_bytes: int | None,
    as_json: bool,
    parent: int | None,
) -> None:
    """Run a connector: once, or every so often until interrupted.

    The report says for every field what was kept, merged, guessed and dropped. Exit code 1 when the run failed; what it
    had done until then is kept, and the next run goes on from there.

    Example: cybex connector run misp-in --config connectors.toml --dry-run
    """
    if every is not None and (once or dry_run or retry_refused):
        raise click.UsageError("--every goes on; leave out --once, --dry-run and --retry-refused")
    if parent is not None:
        end_with(parent)
    place, one = opened(name, file, data)
    if every is not None:
        keep_running(one, place, every, max_bytes)
        return
    if dry_run:
        record = connector_preview.preview(one, notice=_notice, max_bytes=max_bytes)
    else:
        options = connector_run.Options(max_bytes=max_bytes, retry_refused=retry_refused)
        record = connector_run.run(one, notice=_notice, options=options)
    print_record(record, as_json=as_json, preview=dry_run)
    if record["outcome"] != "ok":
        sys.exit(1)


@connector.command()
@click.argument("name")
@config_option
@data_option
def check(name: str, file: Path | None, data: Path | None) -> None:
    """Check a connector's configuration, its rights on the hub, and whether its system answers; change nothing.

    Example: cybex connector check misp-in --config connectors.toml
    """
    for what, how in connector_preview.check(opened(name, file, data)[1], notice=_notice):
        click.echo(f"ok    {what}: {text_of(how)}")


@connector.command()
@click.argument("name")
@click.argument("begins", metavar="[RUN]", required=False)
@config_option
@data_option
@click.option("--list", "as_list", is_flag=True, help="List the runs that are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(name: str, begins: str | None, file: Path | None, data: Path | None, as_list: bool, as_json: bool) -> None:
    """Show what a run did, field by field: the last one, or RUN, which is its id or how it begins.

    Example: cybex connector report misp-in --config connectors.toml
    """
    folder = Folder(opened(name, file, data)[1].folder)
    if as_list:
        columns = ("run", "outcome", "objects", "unchanged", "withdrawn", "refused", "error")
        print_rows([{each: row.get(each) for each in columns} for row in folder.runs()], columns, as_json=as_json)
        return
    print_record(folder.run(begins), as_json=as_json)


def configured(file: Path | None, data: Path | None) -> tuple[Path, dict[str, Any]]:
    """Return the file with the connectors and its tables: --config, else ./connectors.toml, else a hub's hub.toml."""
    if file is not None:
        place = file
    elif data is None and Path(OWN_FILE).is_file():
        place = Path(OWN_FILE)
    else:
        place = data_directory(data) / FILE
    place = place.absolute()
    return place, dict(connector_config.load(place))


def opened(name: str, file: Path | None, data: Path | None) -> tuple[Path, Connector]:
    """Return the file and one connector of it. Raises ConfigError."""
    place, tables = configured(file, data)
    if name not in tables:
        known = ", ".join(sorted(tables)) or "none"
        raise ConfigError(f"{place} has no table [connector.{name}]; it has: {known}", field="NAME")
    return place, connector_config.read(name, tables[name], place.parent)


def print_record(record: dict[str, Any], *, as_json: bool, preview: bool = False) -> None:
    """Print what a run did."""
    if as_json:
        click.echo(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())
        return
    would = "would be " if preview else ""
    verb = "published" if record["direction"] == "in" else "handed over"
    click.echo(
        f"{record['name']}: {record['objects']} {would}{verb}, {record['unchanged']} unchanged,"
        f" {record['withdrawn']} {would}withdrawn, {record['refused']} refused"
    )
    if record["direction"] == "in":
        click.echo(f"  {record['signed']} of our own signed, {record['vouched']} of others vouched for")
    if record["known_refusals"]:
        click.echo(f"  {record['known_refusals']} refused before and unchanged: --retry-refused tries them again")
    if record["error"] is not None:
        click.echo(f"  failed: {text_of(record['error'])}")
    elif not record["complete"]:
        click.echo("  there is more; the next run goes on")
    for one in record["refusals"]:
        click.echo(f"  refused {text_of(one['id'])}: {text_of(one['rule'])}: {text_of(one['reason'])}")
    for line in Report.from_json(record["report"]["lines"]).lines:
        became = f" -> {text_of(line.became)}" if line.became else ""
        reason = f" ({text_of(line.reason)})" if line.reason else ""
        click.echo(f"  {line.fate.value:7} {line.count:6}  {text_of(line.field)}{became}{reason}")


def _notice(text: str) -> None:
    click.echo(text_of(text), err=True)


connector.add_command(new)
connector.add_command(connector_status.status)
