"""``cybex acknowledge`` and ``cybex acknowledgements``: confirm what one was given; hear what is confirmed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import orjson

from hub.cli.connection import connection_options, transport
from hub.cli.output import data_option, json_option, text_of
from hub.client import keyfile
from hub.client.acknowledge import Said, post, signer
from hub.client.feed import collection_url
from hub.client.transport import RemoteError, Transport
from hub.domain.acknowledgement import OUTCOMES, Outcome
from hub.domain.signature_profile import related_version


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@click.option(
    "--key", "key_path", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Sign with this key."
)
@click.option("--outcome", type=click.Choice(OUTCOMES), required=True, help="What became of it.")
@click.option("--version", help="Which version; the latest one that the collection shows without it.")
@click.option("--reason", help="Why; a refusal needs one. One line, for the author.")
@click.option("--json", "as_json", is_flag=True, help="Print what was signed as JSON.")
@connection_options
def acknowledge(
    stix_id: str,
    key_path: Path,
    outcome: Outcome,
    version: str | None,
    reason: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Confirm to its author, signed, that OBJECT is stored, verified, used, refused, or removed after a retraction.

    Example: cybex acknowledge --url https://hub.example/alpha/ --token-file bb.token --key bb.pem --outcome used \
incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    if outcome == "refused" and reason is None:
        raise click.UsageError("say why it is refused: --reason")
    session = transport(options, lambda text: click.echo(text, err=True))
    key = keyfile.read(key_path)
    who = signer(session, options["url"], key, keyfile.identity_beside(key_path, key), lambda: time.time_ns() // 1000)
    if version is None:
        version = _latest(session, f"{collection_url(options['url'], options['collection'])}objects/", stix_id)
    document = who.sign(Said(stix_id, version, outcome, reason))
    (answer,) = post(session, options["url"], [document])
    if answer.get("kept") is not True:
        click.echo(f"not kept: {text_of(answer.get('detail'))}", err=True)
        sys.exit(1)
    click.echo(orjson.dumps(document).decode() if as_json else f"kept: {outcome} {stix_id} {version}")


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@click.option("--version", help="Only this version.")
@data_option
@json_option
def acknowledgements(stix_id: str, version: str | None, data: Path | None, as_json: bool) -> None:
    """Say what readers confirmed of OBJECT, on the hub's own machine.

    Example: cybex acknowledgements incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    from hub.bootstrap import open_hub_at  # only here: a peer's machine has no database to load
    from hub.services.acknowledgements import tally
    from hub.services.actor import LOCAL_OPERATOR
    from hub.web.api.acknowledgements import tally as resource

    found, more = tally(open_hub_at(data), LOCAL_OPERATOR, stix_id, version=version)
    if as_json:
        click.echo(orjson.dumps(resource(stix_id, found, more=more)).decode())
        return
    for one in found:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(one.outcomes.items()))
        click.echo(f"version {text_of(one.version)} in {one.group}: {counts}")
        for row in one.named:
            reason = "" if row.reason is None else f": {text_of(row.reason)}"
            click.echo(f"  {row.outcome:9} {row.handle}{reason}")
    if more:
        click.echo("there are older ones: ask for one version with --version", err=True)


def _latest(session: Transport, url: str, stix_id: str) -> str:
    """Return how an acknowledgement names the latest version of an object. Raises RemoteError when there is none."""
    body = session.get(f"{url}{quote(stix_id, safe='')}/").body
    objects = body.get("objects") if isinstance(body, dict) else None
    for obj in reversed(objects if isinstance(objects, list) else []):
        if isinstance(obj, dict) and obj.get("id") == stix_id:
            return related_version(obj)
    raise RemoteError("the collection shows no version of it; name one with --version")
