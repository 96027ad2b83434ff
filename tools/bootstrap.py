#!/usr/bin/env python3
"""Make `.venv` hold exactly what the lock file says, on a machine that has Python 3.11 and nothing else.

    python3 tools/bootstrap.py runtime    what the hub needs to run (make demo)
    python3 tools/bootstrap.py all        that, and all that its tests and checks need (make test)

Standard library only. Debian and Ubuntu ship Python without pip, so a pinned pip wheel is fetched from the package
index (PIP_INDEX_URL, else PyPI), checked against its SHA-256 and used to install a pinned uv into `.venv/.uv`; uv then
installs what `uv.lock` names, each file by its hash. A second run finds the stamp of the first and does nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UV = VENV / ".uv" / "bin" / "uv"
UV_REQUIREMENTS = ROOT / "tools" / "uv.requirements.txt"

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")

PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
INDEX = "https://pypi.org/simple"
DOWNLOAD_SECONDS = 60

# What `uv sync` is told for each set; `all` contains `runtime`.
SETS = {
    "runtime": ["--no-default-groups", "--inexact"],
    "all": ["--all-groups", "--all-extras"],
}


def main(arguments: list[str]) -> int:
    """Leave `.venv` complete for the wanted set; the answer is the exit code."""
    if len(arguments) != 1 or arguments[0] not in SETS:
        return fail(f"usage: python3 tools/bootstrap.py {'|'.join(SETS)}")
    if sys.version_info < OLDEST:
        return with_newer_python(arguments)
    wanted = arguments[0]
    if any(stamp(name).is_file() for name in ("all", wanted)):
        return 0
    with (ROOT / "pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make demo` and `make test` in two terminals take turns
        if any(stamp(name).is_file() for name in ("all", wanted)):
            return 0
        try:
            make_environment()
            install_uv()
            sync(wanted)
        except subprocess.CalledProcessError as error:
            return fail(f"{Path(error.cmd[0]).name} ended with {error.returncode}; what it said stands above")
        except urllib.error.URLError as error:
            return fail(f"the package index cannot be reached ({error.reason}); set PIP_INDEX_URL or HTTPS_PROXY")
        for old in VENV.glob(".complete-*"):
            old.unlink()
        stamp(wanted).touch()
    return 0


def with_newer_python(arguments: list[str]) -> int:
    """Start again with a Python that is new enough, when there is one on the PATH."""
    for name in NEWER:
        found = shutil.which(name)
        if found:
            return subprocess.call([found, str(Path(__file__).resolve()), *arguments])
    has = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return fail(f"Python 3.11 or newer is needed, this is {has}. Debian 12, Ubuntu 24.04: apt-get install python3")


def stamp(name: str) -> Path:
    """Return the file that says `.venv` holds this set for the lock file as it is now, from this place."""
    state = hashlib.sha256(f"{ROOT}\n{sys.version_info[:2]}\n{name}\n".encode())
    for source in (ROOT / "uv.lock", ROOT / "pyproject.toml", Path(__file__)):
        state.update(source.read_bytes())
    return VENV / f".complete-{name}-{state.hexdigest()[:16]}"


def make_environment() -> None:
    """Leave an environment of this Python in `.venv`; without pip, which Debian splits off, and which uv replaces."""
    python = VENV / "bin" / "python"
    try:
        asked = [python, "-c", "import sys; print(sys.version_info[:2])"]
        works = subprocess.run(asked, capture_output=True, text=True)
        fits = works.returncode == 0 and works.stdout.strip() == str(tuple(sys.version_info[:2]))
    except OSError:  # not there, or it points to a Python that is gone
        fits = False
    if not fits:
        say("making .venv")
        run([sys.executable, "-m", "venv", "--without-pip", "--clear", str(VENV)])


def install_uv() -> None:
    """Leave the pinned uv in `.venv/.uv`, outside what `uv sync` keeps exact."""
    version = UV_REQUIREMENTS.read_text().split("uv==", 1)[1].split()[0]
    if UV.is_file():
        has = subprocess.run([UV, "--version"], capture_output=True, text=True)
        if version in has.stdout.split():
            return
    say(f"fetching uv {version}")
    with tempfile.TemporaryDirectory() as folder:
        pip = fetch_pip(Path(folder)) / "pip"
        shutil.rmtree(UV.parent.parent, ignore_errors=True)
        install = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        target = ["--only-binary", ":all:", "--target", str(UV.parent.parent), "-r", str(UV_REQUIREMENTS)]
        run([str(VENV / "bin" / "python"), str(pip), *install, *target])


def fetch_pip(folder: Path) -> Path:
    """Return the pinned pip wheel, which Python can run as it is. Raises URLError when no index has it."""
    index = os.environ.get("PIP_INDEX_URL", INDEX).rstrip("/") + "/pip/"
    with urllib.request.urlopen(index, timeout=DOWNLOAD_SECONDS) as answer:
        page, base = answer.read().decode("utf-8", "replace"), answer.geturl()
    link = re.search(r'href="([^"]*' + re.escape(PIP_WHEEL) + r'[^"]*)"', page)
    if link is None:
        raise urllib.error.URLError(f"it has no {PIP_WHEEL}")
    with urllib.request.urlopen(urllib.parse.urljoin(base, link[1]), timeout=DOWNLOAD_SECONDS) as answer:
        wheel = answer.read()
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        raise urllib.error.URLError(f"its {PIP_WHEEL} is not the one that is pinned")
    path = folder / PIP_WHEEL
    path.write_bytes(wheel)
    return path


def sync(wanted: str) -> None:
    """Install exactly what the lock file names for this set, and the hub itself, editable."""
    say(f"installing the locked packages ({wanted})")
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    # The system's certificates: many CIRTs sit behind a proxy whose CA only the machine knows.
    options = ["--frozen", "--quiet", "--system-certs", "--python", str(VENV / "bin" / "python")]
    run([str(UV), "sync", *options, *SETS[wanted]], environment)


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a command in the project's folder. Raises CalledProcessError when it fails."""
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


def say(what: str) -> None:
    """Tell the person waiting what is going on."""
    print(f"bootstrap: {what}", file=sys.stderr, flush=True)


def fail(why: str) -> int:
    """Say why it cannot go on; the answer is the exit code."""
    say(why)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
