"""The story the demonstration tells: a real incident goes from CIRT AA to BB, signed and verified; CC sees nothing."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any, Final

import click

from hub.bootstrap import open_hub
from hub.cli.demo_world import identity_object, real_objects
from hub.client import keyfile
from hub.client.api import key_directory
from hub.client.feed import collection_url, pages
from hub.client.push import Pushed, push
from hub.client.transport import Login, RemoteError, Transport
from hub.config import load
from hub.domain.bundle_signing import sign_objects
from hub.domain.bundle_verification import Status, verify_objects
from hub.domain.keys import KeyRing
from hub.domain.signature_profile import SIGNATURE_TYPE
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import IDS
from hub.errors import ConfigError, NotFound
from hub.services.actor import LOCAL_OPERATOR
from hub.services.explain import explain

AMBER: Final = IDS["amber"]
GREEN: Final = IDS["green"]


def share_examples(world: dict[str, Any]) -> None:
    """Let AA and BB share real incidents and indicators, so that there is something to read. Raises ConfigError."""
    for handle in ("aa", "bb"):
        peer = world["peers"][handle]
        _send(world, handle, "indicators", [identity_object(peer["identity"], peer["name"], _key_time(peer))])
    _send(world, "bb", "incidents", real_objects("incident_ransom", world["peers"]["bb"]["identity"], GREEN))
    _send(world, "aa", "incidents", real_objects("incident_with_child", world["peers"]["aa"]["identity"], GREEN))
    _send(world, "bb", "indicators", real_objects("novispy", world["peers"]["bb"]["identity"], GREEN))
    _send(world, "aa", "indicators", real_objects("apt1", world["peers"]["aa"]["identity"], GREEN))


def tell(data: Path, world: dict[str, Any]) -> None:
    """Send the incident, read it as BB and as CC, and print what happened and why. Raises ConfigError if it did not."""
    click.secho("\n1. CIRT AA signs a real incident (OASIS incident-core example, TLP:AMBER) and posts it", bold=True)
    objects = real_objects("incident_expo_1", world["peers"]["aa"]["identity"], AMBER)
    incident = next(str(obj["id"]) for obj in objects if obj["type"] == "incident")
    sent = _send(world, "aa", "incidents", objects)
    click.echo(f"   {len(sent.successes)} objects and signatures accepted; once more they would change nothing")
    click.secho("2. The hub verified every signature before it wrote a byte, and decided who may see it", bold=True)
    _explain(data, incident, "bb")
    click.secho("3. CIRT BB reads the collection and verifies AA's signature itself", bold=True)
    _read_as_bb(world, incident)
    click.secho("4. CIRT CC is not in the group: for CC it does not exist", bold=True)
    _knock_as_cc(world)
    _explain(data, incident, "cc")


def _send(world: dict[str, Any], handle: str, alias: str, objects: list[dict[str, Any]]) -> Pushed:
    """Sign as a peer and post to group alpha; what was signed once is sent again as it was, from DATA/keys."""
    peer, group = world["peers"][handle], world["groups"]["alpha"]
    pair = keyfile.read(Path(peer["signing_key"]))
    names = iter(range(len(objects)))
    signed, _ = sign_objects(
        objects,
        pair,
        identity=peer["identity"],
        created=format_timestamp(_key_time(peer))[:23] + "Z",
        new_uuid=lambda: _stable_uuid(pair.public.kid, str(objects[next(names)]["id"])),
    )
    *_, pushed = push(_transport(peer), group["api_root"], group["collections"][alias], signed)
    if pushed.failures:
        raise ConfigError(f"the demonstration's own data was refused: {pushed.failures[0].get('message')}")
    return pushed


def _read_as_bb(world: dict[str, Any], incident: str) -> None:
    group, transport = world["groups"]["alpha"], _transport(world["peers"]["bb"])
    listed = key_directory(transport, group["api_root"])
    owners = {item.key.identity: item.handle for item in listed}
    url = collection_url(group["api_root"], group["collections"]["incidents"])
    objects = [obj for page in pages(transport, url, added_after=None, limit=None, filters={}) for obj in page.objects]
    checked = verify_objects(objects, KeyRing([item.key for item in listed]), now=_now())
    good = [one for one in checked if one.status is Status.VERIFIED]
    found = next((one for one in good if one.id == incident), None)
    if found is None or len(good) != len(checked):
        raise ConfigError("BB could not verify what it read: the demonstration is broken")
    signatures = sum(1 for obj in objects if obj.get("type") == SIGNATURE_TYPE)
    name = next(obj.get("name") for obj in objects if obj.get("id") == incident)
    signer = found.signers[0]
    click.echo(f"   {len(checked)} objects read, {len(good)} verified ({signatures} by a signature beside the object)")
    click.echo(f"   {incident} {name!r}")
    signed_at = format_timestamp(signer.signed_at)
    click.echo(f"   signed by {owners.get(signer.identity, '?')}, {signer.carrier}, on {signed_at}: valid")


def _knock_as_cc(world: dict[str, Any]) -> None:
    transport = _transport(world["peers"]["cc"])
    answers = []
    for slug in ("alpha", "no-such-group"):
        try:
            transport.get(f"{world['base_url']}{slug}/")
        except RemoteError as refused:
            answers.append(refused.http_status)
            click.echo(f"   GET /{slug}/ as cc: {refused.http_status}")
    if answers != [404, 404]:
        raise ConfigError("CC can tell that the group exists: the demonstration is broken")


def _explain(data: Path, stix_id: str, handle: str) -> None:
    hub = open_hub(load(data))
    try:
        found = explain(hub, LOCAL_OPERATOR, stix_id, handle)
    except NotFound:
        raise ConfigError("the incident is not stored: the demonstration is broken") from None
    finally:
        hub.db.close()
    for one in found:
        if one.stored is not None:
            click.echo(f"   accepted by rule {one.stored.rule}: {one.stored.reason} (TLP:{one.stored.tlp.upper()})")
        verdict = click.style("may see it", fg="green") if one.decision else click.style("withheld", fg="red")
        click.echo(f"   {handle}: {verdict}; rule {one.decision.rule}: {one.decision.reason}")


def _transport(peer: dict[str, Any]) -> Transport:
    return Transport(Login(token=peer["token"]))


def _key_time(peer: dict[str, Any]) -> int:
    """Return a second after the key was made: a fixed signing time makes a second run sign the very same bytes."""
    return int(Path(peer["signing_key"]).stat().st_mtime) * 1_000_000 + 1_000_000


def _stable_uuid(kid: str, stix_id: str) -> str:
    """Return the same version 4 UUID for the same key and object: a repeated demonstration repeats its bytes."""
    return str(uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_URL, f"{kid}/{stix_id}").bytes, version=4))


def _now() -> int:
    return time.time_ns() // 1000
