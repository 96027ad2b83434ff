"""``cybex pull``: fetch what is new in a collection and verify every signature, as any TAXII client may."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli.connection import connection_options, transport
from hub.client import keyfile, pins
from hub.client.acknowledge import Queue, signer
from hub.client.api import signed_directory
from hub.client.feed import collection_url
from hub.client.pull import Pulled
from hub.client.pull import pull as fetch
from hub.client.pull_acknowledge import PageAcknowledger
from hub.client.transport import RemoteError, Transport
from hub.domain.canonical import parse
from hub.domain.key_directory import ListedKey, read_directory
from hub.domain.keys import KeyRing
from hub.errors import ConfigError


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Directory for bundles and bookmark."
)
@click.option(
    "--keys", type=click.Path(path_type=Path, dir_okay=False), help="Key directory file to believe, not the hub's."
)
@click.option("--accept-new-keys", is_flag=True, help="Believe the hub's keys although they contradict what was known.")
@click.option("--limit", type=click.IntRange(1, 100_000), help="Objects per page; fewer on a thin link.")
@click.option("--type", "types", multiple=True, help="Only objects of this STIX type (may be repeated).")
@click.option("--require-signatures", is_flag=True, help="Treat unsigned objects as failed.")
@click.option(
    "--acknowledge",
    "key_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Confirm to the authors what is kept, refused or removed; signed with this key.",
)
@click.option("--follow", is_flag=True, help="Go on: the hub says when there is more (no open port is needed).")
@click.option("--max-bytes", type=click.IntRange(1), help="Octets on the wire of this run; the next run goes on.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@connection_options
def pull(
    out: Path,
    keys: Path | None,
    accept_new_keys: bool,
    limit: int | None,
    types: tuple[str, ...],
    require_signatures: bool,
    key_path: Path | None,
    follow: bool,
    max_bytes: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Fetch what is new since the last pull into the same directory, verify it, and write bundles.

    Objects whose signature fails go into files of their own (*.failed.json). Exit code 1 when there were any. The keys
    are remembered: when the hub's key changes, or a key contradicts what was known, nothing is taken.

    Example: cybex pull --url https://hub.example/alpha/ --token-file bb.token --out inbox
    """
    if follow and max_bytes is not None:
        raise click.UsageError("--follow never ends, so it has no budget of octets: give one of the two")
    session = transport(options, lambda text: click.echo(text, err=True))
    if keys is not None:
        listed = read_directory(parse(_read(keys)))
    else:
        listed = _known(session, options["url"], out, accept_new_keys)
    ring = KeyRing([item.key for item in listed])
    # With a filter by type, the detached signatures of those objects must come along.
    filters = {"match[type]": ",".join(sorted({*types, "jss-signature"}))} if types else {}
    url = collection_url(options["url"], options["collection"])
    taken = None if key_path is None else _acknowledger(session, options["url"], key_path, out)
    pulled = Pulled()
    for pulled in fetch(
        session, url, out, ring,
        clock=lambda: time.time_ns() // 1000, limit=limit, filters=filters, require_signatures=require_signatures,
        taken=taken, follow=follow, max_bytes=max_bytes,
    ):  # fmt: skip
        click.echo(f"{pulled.objects} objects on {pulled.pages} pages, {len(pulled.failures)} failed", err=True)
        if follow and taken is not None:
            _hand_in(taken, session, options["url"])
    click.echo(str(session.traffic), err=True)
    if pulled.more:
        click.echo("the budget is used up and the hub has more; the next pull goes on from here", err=True)
    waiting = taken is not None and not _hand_in(taken, session, options["url"])
    _result(pulled, session, as_json)
    if pulled.failures or waiting:
        sys.exit(1)


def _acknowledger(session: Transport, url: str, key_path: Path, out: Path) -> PageAcknowledger:
    key = keyfile.read(key_path)
    who = signer(session, url, key, keyfile.identity_beside(key_path, key), lambda: time.time_ns() // 1000)
    return PageAcknowledger(Queue(out), who, out)


def _hand_in(taken: PageAcknowledger, session: Transport, url: str) -> bool:
    """Hand in what waits and say whether nothing waits any more: what was fetched is safe either way."""
    if not len(taken.queue):
        return True
    try:
        kept, refused = taken.queue.send(session, url)
    except RemoteError as error:
        click.echo(f"{len(taken.queue)} acknowledgements wait for the next pull: {error.detail}", err=True)
        return False
    click.echo(f"{kept} acknowledgements kept by the hub, {len(refused)} not", err=True)
    return True


def _known(session: Transport, url: str, out: Path, accept_new_keys: bool) -> tuple[ListedKey, ...]:
    """Return the keys of the hub's directory after comparing them with those seen before, and remember them."""
    before = pins.load(out, url)
    found = signed_directory(session, url)
    compared = pins.compare(before, found, url=url)
    if before is None and found.signer is not None:
        click.echo(f"the hub's key is {found.signer.kid}; compare it with what its operator tells you", err=True)
    for warning in compared.warnings:
        click.echo(f"warning: {warning}", err=True)
    for refusal in compared.refusals:
        click.echo(f"{'warning' if accept_new_keys else 'refused'}: {refusal}", err=True)
    if compared.refusals and not accept_new_keys:
        raise ConfigError(
            "the hub's keys contradict what was known and nothing was taken; ask its operator over another channel,"
            " then go on with --accept-new-keys"
        )
    pins.save(out, compared.pins)
    return found.listed


def _result(pulled: Pulled, session: Transport, as_json: bool) -> None:
    failures = [{"id": one.id, "version": one.version, "reason": one.reason} for one in pulled.failures]
    if as_json:
        result = {
            "objects": pulled.objects,
            "by_status": pulled.by_status,
            "signatures_apart": pulled.apart,
            "failures": failures,
            "files": pulled.files,
            "bookmark": pulled.bookmark,
            "more": pulled.more,
            "octets": {"sent": session.traffic.sent, "received": session.traffic.received},
        }
        click.echo(orjson.dumps(result).decode())
        return
    found = ", ".join(f"{count} {status}" for status, count in sorted(pulled.by_status.items())) or "nothing new"
    click.echo(f"{pulled.objects} objects: {found}")
    if pulled.apart:
        click.echo(f"{pulled.apart} signatures over objects that are not on the same page, kept and not judged")
    for line in failures:
        click.echo(f"  failed {line['id']}: {line['reason']}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
