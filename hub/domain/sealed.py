"""Sealed files: encrypted to the key of a hub or with a passphrase, piece by piece, so that no end is missed.

After the magic line and a header that says how the file key is wrapped come pieces of 64 KiB, each ChaCha20-Poly1305
under a key of its own file (HKDF over the header) and a nonce that counts; the last one says that it is (the STREAM
construction). A piece is handed on only when it is authentic.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.domain import fields as forms
from hub.domain import limits
from hub.domain.canonical import jcs, parse
from hub.domain.fields import Fields
from hub.domain.pack_file import PackDamaged, Source
from hub.errors import InvalidRequest, MalformedJson

MAGIC: Final = b"x-cybex-sealed 1\n"
SEALED_TYPE: Final = "x-cybex-sealed"
RECIPIENT: Final = "hpke-x25519-hkdf-sha256-chacha20poly1305"
"""RFC 9180, mode base: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305."""
SCRYPT: Final = "scrypt"
"""RFC 7914, with r = 8 and p = 1."""

SCRYPT_LOG_N: Final = 17  # 128 MiB, some 0.3 s
_SCRYPT_LOG_N_MOST: Final = 18
FILE_KEY: Final = 32
SALT: Final = 16
_PIECE: Final = 64 * 1024
_TAG: Final = 16
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Seal:
    """How the file key is kept: wrapped to a hub's key, or made of a passphrase.

    :param kid: SHA-256 of the recipient's public key, in hex. :param wrapped: the encapsulated and encrypted file key.
    :param log_n: of scrypt.
    """

    suite: str
    kid: str | None = None
    wrapped: bytes | None = None
    salt: bytes | None = None
    log_n: int = SCRYPT_LOG_N


def header(seal: Seal) -> bytes:
    """Return what stands at the beginning of a sealed file, after the magic line."""
    document: dict[str, Any] = {"type": SEALED_TYPE, "format": "1", "suite": seal.suite}
    if seal.kid is not None and seal.wrapped is not None:
        document |= {"kid": seal.kid, "wrapped": base64.b64encode(seal.wrapped).decode()}
    if seal.salt is not None:
        document |= {"salt": base64.b64encode(seal.salt).decode(), "log_n": seal.log_n}
    return jcs(document)


def sealed(octets: Iterable[bytes], head: bytes, file_key: bytes) -> Iterator[bytes]:
    """Yield a whole sealed file. :param head: of `header`."""
    yield MAGIC + len(head).to_bytes(_LENGTH, "big") + head
    cipher, number, waiting = _cipher(head, file_key), 0, bytearray()
    for piece in octets:
        waiting += piece
        while len(waiting) > _PIECE:
            yield cipher.encrypt(_nonce(number, last=False), bytes(waiting[:_PIECE]), None)
            del waiting[:_PIECE]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(waiting), None)


def read_header(source: Source) -> tuple[Seal, bytes]:
    """Return how a file is sealed, and the header as it stands there; the magic line has been read already.

    Raises PackDamaged.
    """
    length = int.from_bytes(source.read(_LENGTH), "big")
    if not 0 < length <= limits.PACK_SEAL_BYTES:
        raise PackDamaged("its seal is not whole")
    head = source.read(length)
    try:
        fields = Fields.of(parse(head), "seal").only("type", "format", "suite", "kid", "wrapped", "salt", "log_n")
        fields.constant("type", SEALED_TYPE)
        fields.constant("format", "1")
        if fields.one_of("suite", (RECIPIENT, SCRYPT)) == RECIPIENT:
            return Seal(RECIPIENT, fields.matching("kid", forms.SHA256), _base64(fields, "wrapped")), head
        log_n = fields.number("log_n", least=14, most=_SCRYPT_LOG_N_MOST)
        return Seal(SCRYPT, salt=_base64(fields, "salt"), log_n=log_n), head
    except (MalformedJson, InvalidRequest):
        raise PackDamaged("its seal is not whole") from None


class Unsealed:
    """A sealed file as a source of what is in it; nothing is given that is not authentic, and no end is missed."""

    def __init__(self, source: Source, head: bytes, file_key: bytes) -> None:
        self._source = source
        self._cipher = _cipher(head, file_key)
        self._number = 0
        self._next = self._sealed_piece()
        self._waiting = b""
        self._over = False

    def read(self, size: int, /) -> bytes:
        """Return up to so many octets, none at the end. Raises PackDamaged."""
        while not self._waiting and not self._over:
            self._open_next()
        found, self._waiting = self._waiting[:size], self._waiting[size:]
        return found

    def _open_next(self) -> None:
        piece, self._next = self._next, self._sealed_piece()
        self._over = not self._next
        try:
            self._waiting = self._cipher.decrypt(_nonce(self._number, last=self._over), piece, None)
        except InvalidTag:
            what = "the key or passphrase is not the one it was sealed with, or its beginning is damaged"
            raise PackDamaged(what if self._number == 0 else "what is sealed was cut off or changed") from None
        self._number += 1

    def _sealed_piece(self) -> bytes:
        found = bytearray()
        while len(found) < _PIECE + _TAG:
            some = self._source.read(_PIECE + _TAG - len(found))
            if not some:
                break
            found += some
        return bytes(found)


def _cipher(head: bytes, file_key: bytes) -> ChaCha20Poly1305:
    derived = HKDF(algorithm=SHA256(), length=FILE_KEY, salt=None, info=MAGIC + head).derive(file_key)
    return ChaCha20Poly1305(derived)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _base64(fields: Fields, name: str) -> bytes:
    try:
        return base64.b64decode(fields.text(name, longest=1_000), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("it is not base64", field=name) from None
