"""The ``cybex`` command: parse, call a service, print. Each command is loaded only when it is used."""

from __future__ import annotations

import importlib
import sys

import click

from hub.errors import CybexError

COMMANDS: dict[str, tuple[str, str]] = {
    # name: (module:attribute, one line of help; repeated here so that --help loads nothing)
    "init": ("hub.cli.init:init", "Make a new hub: configuration, secrets, database, operator."),
    "serve": ("hub.cli.serve:serve", "Serve TAXII and the API."),
    "worker": ("hub.cli.worker:worker", "Process large envelopes, embargoes and retention."),
    "demo": ("hub.cli.demo:demo", "Start a complete demonstration world on this machine."),
    "doctor": ("hub.cli.doctor:doctor", "Check a hub and say what to do."),
    "migrate": ("hub.cli.migrate:migrate", "Bring the database to this version's schema."),
    "backup": ("hub.cli.backup:backup", "Write a consistent backup while the hub runs."),
    "restore": ("hub.cli.backup:restore", "Restore a backup into an empty hub."),
    "peer": ("hub.cli.peer:peer", "Peers: the organisations the hub knows."),
    "group": ("hub.cli.group:group", "Trust groups; each is a TAXII API root."),
    "member": ("hub.cli.member:member", "Members of a trust group and their rights."),
    "proposal": ("hub.cli.proposal:proposal", "Changes that wait for a second moderator."),
    "collection": ("hub.cli.collection:collection", "Collections of a trust group."),
    "retention": ("hub.cli.retention:retention", "Remove what collections keep no longer, or say what would go."),
    "credential": ("hub.cli.credential:credential", "Credentials of a peer."),
    "relay-right": ("hub.cli.relay_right:relay_right", "Who may make versions for another author."),
    "hub-card": ("hub.cli.hub_card:hub_card", "This hub's card, and other hubs known from theirs."),
    "agreement": ("hub.cli.agreement:agreement", "What this hub and others exchange, signed by both."),
    "link": ("hub.cli.link_run:link", "How this hub reaches others, and how that is going."),
    "pack": ("hub.cli.pack:pack", "Write what another hub may have into files that are carried there."),
    "unpack": ("hub.cli.unpack:unpack", "Take a pack that was carried here, or the receipt of one."),
    "packs": ("hub.cli.pack:packs", "The packs that were made and taken, and receipts that lack."),
    "pack-key": ("hub.cli.pack:pack_key", "This hub's key to which others encrypt packs."),
    "key": ("hub.cli.key_changes:key", "Signing keys: new, list, rotate, revoke, compromise."),
    "pseudonym": ("hub.cli.pseudonym:pseudonym", "Publish under a name that only the hub can resolve."),
    "sign": ("hub.cli.sign:sign", "Sign STIX objects (ITU-T X.590)."),
    "verify": ("hub.cli.verify:verify", "Verify signatures of STIX objects."),
    "gateway": ("hub.cli.gateway:gateway", "Sign for a system that cannot, and hand on to a hub."),
    "signatures": ("hub.cli.signatures:signatures", "Who signed an object, and what each signature is worth."),
    "push": ("hub.cli.push:push", "Sign a bundle and post it to a collection."),
    "acknowledge": ("hub.cli.acknowledge:acknowledge", "Confirm, signed, what became of an object."),
    "acknowledgements": ("hub.cli.acknowledge:acknowledgements", "What readers confirmed of an object."),
    "retraction": ("hub.cli.retraction:retraction", "Who has removed what was withdrawn, and who has not."),
    "withdraw": ("hub.cli.retraction:withdraw", "Withdraw an object in an emergency, or lift that."),
    "hold": ("hub.cli.hold:hold", "Legal holds: keep what is withdrawn, and serve it to nobody."),
    "receipt": ("hub.cli.receipt:receipt", "Show and check what a hub signed of a submission."),
    "pull": ("hub.cli.pull:pull", "Fetch what is new, verify it, write bundles."),
    "connector": ("hub.cli.connector:connector", "Connect MISP, TAXII servers, feeds, alerts; see how that goes."),
    "feedback": ("hub.cli.feedback:feedback", "What others say about an object, or about what you published."),
    "explain": ("hub.cli.explain:explain", "Say why a peer may or may not see an object."),
    "export": ("hub.cli.export:export", "Write a block list, rules, a zone or a document for another system."),
    "export-token": ("hub.cli.export:export_token", "Addresses at which firewalls and resolvers poll an export."),
    "preview": ("hub.cli.preview:preview", "Say what would become of a bundle, and who would see it."),
    "delivered": ("hub.cli.delivered:delivered", "Say who got an object, who did not yet, and who may not."),
    "path": ("hub.cli.path:path", "Show and verify by which hubs an object came, and where it went on to."),
    "refusals": ("hub.cli.refusals:refusals", "What was refused, and by which rule."),
    "log": ("hub.cli.log:log", "The transparency log: state, proofs, witnesses, checking."),
    "witness": ("hub.cli.witness:witness", "Watch a hub's log from outside and cosign it."),
    "audit": ("hub.cli.audit:audit", "Verify everything again from stored bytes; list what operators did."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called: `cybex verify` must not load SQLAlchemy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None when there is no such name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"COMMANDS names no click command under {cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cybex", prog_name="cybex")
def cybex() -> None:
    """Exchange signed STIX incidents between CIRTs over TAXII 2.1.

    Example: cybex demo --data demo-data --port 8765
    """


def main() -> None:
    """Run the command line; a foreseen error is one line on standard error and exit code 1, never a traceback."""
    try:
        cybex()
    except CybexError as error:
        where = f" ({error.field})" if error.field else ""
        click.echo(
            f"cybex: {error.title}{where}: {error.detail}" if error.detail else f"cybex: {error.title}", err=True
        )
        sys.exit(1)
