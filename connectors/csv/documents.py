"""The documents of a feed: a file, the files of a folder, or an address; unpacked, and never more than their bound."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import requests

from connectors.csv.settings import CsvSettings
from connectors.sdk.exchange import Tools
from connectors.sdk.kind import ConnectorError
from hub.client.remote import RemoteError
from hub.domain import limits
from hub.errors import ConfigError

_TOKEN_BYTES: Final = 4_096
_MEMBERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Document:
    """One document. :param date: when it was made, microseconds since the epoch; None when nobody says."""

    data: bytes
    date: int | None


def documents(settings: CsvSettings, tools: Tools) -> Iterator[Document]:
    """Yield the documents of a feed, in the order of their names. Raises ConnectorError, ConfigError."""
    source = settings.source or ""
    if source.lower().startswith(("https://", "http://")):
        yield _fetched(source, settings, tools)
        return
    path = tools.path(source)
    if not path.is_dir():
        yield _read(path, settings)
        return
    found = sorted(one for one in path.iterdir() if _counts(one, settings))
    if len(found) > limits.FEED_FILES:
        raise ConnectorError(f"{path} has more than {limits.FEED_FILES} files; move the old ones away")
    for one in found:
        yield _read(one, settings)


def _counts(path: Path, settings: CsvSettings) -> bool:
    visible = not path.name.startswith(".") and fnmatch(path.name, settings.files)
    return visible and path.is_file() and not path.is_symlink()


def _read(path: Path, settings: CsvSettings) -> Document:
    try:
        with path.open("rb") as file:
            data = file.read(limits.FEED_BYTES + 1)
        date = path.stat().st_mtime_ns // 1_000
    except OSError as error:
        raise ConnectorError(f"{path} cannot be read: {error.strerror}") from None
    return Document(unpacked(data, settings), date)


def _fetched(url: str, settings: CsvSettings, tools: Tools) -> Document:
    session = tools.session(url)
    headers = {"Accept": "text/csv, text/plain, */*;q=0.5"}
    if settings.token_file is not None:
        token = _token(tools, settings.token_file)
        bearer = settings.token_header.lower().startswith("authorization")
        headers[settings.token_header] = f"Bearer {token}" if bearer else token
    try:
        answer = session.get(url, headers=headers, allow_redirects=False)
    except RemoteError as error:
        raise ConnectorError(error.detail) from None
    except requests.RequestException as error:
        raise ConnectorError(f"the feed cannot be fetched: {type(error).__name__}") from None
    if answer.status_code != 200:
        raise ConnectorError(f"the feed's server answers {answer.status_code}; check source and token_file")
    return Document(unpacked(answer.content, settings), _date(answer.headers.get("Last-Modified", "")))


def _date(text: str) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1_000_000
    except (TypeError, ValueError, OverflowError):
        return None


def _token(tools: Tools, file: str) -> str:
    path = tools.path(file)
    try:
        with path.open("rb") as opened:
            token = opened.read(_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read, or is not ASCII", field="token_file") from None
    if not token.isprintable() or not token:
        raise ConfigError(f"{path} holds no token of one line", field="token_file")
    return token


def unpacked(data: bytes, settings: CsvSettings) -> bytes:
    """Return what is in a gzip or zip archive, or the octets themselves; its own form tells, not its name.

    :raises ConnectorError: it is damaged, encrypted, has several files, or is too long.
    """
    try:
        if data.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(limits.FEED_BYTES + 1)
        elif data.startswith(b"PK\x03\x04"):
            data = _member(data, settings)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ConnectorError(f"the archive cannot be unpacked: {type(error).__name__}") from None
    if len(data) > limits.FEED_BYTES:
        raise ConnectorError(f"the feed is longer than {limits.FEED_BYTES} octets, unpacked; ask for a shorter one")
    return data


def _member(data: bytes, settings: CsvSettings) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info for info in archive.infolist() if not info.is_dir()]
        if len(names) > _MEMBERS:
            raise ConnectorError(f"the archive has more than {_MEMBERS} files")
        if settings.member is not None:
            names = [info for info in names if info.filename == settings.member]
        if len(names) != 1:
            raise ConnectorError("the archive has not exactly one file; say which with `member`")
        with archive.open(names[0]) as file:  # read here, never written to a path of the archive's choosing
            return file.read(limits.FEED_BYTES + 1)
