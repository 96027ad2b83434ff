"""tools/bootstrap.py: what it pins, when it does nothing, and how it says why it cannot go on."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.deploy.commands import ROOT
from tests.deploy.test_wheel import _bootstrap


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, on a folder of its own in which nothing has been done yet."""
    module = _bootstrap()
    for name in ("uv.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    return module


@pytest.fixture
def steps(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What it would do, in order; nothing of it is done."""
    done: list[str] = []
    monkeypatch.setattr(bootstrap, "make_environment", lambda: (bootstrap.VENV.mkdir(), done.append("environment")))
    monkeypatch.setattr(bootstrap, "install_uv", lambda: done.append("uv"))
    monkeypatch.setattr(bootstrap, "sync", done.append)
    return done


def test_the_second_run_does_nothing(bootstrap: ModuleType, steps: list[str]) -> None:
    assert bootstrap.main(["runtime"]) == 0
    assert bootstrap.main(["runtime"]) == 0
    assert steps == ["environment", "uv", "runtime"]


def test_the_set_for_tests_holds_what_the_hub_needs_to_run(
    bootstrap: ModuleType, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bootstrap.main(["all"]) == 0
    assert bootstrap.main(["runtime"]) == 0
    assert steps == ["environment", "uv", "all"]


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_a_changed_lock_is_noticed(
    bootstrap: ModuleType, steps: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert bootstrap.main(["runtime"]) == 0
    monkeypatch.setattr(bootstrap, "make_environment", lambda: None)
    with (bootstrap.ROOT / name).open("a") as file:
        file.write("# changed\n")
    assert bootstrap.main(["runtime"]) == 0
    assert steps == ["environment", "uv", "runtime", "uv", "runtime"]


def test_a_step_that_fails_leaves_no_stamp(
    bootstrap: ModuleType, steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_wanted: str) -> None:
        raise subprocess.CalledProcessError(2, ["/x/uv", "sync"])

    monkeypatch.setattr(bootstrap, "sync", broken)
    assert bootstrap.main(["runtime"]) == 1
    assert "uv ended with 2" in capsys.readouterr().err
    assert not bootstrap.stamp("runtime").exists()


def test_an_index_that_is_not_there_is_said(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "no-index").as_uri())
    monkeypatch.setattr(bootstrap, "make_environment", lambda: None)
    monkeypatch.setattr(bootstrap, "UV", tmp_path / "no-uv")
    assert bootstrap.main(["runtime"]) == 1
    assert "PIP_INDEX_URL" in capsys.readouterr().err


def test_a_pip_that_is_not_the_pinned_one_is_refused(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index" / "pip"
    index.mkdir(parents=True)
    (index / bootstrap.PIP_WHEEL).write_bytes(b"not pip")
    page = tmp_path / "page.html"
    page.write_text(f'<a href="{(index / bootstrap.PIP_WHEEL).as_uri()}#sha256=00">pip</a>')
    original = bootstrap.urllib.request.urlopen
    monkeypatch.setattr(
        bootstrap.urllib.request,
        "urlopen",
        lambda url, timeout: original(page.as_uri() if url.endswith("/pip/") else url, timeout=timeout),
    )
    with pytest.raises(bootstrap.urllib.error.URLError, match="not the one that is pinned"):
        bootstrap.fetch_pip(tmp_path)


def test_an_old_python_is_told_what_is_needed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    assert bootstrap.main(["runtime"]) == 1
    said = capsys.readouterr().err
    assert "Python 3.11 or newer is needed, this is 3.9" in said
    assert "apt-get install" in said


def test_it_is_written_for_older_pythons_too_so_that_they_can_say_so() -> None:
    """Nothing in the file that Python 3.8 could not parse: an old Python would show a syntax error instead."""
    ast.parse((ROOT / "tools" / "bootstrap.py").read_text(), feature_version=(3, 8))


def test_uv_is_pinned_by_version_and_hash() -> None:
    text = (ROOT / "tools" / "uv.requirements.txt").read_text()
    assert re.search(r"^uv==\d+\.\d+\.\d+ \\$", text, re.MULTILINE)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) > 10


def test_a_finished_environment_costs_no_time(tmp_path: Path) -> None:
    """The stamp is looked at before anything is imported that takes long or anything is run."""
    script = tmp_path / "tools" / "bootstrap.py"
    script.parent.mkdir()
    script.write_bytes((ROOT / "tools" / "bootstrap.py").read_bytes())
    for name in ("uv.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    code = "import sys; sys.path.insert(0, 'tools'); import bootstrap as b; b.VENV.mkdir(); b.stamp('all').touch()"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, script, "all"], env={**os.environ, "PATH": ""}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
