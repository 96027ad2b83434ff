"""``cybex group``: trust groups; each is a TAXII API root."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.domain.membership import MemberVisibility, QuantumSafe
from hub.domain.naming import DEFAULT_TLP_LEVELS, TLP_LEVELS
from hub.services import groups as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("slug", "title", "default_tlp", "tlp_ceiling", "signature_required")


@click.group()
def group() -> None:
    """Trust groups; each is a TAXII API root.

    Example: cybex group list
    """


@group.command()
@click.argument("slug")
@click.option("--title", required=True, help="Its title, shown to its members.")
@click.option("--description", help="What it is for, shown to its members.")
@click.option(
    "--default-tlp",
    type=click.Choice(DEFAULT_TLP_LEVELS),
    default=service.DEFAULT_TLP,
    show_default=True,
    help="Level of objects that carry no TLP marking.",
)
@click.option(
    "--tlp-ceiling",
    type=click.Choice(TLP_LEVELS),
    default=service.TLP_CEILING,
    show_default=True,
    help="Strictest level the group takes.",
)
@click.option(
    "--signatures",
    type=click.Choice(["required", "optional"]),
    default="required",
    show_default=True,
    help="Whether every object must be signed.",
)
@data_option
@json_option
def add(
    slug: str,
    title: str,
    description: str | None,
    default_tlp: str,
    tlp_ceiling: str,
    signatures: str,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make a group with the collections `indicators` and `incidents`. SLUG is its place in URLs: /SLUG/.

    Example: cybex group add alpha --title "National CIRTs of the north"
    """
    made = service.add(
        open_hub_at(data),
        LOCAL_OPERATOR,
        slug=slug,
        title=title,
        description=description,
        default_tlp=default_tlp,
        tlp_ceiling=tlp_ceiling,
        signature_required=signatures == "required",
    )
    print_one(resources.group(made), as_json=as_json)


@group.command("list")
@data_option
@json_option
def list_(data: Path | None, as_json: bool) -> None:
    """List all groups.

    Example: cybex group list --json
    """
    rows = [resources.group(row) for row in service.listed(open_hub_at(data), LOCAL_OPERATOR)]
    print_rows(rows, COLUMNS, as_json=as_json)


@group.command()
@click.argument("slug")
@data_option
@json_option
def show(slug: str, data: Path | None, as_json: bool) -> None:
    """Show one group.

    Example: cybex group show alpha
    """
    print_one(resources.group(service.shown(open_hub_at(data), LOCAL_OPERATOR, slug)), as_json=as_json)


@group.command()
@click.argument("slug")
@click.option("--title", help="New title.")
@click.option("--description", help="New description; an empty text removes it.")
@click.option("--default-tlp", type=click.Choice(DEFAULT_TLP_LEVELS), help="New default level.")
@click.option("--tlp-ceiling", type=click.Choice(TLP_LEVELS), help="New strictest level.")
@click.option("--signatures", type=click.Choice(["required", "optional"]), help="Whether every object must be signed.")
@click.option(
    "--quantum-safe", type=click.Choice([each.value for each in QuantumSafe]), help="A second signature with ML-DSA-65."
)
@click.option(
    "--member-visibility",
    type=click.Choice([each.value for each in MemberVisibility]),
    help="Who may know of the members.",
)
@click.option("--two-person", type=click.BOOL, help="Whether a second moderator confirms changes (true, false).")
@click.option("--pseudonyms", type=click.BOOL, help="Whether members may publish under a pseudonym (true, false).")
@data_option
@json_option
def update(
    slug: str,
    title: str | None,
    description: str | None,
    default_tlp: str | None,
    tlp_ceiling: str | None,
    signatures: str | None,
    quantum_safe: str | None,
    member_visibility: str | None,
    two_person: bool | None,
    pseudonyms: bool | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Change what is given and leave the rest; objects stored before keep the decision made for them.

    Example: cybex group update alpha --signatures required
    """
    changed = service.update(
        open_hub_at(data),
        LOCAL_OPERATOR,
        slug,
        title=... if title is None else title,
        description=... if description is None else description or None,
        default_tlp=... if default_tlp is None else default_tlp,
        tlp_ceiling=... if tlp_ceiling is None else tlp_ceiling,
        signature_required=... if signatures is None else signatures == "required",
        quantum_safe=... if quantum_safe is None else quantum_safe,
        member_visibility=... if member_visibility is None else member_visibility,
        two_person=... if two_person is None else two_person,
        pseudonyms=... if pseudonyms is None else pseudonyms,
    )
    print_one(resources.group(changed), as_json=as_json)
