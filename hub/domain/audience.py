"""Who may see one stored version: the whole trust group, named peers, or everyone in it except some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["group", "named", "except"]
_VEILED: Final = ":veiled"


@dataclass(frozen=True, slots=True)
class Audience:
    """The peers a version is for, always within the members of its group: membership is checked on every read.

    An empty ``named`` audience is nobody.

    :param peers: peer ids; empty for ``group``.
    :param veiled: a pseudonym made or named it. Who is in it is told to nobody but the operator, not even as a number:
        it would tell whose pseudonym that is. Whatever is made out of a veiled audience is veiled.
    """

    kind: Kind
    peers: frozenset[int] = frozenset()
    veiled: bool = False

    def admits(self, peer_id: int) -> bool:
        """Say whether this peer, if it is a member, may see the version."""
        if self.kind == "group":
            return True
        return (peer_id in self.peers) == (self.kind == "named")

    def covers(self, other: Audience) -> bool:
        """Say whether everyone ``other`` admits is admitted here too, whoever joins the group later."""
        if self.kind == "group":
            return True
        if other.kind == "group":
            return self.kind == "except" and not self.peers
        if self.kind == "named":
            return other.kind == "named" and other.peers <= self.peers
        if other.kind == "except":
            return self.peers <= other.peers
        return not (self.peers & other.peers)

    def intersection(self, other: Audience) -> Audience:
        """Return the audience of exactly the peers that both admit."""
        veiled = self.veiled or other.veiled
        if self.kind == "group":
            return other
        if other.kind == "group":
            return self
        if self.kind == "except" and other.kind == "except":
            return Audience("except", self.peers | other.peers, veiled)
        if self.kind == "except":
            return Audience("named", other.peers - self.peers, veiled)
        if other.kind == "except":
            return Audience("named", self.peers - other.peers, veiled)
        return Audience("named", self.peers & other.peers, veiled)

    def including(self, peers: frozenset[int]) -> Audience:
        """Return the audience of those this one admits and of these peers besides."""
        if self.kind == "named":
            return Audience("named", self.peers | peers, self.veiled)
        remaining = self.peers - peers
        return Audience("except", remaining, self.veiled) if remaining else WHOLE_GROUP

    def under_veil(self) -> Audience:
        """Return the audience of the same peers, veiled; that of the whole group hides nobody and stays as it is."""
        return self if self.kind == "group" else Audience(self.kind, self.peers, True)

    def key(self) -> str:
        """Return the text that is equal for equal audiences: ``group``, ``named:1,7``, ``except:3:veiled``."""
        if self.kind == "group":
            return "group"
        return f"{self.kind}:{','.join(str(peer) for peer in sorted(self.peers))}{_VEILED if self.veiled else ''}"

    @staticmethod
    def from_key(key: str) -> Audience:
        """Read what `key` wrote. Raises ValueError for anything else."""
        bare = key.removesuffix(_VEILED)
        veiled = bare != key
        kind, _, peers = bare.partition(":")
        if kind == "group" and not peers and not veiled:
            return WHOLE_GROUP
        members = frozenset(int(peer) for peer in peers.split(",") if peer)
        if kind == "named":
            return Audience("named", members, veiled)
        if kind == "except":
            return Audience("except", members, veiled)
        raise ValueError("not the key of an audience")


WHOLE_GROUP = Audience("group")
