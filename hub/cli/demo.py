"""``cybex demo``: a complete world on loopback from nothing, and a real incident that travels through it."""

from __future__ import annotations

import multiprocessing
import signal
import time
import urllib.error
import urllib.request
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from hub.cli import demo_proof, demo_story, serve
from hub.cli.demo_world import FILE, make_world, read_world, settings_for, with_addresses, write_world
from hub.config import Settings
from hub.errors import ConfigError
from hub.services.parent_process import end_with_parent

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 25.0


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default="demo-data", show_default=True, help="Where it lives.")
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True, help="Port on 127.0.0.1.")
@click.option("--story/--no-story", default=True, help="Tell the story on the terminal (default) or only serve.")
@click.option(
    "--proof/--no-proof",
    default=None,
    help="Tell its second part too: retraction and proofs (default: the first time).",
)
def demo(data: Path, port: int, story: bool, proof: bool | None) -> None:
    """Start one hub, two trust groups and three CIRTs on this machine, and stay up until interrupted.

    Logins and addresses are in DATA/demo.json. The same directory may be used again; remove it to start afresh.

    Example: cybex demo --data demo-data --port 8765
    """
    signal.signal(signal.SIGTERM, _interrupt)
    data = data.absolute()
    settings = settings_for(data, port)
    serve.refuse_taken_port(settings)
    world = with_addresses(read_world(data) or make_world(data, settings), port)
    write_world(data, {**world, "ready": False})
    hub = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings,), name="cybex-demo-hub")
    hub.start()
    try:
        _await(f"{world['base_url']}readyz", hub)
        if not world.get("examples_shared"):
            demo_story.share_examples(world)
            world["examples_shared"] = True
        if story:
            demo_story.tell(data, world)
        if proof or (proof is None and story and not world.get("proof_shown")):
            demo_proof.prove(data, world)
            world["proof_shown"] = True
        write_world(data, {**world, "ready": True})
        _logins(data, world)
        hub.join()
        raise ConfigError("the hub stopped by itself; its messages are above")
    except KeyboardInterrupt:
        click.echo("stopping")
    finally:
        write_world(data, {**world, "ready": False})
        hub.terminate()
        hub.join(STOP_SECONDS)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(settings: Settings) -> None:
    """Serve in a process of its own, which ignores Ctrl-C (it is told to stop) and never outlives the demonstration."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    serve.run(settings, with_worker=True)


def _await(url: str, hub: SpawnProcess) -> None:
    """Return when the hub answers; raise ConfigError when it ends first or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not hub.is_alive():
            raise ConfigError("the hub did not start; its message is above")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a fixed loopback address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.05)
    raise ConfigError(f"the hub did not answer within {START_SECONDS:.0f} s")


def _logins(data: Path, world: dict[str, Any]) -> None:
    click.echo("")
    click.secho("The world is up. Addresses and logins", bold=True)
    click.echo(f"  discovery   {world['discovery']}")
    for slug, group in world["groups"].items():
        for alias, uuid in group["collections"].items():
            click.echo(f"  collection  {group['api_root']}collections/{uuid}/  ({slug}, {alias})")
    for handle, peer in world["peers"].items():
        click.echo(f"  {handle}          {peer['username']} / {peer['password']}  ({', '.join(peer['groups'])})")
    for name in ("analyst", "operator"):
        click.echo(f"  {name:10}  {world[name]['username']} / {world[name]['password']}")
    click.echo(f"  API         {world['base_url']}api/v1/openapi.json")
    click.echo(f"  all of it   {data / FILE}")
    click.echo("Press Ctrl-C to stop.")
