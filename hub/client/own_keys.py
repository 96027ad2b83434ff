"""A peer's own keys on a hub, changed over the network with statements that its keys sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.client import key_statements
from hub.client.api import JSON, api_address, signed_directory
from hub.client.transport import RemoteError, Transport
from hub.domain.canonical import jcs
from hub.domain.key_material import PrivateKey
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Who we are to a hub, and which hub it is. The session needs a credential with the role admin."""

    session: Transport
    api: str
    handle: str
    peer: str  # STIX identity
    hub: str  # STIX identity

    @classmethod
    def of(cls, session: Transport, api_root: str) -> OwnKeys:
        """Ask a hub who we are and who it is. Raises RemoteError, also for a hub that signs nothing."""
        api = api_address(api_root)
        peer = _object(_object(session.get(f"{api}/whoami", accept=JSON).body).get("peer"))
        directory = signed_directory(session, api_root)
        if directory.signer is None:
            raise RemoteError("this hub does not sign its key directory, and takes no statements about keys")
        return cls(session, api, str(peer.get("handle")), str(peer.get("identity")), directory.hub)

    def kids(self) -> list[str]:
        """Return the ids of all keys of this peer, revoked ones too."""
        found: list[str] = []
        params: dict[str, str] = {}
        while True:
            page = _object(self.session.get(f"{self._place}", params=params, accept=JSON).body)
            items = page.get("items")
            found += [str(_object(item).get("kid")) for item in items] if isinstance(items, list) else []
            if page.get("more") is not True or not found or params.get("after") == found[-1]:
                return found
            params = {"after": found[-1]}

    def enrol(self, key: PrivateKey, *, at: int) -> dict[str, Any]:
        """Return the key as the hub has enrolled it; nothing changes when it is enrolled already."""
        if key.public.kid in self.kids():
            return self._shown(key.public.kid)
        said = key_statements.enrolment(key, peer=self.peer, hub=self.hub, at=at)
        return self._post(self._place, {"public_key": key.public.text, "statement": said})

    def rotate(self, old: PrivateKey, new: PrivateKey, *, at: int, overlap: int = 0) -> dict[str, Any]:
        """Return the new key after it has replaced the old one, which signs on for ``overlap`` microseconds.

        Nothing changes when the new key is enrolled already: the answer to an earlier try was lost.
        """
        if new.public.kid in self.kids():
            return self._shown(new.public.kid)
        said = key_statements.rotation(old, new, peer=self.peer, hub=self.hub, at=at, replaced_until=at + overlap)
        where = f"{self._place}/{old.public.kid}/rotation"
        return self._post(where, {"public_key": new.public.text, "statement": said})

    def revoke(
        self, kid: str, *, reason: str, at: int, since: int | None = None, key: PrivateKey | None = None
    ) -> dict[str, Any]:
        """Return a key after it was revoked.

        :param kid: or how it begins. :param key: one that stands, to sign it with; without one the hub notes that this
            credential asked for it.
        """
        found = [one for one in self.kids() if one.startswith(kid.lower())]
        if len(kid) < 8 or len(found) != 1:
            raise InvalidRequest("give 8 or more digits that one key of this peer begins with; see cybex key list")
        body: dict[str, Any] = {"reason": reason}
        if key is not None:
            body["statement"] = key_statements.withdrawal(
                key, found[0], peer=self.peer, hub=self.hub, at=at, reason=reason, since=since
            )
        elif since is not None:
            body["at"] = format_timestamp(since)
        where = f"{self._place}/{found[0]}/revocation"
        return _object(self.session.put(where, jcs(body), content_type=JSON, accept=JSON).body)

    @property
    def _place(self) -> str:
        return f"{self.api}/peers/{self.handle}/keys"

    def _shown(self, kid: str) -> dict[str, Any]:
        return _object(self.session.get(f"{self._place}/{kid}", accept=JSON).body)

    def _post(self, where: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _object(self.session.post(where, jcs(dict(body)), content_type=JSON, accept=JSON).body)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RemoteError("the hub's answer is no JSON object")
    return value
