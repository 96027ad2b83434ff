"""The credential that this hub has at another one: a file under ``secrets/links/`` that nobody else may read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from hub.domain import naming
from hub.domain.credentials import read_bearer_token
from hub.errors import ConfigError, InvalidRequest

FOLDER: Final = "links"
"""Below the folder of the hub's secrets."""


def keep(secrets: Path, handle: str, token: str) -> None:
    """Store the bearer token that another hub has issued to this one, in place of an earlier one.

    Raises:
        InvalidRequest: it does not have the form of a token.
    """
    token = token.strip()
    if read_bearer_token(token) is None:
        raise InvalidRequest(
            "the file must hold the bearer token that the other hub's operator has issued to this hub", field="token"
        )
    path = _path(secrets, handle)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(secrets: Path, handle: str) -> str:
    """Return the token with which this hub calls another one.

    Raises:
        ConfigError: there is none, or somebody else may read it.
    """
    path = _path(secrets, handle)
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"others may read {path}: chmod 600 it, and have the other hub issue another token")
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}): cybex link set {handle} --token-file FILE"
        ) from None


def forget(secrets: Path, handle: str) -> None:
    """Remove the token, if there is one."""
    _path(secrets, handle).unlink(missing_ok=True)


def _path(secrets: Path, handle: str) -> Path:
    return secrets / FOLDER / f"{naming.handle(handle)}.token"
