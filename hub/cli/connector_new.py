"""``cybex connector new``: a folder to write a connector of one's own in, with tests that pass from the start."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import click

from connectors.sdk.config import NAME
from hub.errors import ConfigError, Conflict

PLACES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "init.py.txt": "{package}/__init__.py",
    "connector.py.txt": "{package}/connector.py",
    "mapping.py.txt": "{package}/mapping.py",
    "example.toml.txt": "example.toml",
    "test_mapping.py.txt": "tests/test_mapping.py",
    "list.txt.txt": "tests/golden/list.txt",
    "list.json.txt": "tests/golden/list.json",
}
"""What the template has, and where it goes."""


@click.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to make; cybex-connector-NAME here else."
)
def new(name: str, out: Path | None) -> None:
    """Make a folder with a working connector of the kind NAME, to be changed into one's own.

    It reads a list of host names. Its tests pass as they are: cd into it and run pytest.

    Example: cybex connector new ticketing
    """
    if re.fullmatch(NAME, name, re.ASCII) is None:
        raise ConfigError("use 1 to 63 lower-case letters, digits and inner hyphens", field="NAME")
    folder = out or Path(f"cybex-connector-{name}")
    package = "cybex_connector_" + name.replace("-", "_")
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise Conflict(f"{folder} exists already; choose another --out, or remove it", field="out") from None
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error.strerror}", field="out") from None
    template = resources.files("connectors.sdk") / "template"
    for source, place in PLACES.items():
        text = (template / source).read_text(encoding="utf-8")
        target = folder / place.format(package=package)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("KIND_NAME", name).replace("PACKAGE_NAME", package), encoding="utf-8")
    click.echo(f"made {folder}; next:\n  pip install -e {folder}\n  cybex connector kinds\n  cd {folder} && pytest")
