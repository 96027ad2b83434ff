"""What a reader remembers of a hub's keys, so that a key that was swapped is noticed, by whomever it was done.

The first directory is believed; from then on each one is compared with what was known. A hub that lies to everybody
from the beginning is found out by the transparency log and by asking the peer, not here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from hub.client.api import group_of
from hub.domain.canonical import parse
from hub.domain.key_directory import Directory, ListedKey
from hub.domain.key_material import PublicKey, public_key
from hub.domain.key_statement import ROTATE, read_statement, signers
from hub.domain.keys import COMPROMISED, SigningKey
from hub.errors import ConfigError, CybexError, MalformedJson

PINS_FILE: Final = "pull-keys.json"


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A key as it was last seen. ``revoked_at`` is in microseconds since the epoch."""

    identity: str
    public_key: str
    handle: str = ""
    revoked_at: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pins:
    """What is remembered of one group of one hub.

    :param hub: STIX identity of the hub; empty while it has never signed a directory.
    :param hub_key: kid of the key that signs its directories. :param keys: by kid; a key is never forgotten.
    """

    url: str
    hub: str = ""
    hub_key: str = ""
    serial: int = 0
    keys: Mapping[str, PinnedKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a new directory is, against what was remembered: what to be told, why not to go on, what to remember."""

    pins: Pins
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def compare(known: Pins | None, found: Directory, *, url: str) -> Comparison:
    """Compare a directory with what is remembered; its own signature has been verified already.

    Refused is what no honest hub does: 1. to sign with another key, for another
    group, or no more at all; 2. to go back behind a serial it
    has shown; 3. to give a key to somebody else; 4. to let a revoked key count again, or from a later time.
    Warned of is: 5. a key that appears for a known peer, unless a key that was known has signed that it replaces it.

    :param known: None at the first sight, when everything is believed.
    """
    now = _pinned(found, url, known)
    if found.signer is None:
        unsigned = "this hub does not sign its key directory: nobody can tell whether it was changed on the way"
        if known is not None and known.hub_key:
            return Comparison(now, (), ("the hub signed its key directory before, and does so no more",))
        return Comparison(now, (unsigned,), _changed_keys(known, found))
    refusals = []
    if found.group != group_of(url):  # 1
        refusals.append("the key directory is of another group")
    if known is None:
        return Comparison(now, (), tuple(refusals))
    if known.hub_key and (known.hub_key, known.hub) != (found.signer.kid, found.hub):  # 1
        refusals.append(
            f"the hub signs with another key, {found.signer.kid[:16]}, than the one known, {known.hub_key[:16]}"
        )
    if found.serial < known.serial:  # 2
        refusals.append(f"the key directory went back from serial {known.serial} to {found.serial}")
    return Comparison(now, _unexplained(known, found), (*refusals, *_changed_keys(known, found)))


def load(directory: Path, url: str) -> Pins | None:
    """Return what is remembered in a directory; None at the first time.

    Raises ConfigError when it is damaged, or of another group.
    """
    path = directory / PINS_FILE
    try:
        kept: Any = parse(path.read_bytes())
        pins = Pins(
            str(kept["url"]),
            str(kept["hub"]),
            str(kept["hub_key"]),
            int(kept["serial"]),
            {str(kid): PinnedKey(**values) for kid, values in kept["keys"].items()},
        )
    except FileNotFoundError:
        return None
    except (OSError, MalformedJson, KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(f"{path} is damaged; compare the hub's key with its operator, then remove it") from None
    if pins.url != url:
        raise ConfigError("this directory holds another collection; choose another --out", field="out")
    return pins


def save(directory: Path, pins: Pins) -> None:
    """Remember: the file is whole or as it was. Raises ConfigError when it cannot be written."""
    path = directory / PINS_FILE
    aside = path.with_name(path.name + ".part")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(orjson.dumps(pins, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", field="out") from None


def _pinned(found: Directory, url: str, known: Pins | None) -> Pins:
    keys = {} if known is None else dict(known.keys)
    for item in found.listed:
        key, before = item.key, keys.get(item.key.kid)
        handle = item.handle or (before.handle if before is not None else "")
        keys[key.kid] = PinnedKey(key.identity, key.public_key, handle, key.revoked_at, key.revocation_reason)
    signer = "" if found.signer is None else found.signer.kid
    return Pins(url, found.hub, signer, found.serial, keys)


def _changed_keys(known: Pins | None, found: Directory) -> tuple[str, ...]:
    reasons = []
    for item in found.listed:
        key, before = item.key, None if known is None else known.keys.get(item.key.kid)
        if before is None:
            continue
        name = f"key {key.kid[:16]}"
        if key.identity != before.identity or (item.handle and before.handle and item.handle != before.handle):  # 3
            reasons.append(f"{name} belonged to {before.handle or before.identity}, and is now given to another")
        if key.public_key != before.public_key:
            reasons.append(f"{name} is not the key any more that had this id")
        if _counts_again(key, before):  # 4
            reasons.append(f"{name} was revoked, and counts again, or for longer")
    return tuple(reasons)


def _counts_again(key: SigningKey, before: PinnedKey) -> bool:
    if before.revoked_at is None:
        return False
    softened = before.reason == COMPROMISED and key.revocation_reason != COMPROMISED
    return key.revoked_at is None or key.revoked_at > before.revoked_at or softened


def _unexplained(known: Pins, found: Directory) -> tuple[str, ...]:
    """Name the new keys of known peers that no chain of rotations connects with a key that was known."""  # 5
    peers = {one.identity for one in known.keys.values()}
    listed = {item.key.kid: item for item in found.listed}
    trusted = {kid for kid in known.keys if kid in listed}
    new = [item for item in found.listed if item.key.kid not in known.keys and item.key.identity in peers]
    replaced = _rotations(found.statements, listed, new)
    while True:
        reached = {kid for kid, old in replaced.items() if old in trusted and kid not in trusted}
        if not reached:
            break
        trusted |= reached
    return tuple(
        f"a new key {item.key.kid[:16]} of {item.handle or item.key.identity}, for which no known key vouches:"
        " ask them before you rely on it"
        for item in new
        if item.key.kid not in trusted
    )


def _rotations(
    statements: Sequence[Mapping[str, Any]], listed: Mapping[str, ListedKey], new: Sequence[ListedKey]
) -> dict[str, str]:
    """Return, for each new key, the key it replaces by a statement that both have signed for one and the same peer."""
    wanted = {item.key.kid for item in new}
    found = {}
    for document in statements:
        if document.get("action") != ROTATE or document.get("kid") not in wanted:
            continue
        try:
            said = read_statement(dict(document))
            old = listed.get(said.replaces or "")
            young = listed[said.kid]
            if old is None or {old.key.identity, young.key.identity} != {said.peer} or _stolen(old.key, said.at):
                continue
            both: list[PublicKey] = [public_key(one.key.public_key) for one in (old, young)]
            if signers(document, both, signee=said.peer) == {old.key.kid, young.key.kid}:
                found[said.kid] = old.key.kid
        except CybexError:  # a statement that does not hold explains nothing; the key is then named
            continue
    return found


def _stolen(key: SigningKey, at: int) -> bool:
    """Say whether a rotation at this time may be the thief's."""
    return key.revocation_reason == COMPROMISED and key.revoked_at is not None and at >= key.revoked_at
