"""Settings about the second signature that could never be met together are refused when the later one is made."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.domain.membership import Peer, QuantumSafe, TrustGroup
from hub.domain.policy.quantum_safe import contradict
from hub.errors import Conflict
from hub.store import groups as group_store
from hub.store import members as member_store

FIELD = "quantum_safe"


def refuse_for_peer(tx: Connection, peer: Peer, setting: QuantumSafe) -> None:
    """Raise Conflict when the peer could publish nothing in a group it is a member of."""
    for trust_group in group_store.all(tx):
        is_member = member_store.get(tx, trust_group.id, peer.id) is not None
        if is_member and contradict(setting, trust_group.quantum_safe):
            raise Conflict(
                f"the group {trust_group.slug} has it {trust_group.quantum_safe.value}, so the peer could publish"
                " nothing there: change the group first, or set it optional",
                field=FIELD,
            )


def refuse_for_group(tx: Connection, trust_group: TrustGroup, setting: QuantumSafe) -> None:
    """Raise Conflict when a member could publish nothing in the group."""
    for peer, _ in member_store.of_group(tx, trust_group.id):
        if contradict(setting, peer.quantum_safe):
            raise Conflict(
                f"the member {peer.handle} has it {peer.quantum_safe.value}, so that peer could publish nothing here:"
                " change the peer first, or set it optional",
                field=FIELD,
            )


def refuse_for_member(trust_group: TrustGroup, peer: Peer) -> None:
    """Raise Conflict when a peer that is made a member could publish nothing in the group."""
    if contradict(trust_group.quantum_safe, peer.quantum_safe):
        raise Conflict(
            "the group and the peer contradict each other about the second signature: one requires it, the other has it"
            " off; ask the operator to change one of them",
            field=FIELD,
        )
