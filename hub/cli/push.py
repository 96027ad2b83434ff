"""``cybex push``: sign bundles and post them to a collection, as any TAXII client may."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli.connection import connection_options, transport
from hub.client import keyfile
from hub.client.hub_pin import HubKeys, read_hub_key
from hub.client.push import BATCH, Pushed
from hub.client.push import push as post
from hub.client.receipts import ReceiptBook
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import parse
from hub.domain.key_material import PrivateKey
from hub.domain.stix_document import objects_of
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--key", "key_path", type=click.Path(path_type=Path, dir_okay=False), help="Sign with this key before posting."
)
@click.option(
    "--second-key",
    "second_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign with this quantum-safe key as well (ML-DSA-65).",
)
@click.option("--identity", help="STIX identity of the signer; default: the one beside the key (aa.pub.json).")
@click.option("--author", is_flag=True, help="Make the signer the author of objects that name none.")
@click.option("--batch", type=click.IntRange(1, 5000), default=BATCH, show_default=True, help="Objects per envelope.")
@click.option(
    "--hub-key", metavar="KID|FILE", help="The key of the hub, as its operator told you; else the first one seen."
)
@click.option("--require-receipt", is_flag=True, help="Fail when the server gives no signed receipt.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@connection_options
def push(
    files: tuple[str, ...],
    key_path: Path | None,
    second_path: Path | None,
    identity: str | None,
    author: bool,
    batch: int,
    hub_key: str | None,
    require_receipt: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Sign STIX bundles, post them, and wait for the decision on every object; FILE may be - for standard input.

    What was signed is kept beside the file (incident.json.signed) and posted again if you repeat the command: the same
    version must never have two contents. The hub's receipt is checked before a file counts as done and kept in
    incident.json.receipts. Exit code 1 when an object was refused, or a receipt does not hold.

    Example: cybex push --url https://hub.example/alpha/ --token-file aa.token --key aa.pem incident.json
    """
    session = transport(options, lambda text: click.echo(text, err=True))
    key = keyfile.read(key_path) if key_path is not None else None
    if key is not None and key_path is not None:
        identity = identity or keyfile.identity_beside(key_path, key)
        if identity is None:
            raise click.UsageError("say who signs: --identity identity--... (there is none beside the key)")
    elif identity or author or second_path is not None:
        raise click.UsageError("--identity, --author and --second-key are of the signer: give --key as well")
    second = keyfile.read(second_path) if second_path is not None else None
    given = frozenset() if hub_key is None else frozenset([read_hub_key(hub_key)])
    refused = 0
    for name in files:
        objects = _objects(name, key, second, identity, author)
        receipts = Path("push.receipts" if name == "-" else f"{name}.receipts")
        pins = receipts / "hubs.json" if key_path is None else key_path.with_suffix(".hubs.json")
        keys = HubKeys(session, options["url"], pins, given, lambda text: click.echo(text, err=True))
        book = ReceiptBook(keys, receipts, lambda: time.time_ns() // 1000, require_receipt)
        pushed = Pushed(total=len(objects))
        for pushed in post(session, options["url"], options["collection"], objects, batch=batch, receipts=book):
            _progress(name, pushed)
        refused += len(pushed.failures)
        _result(name, pushed, book, as_json)
    click.echo(str(session.traffic), err=True)
    if refused:
        sys.exit(1)


def _objects(
    name: str, key: PrivateKey | None, second: PrivateKey | None, identity: str | None, author: bool
) -> list[dict[str, Any]]:
    """Return the objects to post: signed now, or as they were signed when the same file was pushed before."""
    source = sys.stdin.buffer.read() if name == "-" else _read(Path(name))
    if key is None or identity is None:
        return objects_of(parse(source))
    kept = None if name == "-" else Path(f"{name}.signed")
    kids = key.public.kid + ("" if second is None else second.public.kid)
    mark = hashlib.sha256(source + kids.encode() + identity.encode() + bytes([author])).hexdigest()
    if kept is not None and kept.exists():
        before = parse(_read(kept))
        if isinstance(before, dict) and before.get("x_cybex_source") == mark:
            return objects_of(before)
    objects = objects_of(parse(source))
    if author:
        objects = [_authored(obj, identity) for obj in objects]
    created = format_timestamp(time.time_ns() // 1000)[:23] + "Z"
    signed, _ = sign_objects(
        objects, key, identity=identity, created=created, new_uuid=lambda: str(uuid.uuid4()), second=second
    )
    if kept is not None:
        _keep(kept, {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "x_cybex_source": mark, "objects": signed})
    return signed


def _authored(obj: dict[str, Any], identity: str) -> dict[str, Any]:
    """Name the signer as author of a versioned object that names none; observables and markings have no author."""
    if "created_by_ref" in obj or "modified" not in obj:
        return obj
    return {**obj, "created_by_ref": identity}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _keep(path: Path, bundle: dict[str, Any]) -> None:
    aside = path.with_name(path.name + ".part")
    try:
        with aside.open("wb") as file:
            file.write(orjson.dumps(bundle))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written, and a push must be repeatable: {error.strerror}") from None


def _progress(name: str, pushed: Pushed) -> None:
    done = pushed.done + pushed.under_way
    refused = f", {len(pushed.failures)} refused" if pushed.failures else ""
    click.echo(f"{name}: {done} of {pushed.total} objects decided{refused}", err=True)


def _result(name: str, pushed: Pushed, book: ReceiptBook, as_json: bool) -> None:
    if book.kept:
        click.echo(f"{name}: {len(book.kept)} receipts hold and are kept in {book.directory}", err=True)
    if book.without:
        click.echo(f"{name}: no receipt: this server gives none", err=True)
    if as_json:
        result = {
            "file": name,
            "total": pushed.total,
            "statuses": pushed.statuses,
            "successes": pushed.successes,
            "failures": pushed.failures,
            "receipts": [str(book.directory / one) for one in book.kept],
        }
        click.echo(orjson.dumps(result).decode())
        return
    click.echo(f"{name}: {len(pushed.successes)} stored, {len(pushed.failures)} refused")
    for line in pushed.failures:
        click.echo(f"  refused {line.get('id')}: {line.get('message', 'no reason given')}")
