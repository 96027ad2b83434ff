"""``cybex explain``: why a peer may or may not see an object, on the hub's own machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.services.actor import LOCAL_OPERATOR
from hub.services.explain import explain as explain_object
from hub.web.api.explain import explanation


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@click.argument("handle", metavar="PEER")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(stix_id: str, handle: str, data: Path | None, as_json: bool) -> None:
    """Say of each version of OBJECT whether PEER may see it, by which rule and why. Exit code 1 when he sees none.

    Example: cybex explain incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa cc
    """
    found = explain_object(open_hub_at(data), LOCAL_OPERATOR, stix_id, handle)
    if as_json:
        rows = [explanation(one) for one in found]
        click.echo(orjson.dumps({"object": stix_id, "peer": handle, "explanations": rows}).decode())
    else:
        for one in found:
            alias = one.collection.alias or one.collection.uuid
            verdict = "sees" if one.decision else "does not see"
            click.echo(f"{handle} {verdict} version {one.version} in {one.group.slug}/{alias}")
            for rule in one.rules:
                click.echo(f"  {'yes' if rule else 'NO '}  {rule.rule:18} {rule.reason}")
            if one.stored is not None:
                click.echo(f"  taken by rule {one.stored.rule}: {one.stored.reason} (TLP:{one.stored.tlp.upper()})")
                if one.stored.kid:
                    vouched = ", vouched by the peer that published it" if one.stored.vouched else ""
                    form, kid = one.stored.jss_form, one.stored.kid[:16]
                    click.echo(f"  signed {one.stored.carrier}, {form} form, key {kid}…{vouched}")
    if not any(one.decision for one in found):
        sys.exit(1)
