"""`pip install .`: the wheel holds all the hub needs, installs without a compiler, and gives the command `cybex`."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.deploy.commands import ROOT


def _bootstrap() -> ModuleType:
    specification = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain pip, as on any machine; the locked environment has none."""
    wheel: Path = _bootstrap().fetch_pip(tmp_path_factory.mktemp("pip"))
    return wheel / "pip"


@pytest.fixture(scope="module")
def wheel(pip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip builds of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.iterdir()
    return built


def run(*command: object, **environment: str) -> str:
    """Run a command outside the checkout; return what it prints."""
    done = subprocess.run(
        [str(part) for part in command], cwd="/", env=environment or None, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_hub_and_every_schema(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "hub", "connectors", "schemas"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wanted = {f"hub/{name}" if name.startswith("schemas/") else name for name in tracked}
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    assert len(wanted) > 100
    assert wanted - names == set()
    assert any(name.startswith("hub/schemas/stix/") for name in names)
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"hub", "connectors"}


def test_it_is_for_every_machine(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_it_installs_in_a_clean_environment_without_a_compiler_and_makes_a_hub(
    pip: Path, wheel: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    run(python, pip, "install", "--quiet", "--only-binary", ":all:", wheel)
    cybex, path = venv / "bin" / "cybex", "/usr/bin:/bin"
    assert "serve" in run(cybex, "--help", PATH=path)
    made = json.loads(run(cybex, "init", "--data", tmp_path / "hub", "--json", PATH=path))
    assert made["operator"]["password"]
    report = json.loads(run(cybex, "doctor", "--data", tmp_path / "hub", "--json", PATH=path))
    assert {finding["level"] for finding in report["findings"]} <= {"ok", "warn"}
    # The demonstration and the checks of STIX need files beside the code: they must be found there too.
    script = "from hub.services.schema_files import read_schemas; print(len(read_schemas()))"
    assert int(run(python, "-c", script, PATH=path)) > 40
