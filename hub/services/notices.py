"""The hub's own notices of retraction, as they are signed and stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.canonical import jcs
from hub.domain.log_event import Event
from hub.domain.membership import Collection, TrustGroup
from hub.domain.retraction import NOTE, Kind, Target, notice
from hub.domain.signature_profile import sign_inline
from hub.domain.stix import instant_us, version_key
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import IDS, LEVELS
from hub.errors import ConfigError
from hub.services.actor import HUB_HANDLE
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import keys as key_store
from hub.store import peers as peer_store
from hub.store.entries import NewEntry

RULE = "retraction"
REASON = "for those who have what was withdrawn"


def signed_notice(
    tx: Connection,
    hub: Hub,
    *,
    kind: Kind,
    act: str,
    reason: str | None,
    targets: Sequence[Target],
    levels: Sequence[str],
    audience: Audience,
    now: int,
) -> NewEntry:
    """Return a notice of the hub, signed with its key and marked as strictly as what it is about.

    :param levels: TLP levels of what was withdrawn.
    :raises ConfigError: the hub has no peer of its own.
    """
    own = peer_store.by_handle(tx, HUB_HANDLE)
    if own is None:
        raise ConfigError("the hub has no peer of its own to sign notices; run: cybex init")
    key = key_store.by_kid(tx, hub.signing_key.public.kid)
    tlp = max((level for level in LEVELS if level in levels), key=LEVELS.index)
    note = notice(
        stix_id=f"{NOTE}--{uuid4(hub.token_bytes)}",
        identity=own.identity,
        at=now,
        kind=kind,
        targets=targets,
        act=act,
        reason=reason,
        marking_refs=[IDS[tlp]],
    )
    uuid = uuid4(hub.token_bytes)
    obj = sign_inline(note, hub.signing_key, identity=own.identity, created=note["created"], signature_uuid=uuid)
    body = jcs(obj)
    return NewEntry(
        stix_id=obj["id"],
        type=NOTE,
        version=obj["modified"],
        version_key=version_key(obj["modified"]),
        sha256=hashlib.sha256(body).digest(),
        body=body,
        author_identity=own.identity,
        introduced=False,
        submitter_peer_id=own.id,
        submission_uuid=act,
        audience=audience,
        tlp=tlp,
        rule=RULE,
        reason=REASON,
        key_id=None if key is None else key.id,
        jss_form="hex" if key is not None else None,
        signed_at=instant_us(obj["modified"]),
        carrier="inline",
    )


def accepted(
    group: TrustGroup, collection: Collection, new: NewEntry, names: Mapping[int, str], *, date_added: int
) -> Event:
    """Return what the log says of a notice: the same as of any version, its act standing for a submission.

    :param names: STIX identities by peer id.
    """
    return Event(
        "accepted",
        {
            "at": format_timestamp(date_added),
            "audience": new.audience.kind,
            "collection": collection.uuid,
            "group": group.slug,
            "id": new.stix_id,
            "peers": sorted(names[peer_id] for peer_id in new.audience.peers),
            "sha256": new.sha256.hex(),
            "submission": new.submission_uuid,
            "submitter": new.author_identity,
            "version": new.version,
        },
        new.submitter_peer_id,
    )
