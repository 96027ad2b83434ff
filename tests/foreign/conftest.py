"""What is tried with foreign programs is collected where these are; everywhere else their recorded answers are used."""

from __future__ import annotations

import shutil
from pathlib import Path

GO_PACKAGES = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev lies

collect_ignore: list[str] = []
if shutil.which("go") is None or not (GO_PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
    collect_ignore.append("test_tlog_go.py")
