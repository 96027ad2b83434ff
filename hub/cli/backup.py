"""``cybex backup`` and ``cybex restore``: a whole hub in one file, with its secrets, so it is as secret as they are."""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import click

from hub import config
from hub.config import Settings
from hub.errors import Conflict, InvalidRequest
from hub.store import backup as store
from hub.store.backup import Progress
from hub.store.database import Database

DATABASE: Final = "hub.db"
SECRETS: Final = tuple(f"secrets/{name}" for name in (config.CURSOR_KEY, config.SIGNING_KEY, config.LOG_KEY))
MEMBERS: Final = (DATABASE, config.FILE, *SECRETS)
NEWER: Final = frozenset({f"secrets/{config.LOG_KEY}"})
"""What backups of earlier versions do not hold: a restore makes it, as `cybex init` does."""

SMALL: Final = 1024 * 1024
"""Octets of hub.toml or a secret at most: what is larger is none."""

_FILE = click.Path(path_type=Path, dir_okay=False)
_DATA = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--data", type=_DATA, help="Data directory (else CYBEX_DATA, else cybex-data).")
def backup(file: Path, data: Path | None) -> None:
    """Write the hub to FILE (tar): database, hub.toml and secrets; consistent while the hub runs.

    The file is readable by its owner only, and has to stay so: it holds everything members share, and the hub's keys.

    Example: cybex backup /backup/hub-2026-11-22.tar --data /var/lib/cybex
    """
    settings = config.load(data)
    write(settings, file.absolute(), _progress("backup"))
    click.echo(f"{file} holds the database, {config.FILE} and the secrets: keep it as you keep the hub's keys")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--data", type=_DATA, help="Data directory to restore into; it may not hold a hub.")
def restore(file: Path, data: Path | None) -> None:
    """Bring back the hub in FILE into an empty data directory, and an empty database.

    The backup's hub.toml is restored too; without it the environment decides, so that a hub can move to PostgreSQL:
    set CYBEX_DATABASE_URL_FILE.

    Example: cybex restore /backup/hub-2026-11-22.tar --data /var/lib/cybex
    """
    settings = read(file.absolute(), config.data_directory(data), _progress("restore"))
    click.echo(f"restored into {settings.data}; now: cybex doctor --data {settings.data}")


def write(settings: Settings, file: Path, progress: Progress) -> None:
    """Leave the whole hub in a new file of mode 0600, or nothing. Raises Conflict when the file exists."""
    if file.exists():
        raise Conflict("the file exists already; choose another name", field="file")
    if not file.parent.is_dir():
        raise InvalidRequest("its directory does not exist; create it first", field="file")
    config.load_secrets(settings)  # before the long part: a backup without the keys would be found out too late
    database = Database.open(settings.database_url)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as directory:
        copy, partial = Path(directory) / DATABASE, Path(directory) / "archive.tar"
        try:
            store.backup(database, copy, progress)
        finally:
            database.close()
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w") as archive:
                archive.add(copy, DATABASE, filter=_anonymous)
                for name in (config.FILE, *SECRETS):
                    if (settings.data / name).is_file():
                        archive.add(settings.data / name, name, filter=_anonymous)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(partial, file)  # fails, rather than replaces, when somebody was faster
        except FileExistsError:
            raise Conflict("the file exists already; choose another name", field="file") from None


def read(file: Path, data: Path, progress: Progress) -> Settings:
    """Bring back the hub in a file. Nothing in the archive chooses a path: only known names are read.

    Raises:
        InvalidRequest: the file is no backup, or damaged. Conflict: there is a hub in the directory or the database.
    """
    if any((data / name).exists() for name in (config.FILE, "secrets", config.DATABASE_FILE)):
        raise Conflict("there is a hub already; restore into an empty directory", field="data")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as directory:
        unpacked = Path(directory)
        unpack(file, unpacked)
        settings = config.load(data, file=unpacked / config.FILE)
        fresh = settings.database_file is not None and not settings.database_file.exists()
        database = Database.open(settings.database_url)
        try:
            store.restore(unpacked / DATABASE, database, progress)
        except BaseException:
            database.close()
            if fresh:
                _forget(settings)
            raise
        database.close()
        (unpacked / "secrets").rename(settings.secrets)
        if (unpacked / config.FILE).is_file():
            (unpacked / config.FILE).rename(settings.file)
    config.ensure_secrets(settings)  # what an earlier version did not have
    return settings


def unpack(file: Path, directory: Path) -> None:
    """Leave the database, hub.toml and the secrets of a backup in an empty directory. Raises InvalidRequest."""
    (directory / "secrets").mkdir(mode=0o700)
    found = set()
    try:
        with tarfile.open(file, mode="r:") as archive:
            for member in archive:
                if member.name not in MEMBERS or not member.isreg() or member.name in found:
                    raise InvalidRequest("the file is not a backup of a hub", field="file")
                if member.name != DATABASE and member.size > SMALL:
                    raise InvalidRequest("the file is not a backup of a hub", field="file")
                _unpack_member(archive, member, directory / member.name)
                found.add(member.name)
    except (tarfile.TarError, OSError) as error:
        reason = f"the file cannot be read as a backup: {type(error).__name__}"
        raise InvalidRequest(reason, field="file") from None
    missing = {DATABASE, *SECRETS} - found - NEWER
    if missing:
        raise InvalidRequest(f"the backup lacks {', '.join(sorted(missing))}", field="file")


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = archive.extractfile(member)
    if source is None:
        raise InvalidRequest("the file is not a backup of a hub", field="file")
    with source, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
        while chunk := source.read(SMALL):
            sink.write(chunk)
        sink.flush()
        os.fsync(sink.fileno())


def _forget(settings: Settings) -> None:
    """Remove the embedded database that a failed restore has begun, so that it can be tried again."""
    if settings.database_file is not None:
        for suffix in ("", "-wal", "-shm"):
            settings.database_file.with_name(settings.database_file.name + suffix).unlink(missing_ok=True)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who owned the file; a restore is done by whoever runs the hub."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _progress(what: str) -> Progress:
    """Return what shows a long run on a terminal, and is silent elsewhere."""
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 if total == 0 else done * 100 // total
        if percent != shown and sys.stderr.isatty():
            shown = percent
            click.echo(f"\r{what}: {percent} %", nl=percent == 100, err=True)

    return show
