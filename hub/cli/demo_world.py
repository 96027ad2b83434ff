"""The demonstration world: one hub, two trust groups, three national CIRTs, one analyst, and real data to exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from hub import config
from hub.bootstrap import open_hub
from hub.cli.init import configuration_text, first_operator
from hub.client import keyfile
from hub.config import Settings
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.domain.taxii_time import format_timestamp
from hub.services import collections, credentials, groups, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.store.database import Database

World = dict[str, Any]

FILE: Final = "demo.json"
DATA: Final = Path(__file__).with_name("demo_data")
PEERS: Final[Mapping[str, tuple[str, str]]] = {
    "aa": ("CIRT AA (demonstration)", "africa"),
    "bb": ("CIRT BB (demonstration)", "asia-pacific"),
    "cc": ("CIRT CC (demonstration)", "europe"),
}
GROUPS: Final[Mapping[str, tuple[str, bool, tuple[str, ...]]]] = {
    "alpha": ("Alpha: signatures are required", True, ("aa", "bb")),
    "bravo": ("Bravo: signatures are optional", False, ("bb", "cc")),
}


def settings_for(data: Path, port: int) -> Settings:
    """Return the settings of the demonstration in a directory: loopback, this port, SQLite."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = data / config.FILE
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(configuration_text({"server.port": port, "log.level": "warning"}), encoding="utf-8")
    settings = config.load(data)
    return msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, port=port))


def read_world(data: Path) -> World | None:
    """Return what `demo.json` says, None when the world is not made yet."""
    try:
        world: World = json.loads((data / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return world


def write_world(data: Path, world: World) -> None:
    """Leave `demo.json`, which holds the logins, readable by its owner only; whole or not at all."""
    aside = data / f".{FILE}.part"
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(world, indent=1), encoding="utf-8")
    aside.replace(data / FILE)


def make_world(data: Path, settings: Settings) -> World:
    """Make the hub, its groups, peers, credentials and keys; return the contents of `demo.json`, not ready yet."""
    config.ensure_secrets(settings)
    database = Database.open(settings.database_url)
    database.migrate()
    database.close()
    hub = open_hub(settings)
    try:
        operator = first_operator(hub, settings, "CYBEX demonstration hub")
        world: World = {
            "ready": False,
            "operator": {"username": operator.credential.username, "password": operator.secret},
            "groups": {},
            "peers": {handle: _peer(hub, data, handle) for handle in PEERS},
        }
        for slug in GROUPS:
            world["groups"][slug] = _group(hub, slug)
        analyst = credentials.add(
            hub,
            LOCAL_OPERATOR,
            "aa",
            kind=CredentialKind.BASIC,
            role=Role.ANALYST,
            label="analyst of the demonstration",
            username="aa.analyst",
        )
        world["analyst"] = {"peer": "aa", "username": analyst.credential.username, "password": analyst.secret}
    finally:
        hub.db.close()
    for handle, peer in world["peers"].items():
        joined = {slug: ["read", "write"] for slug, (_, _, inside) in GROUPS.items() if handle in inside}
        required = any(GROUPS[slug][1] for slug in joined)
        peer |= {"groups": joined, "signing": "required" if required else "optional"}
    return world


def with_addresses(world: World, port: int) -> World:
    """Return the world as it is reached on this port."""
    base = f"http://127.0.0.1:{port}/"
    world |= {"base_url": base, "discovery": f"{base}taxii2/"}
    for slug, group in world["groups"].items():
        group["api_root"] = f"{base}{slug}/"
    return world


def _peer(hub: Hub, data: Path, handle: str) -> World:
    name, region = PEERS[handle]
    peer = peers.add(hub, LOCAL_OPERATOR, handle=handle, name=name, kind=PeerKind.NATIONAL, itu_region=region)
    path = data / "keys" / f"{handle}.pem"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    pair = keyfile.generate()
    keyfile.write(path, pair)
    keyfile.write_public(path, pair, peer.identity)
    keys.enrol(hub, LOCAL_OPERATOR, handle, public_key=pair.public.text)
    login = credentials.add(
        hub,
        LOCAL_OPERATOR,
        handle,
        kind=CredentialKind.BASIC,
        role=Role.ADMIN,
        label="demonstration",
        username=f"{handle}.demo",
    )
    token = credentials.add(
        hub, LOCAL_OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.FEED, label="demonstration feed"
    )
    return {
        "identity": peer.identity,
        "name": name,
        "username": login.credential.username,
        "password": login.secret,
        "token": token.secret,
        "signing_key": str(path),
    }


def _group(hub: Hub, slug: str) -> World:
    title, required, inside = GROUPS[slug]
    groups.add(hub, LOCAL_OPERATOR, slug=slug, title=title, signature_required=required)
    for handle in inside:
        members.put(hub, LOCAL_OPERATOR, slug, handle, {Right.READ, Right.WRITE})
    _, rows = collections.listed(hub, LOCAL_OPERATOR, slug)
    return {"collections": {collection.alias: collection.uuid for collection, _ in rows}}


def real_objects(name: str, author: str, marking: str) -> list[dict[str, Any]]:
    """Return the objects of a published example as a CIRT would send them: under its name, with a TLP marking."""
    bundle = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return [_adopted(obj, author, marking) for obj in bundle["objects"]]


def identity_object(identity: str, name: str, now: int) -> dict[str, Any]:
    """Return a CIRT's own identity, which it publishes so that readers know who wrote what."""
    stamp = format_timestamp(now)[:23] + "Z"
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": identity,
        "created": stamp,
        "modified": stamp,
        "created_by_ref": identity,
        "name": name,
        "identity_class": "organization",
    }


def _adopted(obj: dict[str, Any], author: str, marking: str) -> dict[str, Any]:
    if obj["type"] == "marking-definition":
        return obj
    adopted = {**obj, "object_marking_refs": [*obj.get("object_marking_refs", []), marking]}
    if "modified" in obj:
        adopted.setdefault("created_by_ref", author)
    return adopted
