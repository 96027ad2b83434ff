"""The keys of the hubs we hand things to, remembered from the first receipt on; a changed key is not believed.

The file stands beside the signing key (``aa.pem`` has ``aa.hubs.json``) and holds nothing secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from hub.client.transport import Transport
from hub.domain.canonical import Json, parse
from hub.domain.key_directory import read_directory
from hub.domain.key_material import PublicKey, public_key
from hub.domain.keys import KeyRing, SigningKey
from hub.errors import ConfigError, InvalidRequest, MalformedJson, ReceiptError, SignatureError

_KID: Final = re.compile(r"[0-9a-f]{64}")
_ALWAYS: Final = -(2**62)
JSON: Final = "application/json"


def hub_address(api_root: str) -> tuple[str, str]:
    """Return the address of the hub that serves an API root, ending in ``/``, and the slug of the group."""
    parts = urlsplit(api_root)
    path, _, slug = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{path}/", slug


@dataclass(slots=True)
class HubKeys:
    """What is known of one hub's keys.

    :param file: where they are remembered; None remembers nothing. :param given: kids that somebody has vouched for.
    :param notice: is told, in words, when a key is taken on trust.
    """

    transport: Transport
    api_root: str
    file: Path | None
    given: frozenset[str] = frozenset()
    notice: Callable[[str], None] = lambda _: None
    _hub: str | None = field(default=None, init=False)
    _pinned: dict[str, str] = field(default_factory=dict, init=False)  # kid: public key
    _directory: Mapping[str, Json] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Read what was remembered."""
        known = _load(self.file).get(hub_address(self.api_root)[0])
        if known is not None:
            self._hub, self._pinned = known["hub"], dict(known["keys"])

    @property
    def known(self) -> bool:
        """Whether this hub has given receipts before."""
        return bool(self._pinned)

    def ring(self, receipt: Json) -> tuple[KeyRing, str]:
        """Return the keys that count for a receipt, and the identity of the hub that it must name.

        What the hub's key directory says of their validity and revocation counts as well.

        :raises ReceiptError: it is signed by a key that is not the one remembered, or vouched for.
        :raises RemoteError: the hub does not say which keys are its own.
        """
        directory = self._read_directory()
        hub = self._hub or _text(directory.get("hub")) or _text(receipt.get("hub") if isinstance(receipt, dict) else "")
        keys = {key.kid: key for key in _signers(receipt, hub)}
        believed = self.given | self._pinned.keys()
        if believed and not keys.keys() <= believed:
            raise ReceiptError(
                "the hub signs with ANOTHER KEY than before: somebody may stand between you and it. Ask its operator,"
                " by another way than this one, which key it has, and give that with --hub-key",
                field="signatures.public_key",
            )
        listed = {item.key.kid: item.key for item in read_directory(dict(directory)) if item.key.identity == hub}
        return KeyRing([listed.get(kid, key) for kid, key in keys.items()]), hub

    def remember(self, hub: str, key: SigningKey) -> None:
        """Keep the key of a receipt that holds. Raises ConfigError when it cannot be written."""
        if key.kid in self._pinned:
            return
        address = hub_address(self.api_root)[0]
        self._hub, self._pinned[key.kid] = hub, key.public_key
        if self.file is None:
            return
        _save(self.file, _load(self.file) | {address: {"hub": hub, "keys": self._pinned}})
        if key.kid not in self.given:
            self.notice(
                f"the key of {address} is taken on trust this first time and kept in {self.file}:"
                f" {key.kid}; compare it with what its operator tells you"
            )

    def _read_directory(self) -> Mapping[str, Json]:
        if self._directory is None:
            address, slug = hub_address(self.api_root)
            body = self.transport.get(f"{address}api/v1/groups/{slug}/keys", accept=JSON).body
            try:
                read_directory(body)
            except InvalidRequest as error:
                raise ReceiptError(f"the hub's key directory is not readable: {error.detail}") from None
            self._directory = body if isinstance(body, dict) else {}
        return self._directory


def read_hub_key(text: str) -> str:
    """Return the kid that ``--hub-key`` names: 64 hexadecimal digits, or a file with the public key.

    The file holds PEM, or JSON with ``public_key`` as `cybex key new` and `cybex key show --json` write it.
    Raises ConfigError.
    """
    if _KID.fullmatch(text.lower()):
        return text.lower()
    try:
        data = Path(text).read_bytes()[: 64 * 1024]
        if data.lstrip().startswith(b"{"):
            part = parse(data)
            return public_key(_text(part.get("public_key") if isinstance(part, dict) else None)).kid
        lines = data.decode("ascii").strip().splitlines()
        return public_key("".join(lines[1:-1])).kid
    except OSError as error:
        raise ConfigError(f"it cannot be read: {error.strerror}", field="hub-key") from None
    except (MalformedJson, SignatureError, UnicodeDecodeError):
        raise ConfigError("give a kid, or a file with the hub's public key", field="hub-key") from None


def _signers(receipt: Json, hub: str) -> list[SigningKey]:
    """Return the keys that a receipt itself names, as if they were the hub's at all times; trust is not from here."""
    signatures = receipt.get("signatures") if isinstance(receipt, dict) else None
    found = []
    for signature in signatures if isinstance(signatures, list) else ():
        text = signature.get("public_key") if isinstance(signature, dict) else None
        try:
            key: PublicKey = public_key(_text(text))
        except SignatureError:
            continue  # the check that follows finds no key and says so
        found.append(SigningKey(0, 0, hub, key.kid, key.algorithm, key.text, valid_from=_ALWAYS))
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _load(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        kept = parse(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, MalformedJson):
        raise ConfigError(f"{file} is damaged; put it back from a backup, or ask the operator for the key") from None
    if not isinstance(kept, dict) or not all(_is_pin(one) for one in kept.values()):
        raise ConfigError(f"{file} is damaged; put it back from a backup, or ask the operator for the key")
    return kept


def _is_pin(value: Json) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("hub"), str):
        return False
    keys = value.get("keys")
    return isinstance(keys, dict) and all(isinstance(text, str) for text in keys.values())


def _save(file: Path, content: Mapping[str, Any]) -> None:
    aside = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as opened:
            opened.write(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            opened.flush()
            os.fsync(opened.fileno())
        aside.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
