"""Signed notes (C2SP signed-note) with Ed25519, and cosignatures with a time (C2SP tlog-cosignature, v1).

A note is text and the lines of those who signed it. A line counts only under a key that was known before: its name and
id merely say which key to try.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain import limits
from hub.domain.key_material import ED25519, PrivateKey, PublicKey, public_key
from hub.errors import InvalidRequest, SignatureError

SIGNATURE: Final = 0x01
"""Type of an Ed25519 signature over the note's text."""

COSIGNATURE: Final = 0x04
"""Type of an Ed25519 cosignature: over the time and a checkpoint."""

_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_POINT_BYTES: Final = 32
_LATEST: Final = 2**63 - 1
_SPKI: Final = bytes.fromhex("302a300506032b6570032100")  # what stands before the 32 octets in an Ed25519 DER key
_PREFIX: Final = "— "
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says he signed, with which key, and what is to be verified."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, its newline included."""
        return f"{_PREFIX}{self.name} {base64.b64encode(self.key_id + self.value).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """Text, its last newline included, and its signatures, which nobody has verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def octets(self) -> bytes:
        """The note as it is sent."""
        return f"{self.text}\n{''.join(each.line for each in self.signatures)}".encode()


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key to verify notes with, bound to a name and one type of signature; made by `verifier_key` or `parse_key`."""

    name: str
    kind: int
    key: PublicKey
    key_id: bytes
    point: bytes

    @property
    def text(self) -> str:
        """The key as one hands it to others: ``name+id+base64``."""
        material = base64.b64encode(bytes([self.kind]) + self.point).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def made(self, signature: Signature) -> bool:
        """Say whether a line claims to be by this key."""
        return signature.name == self.name and signature.key_id == self.key_id

    def verifies(self, text: str, signature: Signature) -> bool:
        """Say whether this key made the signature over a note's text."""
        if self.kind == SIGNATURE:
            return self.key.verifies(signature.value, text.encode())
        at = time_of(signature)
        return at is not None and self.key.verifies(signature.value[_TIME_BYTES:], _cosigned(text, at))


def parse(octets: bytes) -> Note:
    """Return the note in these octets. Raises InvalidRequest when they have any other form than C2SP signed-note's."""
    if len(octets) > limits.NOTE_BYTES:
        raise _malformed(f"it has more than {limits.NOTE_BYTES} octets")
    try:
        whole = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None
    if any(mark < " " and mark != "\n" for mark in whole):
        raise _malformed("it has control characters")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise _malformed("text, an empty line and signature lines are expected")
    signatures = tuple(parse_line(line + "\n") for line in lines[:-1].split("\n"))
    if len(signatures) > limits.NOTE_SIGNATURES:
        raise _malformed(f"it has more than {limits.NOTE_SIGNATURES} signatures")
    return Note(text + "\n", signatures)


def parse_line(line: str) -> Signature:
    """Return the signature in a line that ends in its newline. Raises InvalidRequest."""
    name, space, encoded = line.removesuffix("\n").removeprefix(_PREFIX).partition(" ")
    if not line.startswith(_PREFIX) or not line.endswith("\n") or not space or not is_name(name):
        raise _malformed("a signature line is a dash, a name and base64")
    decoded = _decoded(encoded)
    if decoded is None or len(decoded) <= _ID_BYTES:
        raise _malformed("a signature is base64 of a key id and more")
    return Signature(name, decoded[:_ID_BYTES], decoded[_ID_BYTES:])


def is_name(name: str) -> bool:
    """Say whether a key may have this name: not empty, without spaces, plus signs or control characters."""
    return (
        bool(name)
        and len(name) <= limits.NOTE_NAME_LENGTH
        and not any(mark == "+" or mark.isspace() or mark < " " or "\ud800" <= mark <= "\udfff" for mark in name)
    )


