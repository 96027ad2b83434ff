"""``cybex path``: by which hubs an object came and where it went on to, each step checked."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import data_option, json_option, text_of
from hub.client import object_path as client
from hub.client.hub_pin import HubKeys, read_hub_key
from hub.client.object_path import Checked, Receipted, Trail
from hub.domain.path_check import Step
from hub.domain.taxii_time import format_timestamp


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@click.option(
    "--key",
    "key_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your signing key: the hub's is remembered beside it.",
)
@click.option("--hub-key", metavar="KID|FILE", help="Key of the hub, as its operator told you.")
@data_option
@json_option
@optional_connection_options
def path(
    stix_id: str, key_path: Path | None, hub_key: str | None, data: Path | None, as_json: bool, **options: Any
) -> None:
    """Show and verify the way of OBJECT over hubs: its author's signature, each hub's signed hop, receipts, log places.

    With --url it asks a hub and checks everything on this machine, knowing that hub's key only; without, on the hub's
    own machine. Exit code 1 when a step does not hold.

    Example: cybex path --url https://hub.example/alpha/ --token-file dd.token --key dd.pem \
incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    now = time.time_ns() // 1000
    if options["url"] is None:
        answer, checked = _local(data, stix_id, now)
        trusted = "the key ring of this hub"
    else:
        session = transport(options, lambda text: click.echo(text, err=True))
        pins = None if key_path is None else key_path.with_suffix(".hubs.json")
        given = frozenset() if hub_key is None else frozenset([read_hub_key(hub_key)])
        keys = HubKeys(session, options["url"], pins, given, lambda text: click.echo(text, err=True))
        answer, checked = client.ask(session, options["url"], stix_id, keys, now=now)
        known = pins is not None or given
        trusted = "the remembered key of this hub" if known else "a key compared with none: give --key or --hub-key"
    if as_json:
        shown = dict(answer) | {"holds": checked.holds, "checked": _as_json(checked)}
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(f"{stix_id}, checked with {trusted}")
        for one in checked.trails:
            _print(one, checked)
        for problem in checked.problems:
            click.echo(f"NO   {text_of(problem)}")
    if not checked.holds:
        sys.exit(1)


def _local(data: Path | None, stix_id: str, now: int) -> tuple[dict[str, Any], Checked]:
    from hub.bootstrap import open_hub_at  # only here: a peer's machine has no database to load
    from hub.services import object_paths as service
    from hub.services.actor import LOCAL_OPERATOR
    from hub.web.api.object_paths import object_path

    hub = open_hub_at(data)
    found = service.found(hub, LOCAL_OPERATOR, stix_id)
    answer = dict(object_path(stix_id, found))
    bodies = service.stored_objects(hub, LOCAL_OPERATOR, found)
    ring = service.own_keys(hub)
    return answer, client.check(answer, bodies, hub=found.hub, ring=ring, asker=found.asker, now=now)


def _print(one: Trail, checked: Checked) -> None:
    click.echo(f"{one.place}, version {text_of(one.version)}, sha256 {one.sha256[:16]}…: {text_of(one.signature)}")
    for problem in one.problems:
        click.echo(f"  NO   {text_of(problem)}")
    for way in one.ways:
        hubs = "this hub itself" if len(way) == 1 else f"{len(way)} hubs"
        click.echo(f"  by way of {hubs}:")
        for number, step in enumerate(way, 1):
            click.echo(f"    {_verdict(step.problem)} {number}. {_step(step, checked)}")
    for receipt in one.receipts:
        click.echo(f"  {_verdict(receipt.problem)} receipt of {_receipt(receipt)}")
    for receipt in one.onward or ():
        click.echo(f"  {_verdict(receipt.problem)} handed on to {_receipt(receipt)}")
    if one.onward == ():
        click.echo("  handed on to no other hub")


def _verdict(problem: str | None) -> str:
    return "yes " if problem is None else "NO  "


def _step(step: Step, checked: Checked) -> str:
    hop = step.hop
    if hop is None:
        return f"unreadable: {text_of(step.problem)}"
    hub, giver = (text_of(checked.names.get(name, name)) for name in (hop.hub, hop.giver))
    place = "" if hop.log_index is None else f", log {hop.log_index}"
    because = "" if step.problem is None else f": {text_of(step.problem)}"
    return f"{hub} had it on {format_timestamp(hop.accepted_at)} from {giver}{place}{because}"


def _receipt(one: Receipted) -> str:
    place = "" if one.log_index is None else f", log {one.log_index} there"
    if one.problem is not None:
        return f"{text_of(one.name)}: {text_of(one.problem)}"
    proof = "receipt checked" if one.checked else "no receipt yet" if one.log_index is None else "as this hub says"
    return f"{text_of(one.name)}: {text_of(one.outcome)}{place} ({proof})"


def _as_json(checked: Checked) -> dict[str, Any]:
    return {
        "names": dict(checked.names),
        "problems": list(checked.problems),
        "versions": [
            {
                "place": one.place,
                "version": one.version,
                "holds": one.holds,
                "signature": one.signature,
                "problems": list(one.problems),
                "ways": [[{"hub": step.hop and step.hop.hub, "problem": step.problem} for step in way]
                         for way in one.ways],
                "receipts": [_receipt_json(each) for each in one.receipts],
                "onward": None if one.onward is None else [_receipt_json(each) for each in one.onward],
            }
            for one in checked.trails
        ],
    }  # fmt: skip


def _receipt_json(one: Receipted) -> dict[str, Any]:
    return {
        "hub": one.hub,
        "outcome": one.outcome,
        "log_index": one.log_index,
        "checked": one.checked,
        "problem": one.problem,
    }
