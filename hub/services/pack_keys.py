"""The keys to which packs for this hub are encrypted: a file under ``secrets/`` that nobody else may read.

They are no signing keys, and signing keys are never used to encrypt. The public half goes to the partner as a file that
is signed by this hub, so that whoever carries it cannot exchange it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.domain.canonical import Json
from hub.domain.fields import IDENTITY, Fields
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer
from hub.domain.pack_file import PackDamaged
from hub.domain.sealed import FILE_KEY, RECIPIENT, SALT, SCRYPT, SCRYPT_LOG_N, Seal
from hub.domain.statement import check_statement, sign_statement
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError, InvalidRequest
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import keys as key_store

FILE: Final = "pack.keys"
"""Below the folder of the hub's secrets: one X25519 private key a line, the newest last."""

RECIPIENT_TYPE: Final = "x-cybex-pack-recipient"
SHORTEST: Final = 16
"""Characters of a passphrase: the file may be tried offline, by whoever finds the stick."""

_INFO: Final = b"x-cybex-sealed 1 file key"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A hub's public key to which packs for it are encrypted."""

    hub: str
    key: X25519PublicKey


def document(hub: Hub, actor: Actor, secrets: Path, *, new: bool = False) -> dict[str, Any]:
    """Return the public half of this hub's key, signed by the hub; the key is made when there is none.

    :param new: make another one; packs that are under way to an older one can still be opened.
    """
    require_operator(actor)
    keys = _private_keys(secrets)
    if new or not keys:
        keys.append(X25519PrivateKey.from_private_bytes(hub.token_bytes(32)))
        _keep(secrets, keys)
    now = hub.clock()
    with hub.db.read() as tx:
        own = hub_identity(tx)
    unsigned = {
        "type": RECIPIENT_TYPE,
        "format": "1",
        "hub": own,
        "suite": RECIPIENT,
        "public_key": base64.b64encode(keys[-1].public_key().public_bytes_raw()).decode(),
        "issued_at": format_timestamp(now),
    }
    return sign_statement(unsigned, hub.signing_key, signee=own, created=now, uuid=uuid4(hub.token_bytes))


def read_recipient(hub: Hub, of: Peer, said: Json) -> Recipient:
    """Return the key in such a file: of that hub, and signed by it. Raises InvalidRequest, SignatureError."""
    fields = Fields.of(said, "recipient").only(
        "type", "format", "hub", "suite", "public_key", "issued_at", "signatures"
    )
    fields.constant("type", RECIPIENT_TYPE)
    fields.constant("format", "1")
    fields.constant("suite", RECIPIENT)
    fields.time("issued_at")
    identity = fields.matching("hub", IDENTITY)
    if identity != of.identity:
        raise InvalidRequest("it is the key of another hub", field="recipient.hub")
    with hub.db.read() as tx:
        ring = KeyRing(key_store.of_peer(tx, of.id), allow_test_key=hub.allow_test_key)
    check_statement(fields.document, ring, signee=identity, now=hub.clock())
    try:
        octets = base64.b64decode(fields.text("public_key", longest=64), validate=True)
        key = X25519PublicKey.from_public_bytes(octets)
        X25519PrivateKey.from_private_bytes(hub.token_bytes(32)).exchange(key)  # fails for a point of small order
    except (binascii.Error, ValueError):
        raise InvalidRequest("it is no X25519 public key", field="recipient.public_key") from None
    return Recipient(identity, key)


def kid_of(key: X25519PublicKey) -> str:
    """Return the name of a key: the SHA-256 of its 32 octets, in hex."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def sealed_to(recipient: Recipient, file_key: bytes) -> Seal:
    """Return the file key as only the recipient can open it."""
    wrapped = _SUITE.encrypt(file_key, recipient.key, info=_INFO)
    return Seal(RECIPIENT, kid=kid_of(recipient.key), wrapped=wrapped)


def sealed_with(salt: bytes, passphrase: str) -> tuple[Seal, bytes]:
    """Return a seal by passphrase, and the file key that it stands for. :param salt: `SALT` random octets."""
    if len(passphrase) < SHORTEST or len(salt) != SALT:
        raise InvalidRequest(f"take a passphrase of at least {SHORTEST} characters", field="passphrase-file")
    return Seal(SCRYPT, salt=salt), _stretched(passphrase, salt, SCRYPT_LOG_N)


def file_key(seal: Seal, *, secrets: Path | None, passphrase: str | None) -> bytes:
    """Return the file key of a sealed file.

    Raises InvalidRequest: what it takes was not given. PackDamaged: it does not open.
    """
    if seal.suite == SCRYPT:
        if passphrase is None or seal.salt is None:
            raise InvalidRequest("it is sealed with a passphrase: give --passphrase-file", field="passphrase-file")
        return _stretched(passphrase, seal.salt, seal.log_n)
    for key in [] if secrets is None else _private_keys(secrets):
        if kid_of(key.public_key()) == seal.kid and seal.wrapped is not None:
            try:
                return _SUITE.decrypt(seal.wrapped, key, info=_INFO)
            except (InvalidTag, ValueError):
                raise PackDamaged("its seal is not whole") from None
    raise InvalidRequest(
        "it is sealed to a key that this hub has not: was it made for another hub? cybex pack-key prints this one's",
        field="file",
    )


def _stretched(passphrase: str, salt: bytes, log_n: int) -> bytes:
    return Scrypt(salt=salt, length=FILE_KEY, n=1 << log_n, r=8, p=1).derive(passphrase.encode())


def _private_keys(secrets: Path) -> list[X25519PrivateKey]:
    path = secrets / FILE
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others may read {path}: chmod 600 it, and make another key: cybex pack-key --new")
        lines = path.read_text(encoding="ascii").split()
        return [X25519PrivateKey.from_private_bytes(base64.b64decode(line, validate=True)) for line in lines]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}): remove it, and make another one: cybex pack-key"
        ) from None


def _keep(secrets: Path, keys: list[X25519PrivateKey]) -> None:
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=secrets)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(base64.b64encode(key.private_bytes_raw()).decode() + "\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(secrets / FILE)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