def verifier_key(name: str, key: PublicKey, kind: int = SIGNATURE) -> VerifierKey:
    """Return a public key as one that verifies notes under a name.

    Raises SignatureError when it is not Ed25519, InvalidRequest when nothing may have this name.
    """
    if key.algorithm != ED25519:
        raise SignatureError("notes are signed with Ed25519; give a key of that algorithm", field="algorithm")
    if not is_name(name):
        raise InvalidRequest("a key's name has no spaces and no plus sign, like hub.example/tlog", field="name")
    point = base64.b64decode(key.text + "=" * (-len(key.text) % 4))[-_POINT_BYTES:]
    return VerifierKey(name, kind, key, _key_id(name, kind, point), point)


def parse_key(text: str) -> VerifierKey:
    """Return the key in a text ``name+id+base64``.

    Raises InvalidRequest when it has another form or type, SignatureError when the key is weak.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = _decoded(encoded)
    if not is_name(name) or _KEY_ID.fullmatch(key_id) is None or material is None:
        raise InvalidRequest("a verifier key is name+id+base64 in one line", field="verifier_key")
    kind = material[0] if material else 0
    if kind not in (SIGNATURE, COSIGNATURE) or len(material) != 1 + _POINT_BYTES:
        raise InvalidRequest("only Ed25519 keys of type 1 and 4 are known here", field="verifier_key")
    key = verifier_key(name, public_key(base64.b64encode(_SPKI + material[1:]).decode("ascii")), kind)
    if key.key_id.hex() != key_id:
        raise InvalidRequest("its id does not belong to this name and key: it was copied wrongly", field="verifier_key")
    return key


def signed(text: str, name: str, key: PrivateKey) -> Signature:
    """Return a signature over a note's text. Raises as `verifier_key`."""
    public = verifier_key(name, key.public)
    _check_text(text)
    return Signature(name, public.key_id, key.sign(text.encode()))


def cosigned(text: str, name: str, key: PrivateKey, at: int) -> Signature:
    """Return a cosignature of a checkpoint's text.

    :param at: seconds since the epoch, greater than 0: the largest tree seen at that time is this one.
    """
    public = verifier_key(name, key.public, COSIGNATURE)
    _check_text(text)
    if not 0 < at <= _LATEST:
        raise ValueError("a cosignature has a time")
    return Signature(name, public.key_id, at.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned(text, at)))


def time_of(signature: Signature) -> int | None:
    """Return when a cosignature says it was made, in seconds since the epoch; None when it can be no cosignature."""
    if len(signature.value) != _TIME_BYTES + _SIGNATURE_BYTES:
        return None
    at = int.from_bytes(signature.value[:_TIME_BYTES], "big")
    return at if 0 < at <= _LATEST else None


def verified(note: Note, keys: Iterable[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
    """Return each known key that signed, with its first line; lines by unknown keys say nothing.

    Raises:
        SignatureError: none of these keys signed, or a line by one of them is false, which spoils the whole note.
    """
    found: list[tuple[VerifierKey, Signature]] = []
    for key in keys:
        for signature in note.signatures:
            if not key.made(signature):
                continue
            if not key.verifies(note.text, signature):
                raise SignatureError("a signature on the note is false", field="note")
            found.append((key, signature))
            break
    if not found:
        raise SignatureError("the note is signed by no key that is known here", field="note")
    return found


def with_signatures(text: str, lines: Sequence[str]) -> bytes:
    """Return a note of a text and signature lines that are stored as they were verified."""
    return f"{text}\n{''.join(lines)}".encode()


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(mark < " " and mark != "\n" for mark in text):
        raise ValueError("a note's text ends in a newline and has no control characters")


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _key_id(name: str, kind: int, point: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + point).digest()[:_ID_BYTES]


def _decoded(text: str) -> bytes | None:
    """Decode canonical standard base64; None for anything else."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode("ascii") == text else None


def _malformed(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the signed note is malformed: {reason}", field="note")
