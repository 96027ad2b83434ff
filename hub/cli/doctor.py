"""``cybex doctor``: what is well, what is not, and what to do about it, one line each."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import click

from hub import config
from hub.cli.doctor_connectors import connectors
from hub.cli.doctor_database import database
from hub.cli.doctor_files import disk, door, secrets, tls
from hub.cli.doctor_links import partners
from hub.cli.finding import Finding
from hub.errors import CybexError


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@click.pass_context
def doctor(context: click.Context, data: Path | None, as_json: bool) -> None:
    """Check a hub and say what to do. Changes nothing; may run while the hub does.

    Exit code 0: all is well or needs attention soon. 1: something is broken.

    Example: cybex doctor --data /var/lib/cybex
    """
    findings = examine(data, now=int(time.time()))
    worst = max((finding.level for finding in findings), key=("ok", "warn", "fail").index)
    if as_json:
        click.echo(json.dumps({"status": worst, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            remedy = f"\n      {finding.remedy}" if finding.remedy else ""
            click.echo(f"{finding.level:<4}  {finding.check}: {finding.text}{remedy}")
    context.exit(1 if worst == "fail" else 0)


def examine(data: Path | None, *, now: int) -> list[Finding]:
    """Return every finding; what cannot be looked at because of an earlier one is left out.

    :param now: seconds since the epoch.
    """
    try:
        settings = config.load(data)
    except CybexError as error:
        where = f"{error.field}: " if error.field else ""
        return [Finding("configuration", "fail", where + error.detail, "mend it; cybex doctor again")]
    exists = settings.file.is_file()
    findings = [
        Finding("configuration", "ok", str(settings.file))
        if exists
        else Finding("configuration", "warn", f"there is no {settings.file}: defaults apply", "cybex init")
    ]
    for check in (secrets, door, tls, disk, database, connectors, partners):
        findings += check(settings, now)
    return findings
