"""Runs commands of operation inside the test's own process."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner, Result

from hub.cli import cybex


def run(*arguments: str | Path) -> Result:
    """Run `cybex` with these arguments and without any setting in the environment; an error is in ``.exception``."""
    names = [name for name in os.environ if name.startswith("CYBEX_")]
    return CliRunner(env=dict.fromkeys(names)).invoke(cybex, [str(argument) for argument in arguments])


def succeed(*arguments: str | Path) -> str:
    """Run `cybex`, which must succeed; return what it prints."""
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout
