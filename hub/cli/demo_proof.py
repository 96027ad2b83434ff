"""The demonstration's second part: who will get it, who has it, that it is taken back everywhere, and the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hub.bootstrap import open_hub
from hub.cli.demo_case import (
    ALIAS,
    JSON,
    SLUG,
    Shared,
    Stix,
    analyst,
    asked,
    logged,
    new_case,
    now,
    patiently,
    read,
    retraction_of,
    share,
    signed,
)
from hub.client import acknowledge, keyfile, tlog
from hub.client.acknowledge import Said
from hub.config import load
from hub.domain.canonical import jcs
from hub.domain.membership import Right
from hub.errors import ConfigError
from hub.services import members
from hub.services.actor import LOCAL_OPERATOR
from hub.services.auditing.run import Audit


def prove(data: Path, world: dict[str, Any]) -> None:
    """Share, preview, read, retract, acknowledge, and verify the log of it. Raises ConfigError where that fails."""
    _admit(data, {Right.READ})
    try:
        _prove(data, world)
    finally:
        _admit(data, None)
    click.secho("11. Everything the hub has stored is verified again, from its bytes", bold=True)
    _audit(data)


def _prove(data: Path, world: dict[str, Any]) -> None:
    objects = new_case(world)
    incident = next(obj for obj in objects if obj["type"] == "incident")
    stix_id = str(incident["id"])
    click.secho("5. CC is admitted for one case. Before AA sends it, AA asks who will get it", bold=True)
    sent = signed(world, objects)
    _preview(world, sent, stix_id)
    click.secho("6. AA sends it; the hub's receipt is checked, and its places in the transparency log", bold=True)
    shared = share(data, world, sent)
    _print_shared(shared)
    click.secho("7. BB reads, then CC; AA sees who has it", bold=True)
    for handle in ("bb", "cc"):
        if stix_id not in read(world, handle):
            raise ConfigError(f"{handle} could not read the incident: the demonstration is broken")
    _print_delivered(world, stix_id)
    click.secho("8. AA takes it back with one signed note: both incidents, and all that they contain", bold=True)
    note = retraction_of(world, [str(obj["id"]) for obj in objects if obj["type"] == "incident"])
    retracted = share(data, world, signed(world, [note]))
    _print_shared(retracted)
    for handle in ("bb", "cc"):
        _print_feed(handle, read(world, handle), note, {str(obj["id"]) for obj in objects})
    click.secho("9. BB confirms, signed, that it has removed it; AA sees who has not yet", bold=True)
    confirmed = _confirm(world, "bb", objects)
    _print_reach(world, str(note["id"]))
    click.secho("10. The log proves the order, and shows nobody else what it is about", bold=True)
    _print_order(
        world, {"AA shared it": shared.last_place, "AA took it back": retracted.last_place, "BB confirmed": confirmed}
    )


def _preview(world: dict[str, Any], sent: Sequence[Stix], stix_id: str) -> None:
    question = {"group": SLUG, "collection": ALIAS, "objects": list(sent)}
    address = f"{world['base_url']}api/v1/preview"
    answer: Any = analyst(world, "aa").post(address, jcs(question), content_type=JSON, accept=JSON).body
    line = next(one for one in answer["objects"] if one["id"] == stix_id)
    click.echo(f"   {stix_id} would be {line['outcome']} (TLP:{line['tlp'].upper()}); nothing is stored")
    for reader in answer["readers"][line["readers"]]["peers"]:
        click.echo(f"   {reader['peer']}: {'would see it' if reader['sees'] else 'would not'}; rule {reader['rule']}")


def _print_shared(shared: Shared) -> None:
    click.echo(f"   receipt {shared.receipt.submission} holds; the log's signed tree has its {shared.leaves} leaves")
    for message in shared.messages:
        click.echo(f"   {message}")


def _print_delivered(world: dict[str, Any], stix_id: str) -> None:
    def rows() -> list[Mapping[str, Any]] | None:
        answer = asked(world, "aa", f"objects/{stix_id}/delivered")
        peers: list[Mapping[str, Any]] = answer["versions"][-1]["peers"]
        return peers if {"bb", "cc"} <= {one["peer"] for one in peers if one["state"] == "served"} else None

    for one in patiently(rows):
        served = f" by {one['last'][11:19]}" if one["last"] else ""
        click.echo(f"   {one['peer']}: {one['state']}{served}; rule {one['rule']}: {one['reason']}")


def _print_feed(handle: str, feed: Mapping[str, Stix], note: Stix, gone: set[str]) -> None:
    if note["id"] not in feed or gone & feed.keys():
        raise ConfigError(f"the retraction did not reach {handle}: the demonstration is broken")
    click.echo(f"   {handle} reads: {str(feed[note['id']]['abstract'])!r}; the objects are gone from its feed")


def _confirm(world: dict[str, Any], handle: str, objects: Sequence[Stix]) -> int:
    """Confirm as a peer that objects are removed; return the place of the last in the log, as AA is told."""
    peer, api_root = world["peers"][handle], world["groups"][SLUG]["api_root"]
    transport = analyst(world, handle)
    pair = keyfile.read(Path(peer["signing_key"]))
    signer = acknowledge.signer(transport, api_root, pair, peer["identity"], now)
    said = [signer.sign(Said(str(obj["id"]), str(obj["modified"]), "removed")) for obj in objects]
    for outcome in acknowledge.post(transport, api_root, said):
        if not outcome["kept"]:
            raise ConfigError(f"the hub did not take the acknowledgement: {outcome['detail']}")
    tally = asked(world, "aa", f"objects/{objects[-1]['id']}/acknowledgements")
    return int(next(row["log_index"] for item in tally["items"] for row in item["named"] if row["peer"] == handle))


def _print_reach(world: dict[str, Any], note: str) -> None:
    (row,) = asked(world, "aa", f"retractions/{note}")["retractions"]
    click.echo(f"   removed at {row['removed']} of {row['holders']}; open: {', '.join(row['open']) or 'nobody'}")


def _print_order(world: dict[str, Any], places: Mapping[str, int]) -> None:
    url = tlog.log_url(world["groups"][SLUG]["api_root"])
    transport = analyst(world, "aa")
    key = tlog.log_key(transport, url)
    for said, index in places.items():
        leaf = tlog.open_leaf(transport, url, index)

        def included(index: int = index, data: bytes = leaf.data) -> str:
            seen = tlog.fetch(transport, url, key)
            tlog.check_inclusion(transport, url, seen, index, data)
            return f"in the tree of {seen.checkpoint.size} leaves signed by {seen.checkpoint.origin}"

        click.echo(f"   leaf {index:4}: {said}; {patiently(lambda: logged(included))}")
    if list(places.values()) != sorted(places.values()):
        raise ConfigError("the log has another order: the demonstration is broken")


def _audit(data: Path) -> None:
    hub = open_hub(load(data))
    try:
        audit = Audit(hub.db, hub.signing_key.public, hub.log_key.public)
        for finding in audit.findings():
            raise ConfigError(f"the audit found something wrong at {finding.place}: the demonstration is broken")
    finally:
        hub.db.close()
    click.echo(f"   cybex audit: {audit.entries} versions and {audit.done} rows; nothing is wrong")


def _admit(data: Path, rights: set[Right] | None) -> None:
    """Let CC into the group with these rights, or with None out of it again."""
    hub = open_hub(load(data))
    try:
        if rights is not None:
            members.put(hub, LOCAL_OPERATOR, SLUG, "cc", rights)
        elif "cc" in {peer.handle for peer, _ in members.listed(hub, LOCAL_OPERATOR, SLUG)[1]}:
            members.remove(hub, LOCAL_OPERATOR, SLUG, "cc")
    finally:
        hub.db.close()
