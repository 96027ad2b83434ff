"""``cybex link run``: one run of a link now, without waiting for the worker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import click

from hub import config
from hub.bootstrap import open_hub, partner_opener
from hub.cli.link_letters import link
from hub.cli.output import data_option, json_option, print_one
from hub.errors import NotFound
from hub.services import event_log
from hub.services.links import NO_LINK
from hub.services.relay import keeping
from hub.store import links as link_store
from hub.store import peers as peer_store


@link.command()
@click.argument("handle", metavar="HUB")
@click.option("--direction", type=click.Choice(["push", "pull"]), help="Only this way; otherwise what the link says.")
@click.option("--max-bytes", type=click.IntRange(min=1024), help="Octets on the wire at most; the rest is for later.")
@data_option
@json_option
def run(handle: str, direction: str | None, max_bytes: int | None, data: Path | None, as_json: bool) -> None:
    """Send and fetch once, and say what crossed. A worker on the same link is not disturbed: what comes twice is known.

    Example: cybex link run hub-b --max-bytes 1000000
    """
    settings = config.load(data)
    event_log.beside_output()
    hub = open_hub(settings)
    with hub.db.read() as tx:
        peer = peer_store.by_handle(tx, handle)
        found = None if peer is None else link_store.get(tx, peer.id)
    if peer is None or found is None or found.url is None:
        raise NotFound(NO_LINK)
    if max_bytes is not None:
        found = keeping.with_budget(found, max_bytes)
    ways = [direction] if direction else [way for way in ("push", "pull") if getattr(found, way)]
    partner = partner_opener(settings)(peer, found)
    ran, counted = {}, (0, 0)
    for way in ways:
        click.echo(f"{'sending to' if way == 'push' else 'fetching from'} {handle} ...", err=True)
        try:
            done = keeping.run_once(hub, peer, found, cast(Literal["push", "pull"], way), partner)
        finally:
            keeping.count(hub, found, sent=partner.sent - counted[0], received=partner.received - counted[1])
            counted = (partner.sent, partner.received)
        ran[way] = {"objects": done.objects, "batches": done.batches, "left": done.left}
    row = {
        "hub": handle,
        "sent_objects": ran.get("push", {}).get("objects", 0),
        "fetched_objects": ran.get("pull", {}).get("objects", 0),
        "sent_octets": partner.sent,
        "received_octets": partner.received,
        "more_left": any(one["left"] for one in ran.values()),
    }
    print_one(row, as_json=as_json)
