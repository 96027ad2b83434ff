"""``cybex log``: the transparency log of the hub on this machine; `verify` follows anybody's over the network."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.cli.tlog_options import crying_out, given_key, required, tlog_options, transport
from hub.client import tlog
from hub.client.tlog_memory import remember
from hub.domain.canonical import parse
from hub.errors import NotFound
from hub.services import checkpoints, log_reading
from hub.services import witnesses as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import log as resources

COLUMNS = ("name", "verifier_key", "cosigned_size", "cosigned_at")
MAX_FILE = 1024 * 1024
"""Octets of an opened leaf in a file; the largest payload is a few KB."""


@click.group()
def log() -> None:
    """The transparency log: state, proofs, checkpoints, witnesses.

    Example: cybex log state
    """


@log.command()
@data_option
@json_option
def state(data: Path | None, as_json: bool) -> None:
    """Show the log's name, key and size, and its latest checkpoint with the cosignatures of witnesses.

    Example: cybex log state
    """
    found = resources.state(log_reading.state(open_hub_at(data)))
    if as_json:
        print_one(found, as_json=True)
        return
    last: dict[str, Any] = found["checkpoint"] or {}
    shown = {name: found[name] for name in ("origin", "verifier_key", "size")}
    print_one(shown | {"checkpointed": last.get("size"), "checkpoint_at": last.get("at")}, as_json=False)
    if last:
        click.echo(f"\n{last['note']}", nl=False)


@log.command()
@click.argument("index", type=click.IntRange(0))
@data_option
@json_option
def leaf(index: int, data: Path | None, as_json: bool) -> None:
    """Open one leaf: what happened, and the salt with which others can check that the log holds it.

    Example: cybex log leaf 41
    """
    print_one(resources.leaf(log_reading.opened(open_hub_at(data), LOCAL_OPERATOR, index)), as_json=as_json)


@log.command()
@click.argument("index", type=click.IntRange(0))
@click.option("--size", type=click.IntRange(1), help="Leaves of the tree; the latest checkpoint's without it.")
@data_option
@json_option
def prove(index: int, size: int | None, data: Path | None, as_json: bool) -> None:
    """Prove that leaf INDEX is in the log (RFC 6962 §2.1.1); hashes in base64, from the leaf upwards.

    Example: cybex log prove 41
    """
    proof = log_reading.inclusion(open_hub_at(data), index, size)
    _print_proof(proof, {"index": index}, ("leaf_hash", "root"), as_json=as_json)


@log.command()
@click.argument("old", type=click.IntRange(0))
@click.argument("new", type=click.IntRange(0))
@data_option
@json_option
def consistency(old: int, new: int, data: Path | None, as_json: bool) -> None:
    """Prove that the tree of NEW leaves begins with the tree of OLD (RFC 6962 §2.1.2).

    Example: cybex log consistency 12 41
    """
    proof = log_reading.consistency(open_hub_at(data), old, new)
    _print_proof(proof, {"old": old, "new": new}, ("old_root", "new_root"), as_json=as_json)


@log.command()
@data_option
@json_option
def checkpoint(data: Path | None, as_json: bool) -> None:
    """Sign a checkpoint of everything committed so far, now; the worker does it every second anyway.

    Example: cybex log checkpoint
    """
    hub = open_hub_at(data)
    while checkpoints.make(hub) is not None:
        continue
    last: dict[str, Any] | None = resources.state(log_reading.state(hub))["checkpoint"]
    if last is None:
        raise NotFound("the log is empty, or the hub was never initialised; run: cybex init")
    if as_json:
        print_one(last, as_json=True)
    else:
        click.echo(last["note"], nl=False)


@log.command()
@click.option(
    "--leaf", "leaf_file", type=click.File("rb"), help="A leaf as `cybex log leaf --json` or the API opens it."
)
@tlog_options
def verify(
    leaf_file: IO[bytes] | None,
    url: str | None,
    state: Path | None,
    log_key: str | None,
    ca: Path | None,
    allow_http: bool,
) -> None:
    """Check a hub's log from outside: signature, consistency with the last look, and that it holds a leaf.

    Exit code 3: it was rewound, shows different things to different people, or does not hold the leaf.

    Example: cybex log verify --url https://hub.example/tlog/ --state hub.log --leaf leaf-41.json
    """
    url, state = required(url, state)
    session = transport(url, ca=ca, allow_http=allow_http)
    with crying_out():
        found = remember(session, url, state, key=given_key(log_key))
        if found.before is None:
            click.echo(f"first look: from now on this key is believed: {found.seen.key.text}", err=True)
        click.echo(f"{found.seen.checkpoint.origin}: {found.seen.checkpoint.size} leaves, signed")
        if found.before is not None:
            click.echo(f"begins with the {found.before.size} leaves of the last look")
        if leaf_file is not None:
            opened = tlog.opened(parse(leaf_file.read(MAX_FILE)))
            tlog.check_inclusion(session, url, found.seen, opened.index, opened.data)
            click.echo(f"holds this {opened.payload.get('event')} at {opened.index}")


@log.group()
def witness() -> None:
    """Witnesses: who may cosign this log's checkpoints.

    Example: cybex log witness list
    """


@witness.command()
@click.argument("name")
@click.argument("verifier_key", metavar="VKEY")
@data_option
@json_option
def add(name: str, verifier_key: str, data: Path | None, as_json: bool) -> None:
    """Let a witness cosign; VKEY is what `cybex witness --show-key` prints on its machine.

    Example: cybex log witness add cirt-bb cirt.example/witness+5a2cf1a7+BNhoKX…
    """
    found, _ = service.put(open_hub_at(data), LOCAL_OPERATOR, name, verifier_key)
    print_one(resources.witness(found), as_json=as_json)


@witness.command("list")
@data_option
@json_option
def list_(data: Path | None, as_json: bool) -> None:
    """List the witnesses, each with the largest checkpoint it has cosigned.

    Example: cybex log witness list
    """
    rows = [resources.witness(row) for row in service.listed(open_hub_at(data), LOCAL_OPERATOR)]
    print_rows(rows, COLUMNS, as_json=as_json)


@witness.command()
@click.argument("name")
@data_option
@json_option
def remove(name: str, data: Path | None, as_json: bool) -> None:
    """Let a witness count no more; what it has cosigned stays on record.

    Example: cybex log witness remove cirt-bb
    """
    service.remove(open_hub_at(data), LOCAL_OPERATOR, name)
    print_one({"name": name, "removed": True}, as_json=as_json)


def _print_proof(proof: log_reading.Proof, about: dict[str, Any], names: tuple[str, str], *, as_json: bool) -> None:
    ends = dict(zip(names, (resources.encoded(proof.start), resources.encoded(proof.root)), strict=True))
    print_one(about | ends | {"proof": [resources.encoded(each) for each in proof.hashes]}, as_json=as_json)
