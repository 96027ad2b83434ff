"""Deterministic ids of cyber-observables (STIX 2.1 §2.9): the same observable from two peers has the same id."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from hub.domain.canonical import jcs

NAMESPACE: Final = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""The UUIDv5 namespace that STIX keeps for its own procedure."""

CONTRIBUTING: Final[Mapping[str, tuple[str, ...]]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "extensions", "parent_directory_ref"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": ("start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}
"""ID contributing properties of each standard type (STIX 2.1 §6)."""

_PREFERRED_HASHES: Final = ("MD5", "SHA-1", "SHA-256", "SHA-512")


def deterministic_id(obj: Mapping[str, Any]) -> str | None:
    """Return the UUIDv5 id STIX 2.1 §2.9 gives a standard cyber-observable.

    None when no contributing property is present, or the type has none: then the id is a UUIDv4.
    Raises MalformedJson when a contributing value has no canonical form.
    """
    contribution: dict[str, Any] = {}
    for name in CONTRIBUTING.get(obj["type"], ()):
        if name in obj:
            contribution[name] = _one_hash(obj[name]) if name == "hashes" else obj[name]
    if not contribution:
        return None
    return f"{obj['type']}--{uuid.uuid5(NAMESPACE, jcs(contribution).decode())}"


def _one_hash(hashes: Mapping[str, Any]) -> dict[str, Any]:
    """Keep only the hash that contributes: the first of MD5, SHA-1, SHA-256, SHA-512, else the first by name."""
    for name in _PREFERRED_HASHES:
        if name in hashes:
            return {name: hashes[name]}
    return {name: hashes[name] for name in sorted(hashes)[:1]}
