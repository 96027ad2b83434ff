"""``cybex audit``: verify a whole hub again from its stored bytes; ``cybex audit lines``: what operators did."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import orjson

from hub import config
from hub.bootstrap import open_hub_at
from hub.cli import backup
from hub.cli.output import data_option, json_option, print_rows, text_of
from hub.domain import limits
from hub.errors import ConfigError
from hub.services import audit as service
from hub.services.actor import LOCAL_OPERATOR
from hub.services.auditing.finding import Finding
from hub.services.auditing.run import Audit
from hub.store.database import Database
from hub.web.api import resources

COLUMNS: Final = ("at", "handle", "credential", "action", "subject", "detail")
EVERY_SECONDS: Final = 2.0
"""How often progress is told where it is kept in a file; a terminal's line is renewed five times as often."""


@click.group(invoke_without_command=True)
@click.option("--from-backup", type=click.Path(path_type=Path, dir_okay=False), help="Verify this backup, not a hub.")
@click.option("--all", "every", is_flag=True, help="Print every finding, not the first one and the counts.")
@data_option
@json_option
@click.pass_context
def audit(context: click.Context, from_backup: Path | None, every: bool, data: Path | None, as_json: bool) -> None:
    """Verify everything again from the stored bytes: log, signatures, receipts, order, and audience against policy.

    Names the first thing that is wrong, and counts the rest by kind. Changes nothing; may run while the hub does.

    Exit code 0: nothing is wrong. 1: something is.

    Example: cybex audit --data /var/lib/cybex
    """
    if context.invoked_subcommand is not None:
        return
    with _backed_up(from_backup) if from_backup is not None else _running(data) as opened:
        opened.progress = (progress := _Progress(opened)).show
        found: list[Finding] = []
        counts: Counter[str] = Counter()
        for finding in opened.findings():
            counts[finding.code] += 1
            if every or not found:
                found.append(finding)
                progress.tell(f"{finding.place}: {_line(finding)}")
        progress.end()
        seconds = progress.seconds()
    if as_json:
        result = {
            "ok": not found,
            "first": asdict(found[0]) if found else None,
            "counts": dict(counts.most_common()),
            "unverifiable": opened.unverifiable,
            "rows": opened.done,
            "versions": opened.entries,
            "seconds": round(seconds, 3),
        } | ({"findings": [asdict(one) for one in found]} if every else {})
        click.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
    else:
        _report(opened, found, counts, seconds, every=every)
    context.exit(1 if found else 0)


def _report(opened: Audit, found: list[Finding], counts: Counter[str], seconds: float, *, every: bool) -> None:
    for reason, number in sorted(opened.unverifiable.items()):
        click.echo(f"not verifiable: {number} versions, because {reason}")
    rate = opened.entries / seconds if seconds else 0
    click.echo(f"{opened.entries} versions and {opened.done} rows in {seconds:.1f} s ({rate:.0f} versions/s)")
    if not found:
        click.echo("nothing is wrong")
        return
    first = found[0]
    click.echo(f"WRONG: {first.place}: {_line(first)}")
    for one in found[1:] if every else ():
        click.echo(f"       {one.place}: {_line(one)}")
    for code, number in counts.most_common():
        click.echo(f"  {number} x {code}")
    click.echo("Keep the database as it is, and compare with a backup: docs/operating.md, Audit")


def _line(finding: Finding) -> str:
    return f"{text_of(finding.row)}: {text_of(finding.text)} [{finding.code}]"


class _Progress:
    """Tells on standard error how far an audit is, how fast, and how long it will take."""

    def __init__(self, opened: Audit) -> None:
        self._audit = opened
        self._begun = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def show(self) -> None:
        now = time.monotonic()
        if now - self._told < EVERY_SECONDS / (5 if self._terminal else 1):
            return
        self._told = now
        one = self._audit
        rate = one.done / (now - self._begun)
        left = (one.total - one.done) / rate if rate else 0
        share = one.done * 100 // max(1, one.total)
        text = f"audit: {one.checking}: {one.done} of {one.total} rows ({share} %), {rate:.0f}/s, {left:.0f} s left"
        click.echo(f"\r\x1b[K{text}" if self._terminal else text, nl=not self._terminal, err=True)

    def tell(self, text: str) -> None:
        click.echo(f"\r\x1b[Kaudit: {text}" if self._terminal else f"audit: {text}", err=True)

    def end(self) -> None:
        if self._terminal:
            click.echo("\r\x1b[K", nl=False, err=True)


@contextmanager
def _running(data: Path | None) -> Iterator[Audit]:
    hub = open_hub_at(data)
    try:
        yield Audit(hub.db, hub.signing_key.public, hub.log_key.public)
    finally:
        hub.db.close()


@contextmanager
def _backed_up(file: Path) -> Iterator[Audit]:
    """Open the database and the keys in a backup, in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cybex-audit-") as directory:
        unpacked = Path(directory)
        backup.unpack(file.absolute(), unpacked)
        secrets = config.load_secrets(config.load(unpacked, {}, file=unpacked / "none"))
        database = Database.open(f"sqlite:///{unpacked / backup.DATABASE}")
        try:
            if database.revision() != database.head():
                raise ConfigError("the backup is of another version; restore it, migrate it, and audit that hub")
            signing, log = config.private_key(secrets.signing_key), config.private_key(secrets.log_key)
            yield Audit(database, signing.public, log.public)
        finally:
            database.close()


@audit.command()
@click.option("--limit", type=click.IntRange(1, limits.API_PAGE_MAX), default=50, show_default=True)
@data_option
@json_option
def lines(limit: int, data: Path | None, as_json: bool) -> None:
    """List what was done most recently, the newest first; no handle means a command on this machine.

    Example: cybex audit lines --limit 20
    """
    rows: list[dict[str, Any]] = [
        resources.audit_line(row) for row in service.recent(open_hub_at(data), LOCAL_OPERATOR, limit=limit)
    ]
    print_rows(rows, COLUMNS, as_json=as_json)
