"""Files of packs on the disk: gathered in a temporary one, sealed on the way, there under their name or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hub.domain.pack_file import Source
from hub.domain.sealed import FILE_KEY, SALT, Unsealed, header, read_header, sealed
from hub.domain.sealed import MAGIC as SEALED_MAGIC
from hub.errors import InvalidRequest
from hub.services import pack_keys
from hub.services.pack_keys import Recipient

_PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Sealing:
    """For whom a file is encrypted: a hub, or whoever has the passphrase."""

    recipient: Recipient | None = None
    passphrase: str | None = None


@dataclass
class Output:
    """A file that is being written. :param size: its octets."""

    size: int = 0


class Spool:
    """Octets that are gathered before they are written, because what stands before them is known last.

    They are not sealed yet, so they never lie where the file goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self.size = 0

    def add(self, octets: bytes) -> None:
        """Keep some more."""
        if self._file is None:
            try:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 # it outlives this call: close
            except OSError as error:
                raise _unwritable(self._folder, error) from None
        self._file.write(octets)
        self.size += len(octets)

    def octets(self) -> Iterator[bytes]:
        """Yield what was added, from its beginning."""
        if self._file is not None:
            self._file.seek(0)
            while piece := self._file.read(_PIECE):
                yield piece

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()
            self._file = None


@contextmanager
def becoming(
    path: Path, octets: Iterable[bytes], sealing: Sealing | None, token_bytes: Callable[[int], bytes]
) -> Iterator[Output]:
    """Write a file beside its place, durably; it has its name when the block has ended well, and else is gone.

    Raises InvalidRequest: it cannot be written there.
    """
    output = Output()
    if sealing is not None:
        octets = _sealed(octets, sealing, token_bytes)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                for piece in octets:
                    file.write(piece)
                    output.size += len(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(path.parent, error) from None
        yield output
        Path(temporary).replace(path)
        _settle(path.parent)
    finally:
        Path(temporary).unlink(missing_ok=True)


class PackFile:
    """A file that was carried here, sealed or not; each call opens it anew, and a passphrase is stretched once.

    :param secrets: folder of this hub's secrets, with the keys to which packs are sealed.
    """

    def __init__(self, path: Path, *, secrets: Path | None = None, passphrase: str | None = None) -> None:
        self._path, self._secrets, self._passphrase = path, secrets, passphrase
        self._known: tuple[bytes, bytes] | None = None
        self.by_passphrase = False

    @contextmanager
    def __call__(self) -> Iterator[Source]:
        """Give what is in the file, from its beginning. Raises InvalidRequest, PackDamaged."""
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise InvalidRequest(f"{self._path} cannot be read ({type(error).__name__})", field="file") from None
        with file:
            if file.read(len(SEALED_MAGIC)) != SEALED_MAGIC:
                file.seek(0)
                yield file
                return
            seal, head = read_header(file)
            if self._known is None or self._known[0] != head:
                key = pack_keys.file_key(seal, secrets=self._secrets, passphrase=self._passphrase)
                self._known = head, key
            self.by_passphrase = seal.salt is not None
            yield Unsealed(file, head, self._known[1])


def _sealed(octets: Iterable[bytes], sealing: Sealing, token_bytes: Callable[[int], bytes]) -> Iterator[bytes]:
    if sealing.recipient is not None:
        file_key = token_bytes(FILE_KEY)
        seal = pack_keys.sealed_to(sealing.recipient, file_key)
    else:
        seal, file_key = pack_keys.sealed_with(token_bytes(SALT), sealing.passphrase or "")
    return sealed(octets, header(seal), file_key)


def _settle(folder: Path) -> None:
    """Make a new name durable, where the file system can: some of those on sticks cannot, and write at once."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(folder: Path, error: OSError) -> InvalidRequest:
    return InvalidRequest(f"{folder} cannot be written ({error.strerror}): name another folder", field="to")
