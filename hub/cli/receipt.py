"""``cybex receipt``: what a hub signed of a submission, fetched once more and checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import data_option, text_of
from hub.client.hub_pin import HubKeys, read_hub_key
from hub.client.receipt_log import check_log as in_log
from hub.client.receipts import fetch
from hub.domain.canonical import parse
from hub.domain.receipt import Receipt
from hub.domain.receipt_check import read_receipt


@click.command()
@click.argument("submission")
@click.option(
    "--key",
    "key_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your signing key: the hub's is remembered beside it.",
)
@click.option("--hub-key", metavar="KID|FILE", help="Key of the hub, as its operator told you.")
@click.option("--check-log", is_flag=True, help="Also prove from the hub's transparency log that it says the same.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the receipts as they are signed.")
@optional_connection_options
def receipt(
    submission: str,
    key_path: Path | None,
    hub_key: str | None,
    check_log: bool,
    data: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the receipts of SUBMISSION, the id of its TAXII status; a hub keeps them for 30 days.

    With --url it asks a hub for one's own receipts and checks them; exit code 1 when one does not hold. Without it the
    operator reads them on the hub's own machine. Later receipts say what became of objects that were held.

    Example: cybex receipt --url https://hub.example/alpha/ --token-file aa.token --key aa.pem \
2d086da7-4bdc-4f91-900e-d77486753710
    """
    if options["url"] is None:
        if check_log:
            raise click.UsageError("--check-log asks a hub over the network: give --url as well")
        document = _local(data, submission)
        first, later = read_receipt(document["receipt"]), [read_receipt(one) for one in document["later"]]
        checked = "on this machine, not checked"
    else:
        session = transport(options, lambda text: click.echo(text, err=True))
        pins = None if key_path is None else key_path.with_suffix(".hubs.json")
        given = frozenset() if hub_key is None else frozenset([read_hub_key(hub_key)])
        keys = HubKeys(session, options["url"], pins, given, lambda text: click.echo(text, err=True))
        found = fetch(keys, submission, now=time.time_ns() // 1000)
        document, first, later = dict(found.document), found.first.receipt, [one.receipt for one in found.later]
        known = "remembered" if pins is not None or given else "not compared with any: give --key or --hub-key"
        checked = f"signed by the hub's key {found.first.attested.key.kid[:16]}…, {known}"
        if check_log:
            leaves = sum(in_log(session, options["url"], one) for one in (first, *later))
            click.echo(f"{leaves} leaves are in the log of the hub and say the same", err=True)
    if as_json:
        click.echo(orjson.dumps(document).decode())
        return
    click.echo(f"receipt of {first.hub} for {first.submitter}: {checked}")
    _lines(first)
    for one in later:
        click.echo("later")
        _lines(one)


def _lines(one: Receipt) -> None:
    for line in one.lines:
        place = "" if line.log_index is None else f"  log {line.log_index}"
        rule = "" if line.rule is None else f"  {text_of(line.rule)}"
        click.echo(f"  {line.decision:13}  {text_of(line.stix_id)}  {text_of(line.version)}{rule}{place}")


def _local(data: Path | None, submission: str) -> dict[str, Any]:
    from hub.bootstrap import open_hub_at  # only here: a peer's machine has no database to load
    from hub.services.actor import LOCAL_OPERATOR
    from hub.services.receipts import get

    kept = get(open_hub_at(data), LOCAL_OPERATOR, submission)
    return {"submission": kept.submission, "receipt": parse(kept.receipt), "later": parse(kept.later)}
