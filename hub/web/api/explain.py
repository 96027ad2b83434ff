"""Why a peer may or may not see an object."""

from __future__ import annotations

from typing import Final

from hub.domain.policy.decision import Decision
from hub.services import explain as service
from hub.services.explain import Explanation
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import Resource, instant


def get(call: Call) -> Answer:
    """Return the rules of reading for each version of an object, for one peer (by default the caller's own)."""
    handle = call.text("peer") or call.caller.peer.handle
    found = service.explain(call.hub, call.caller, call.text("object") or "", handle)
    return Answer({"object": call.text("object"), "peer": handle, "explanations": [explanation(one) for one in found]})


def explanation(row: Explanation) -> Resource:
    """Return what holds for one version; ``admitted`` and ``signature`` are null while it is held back."""
    stored = row.stored
    return {
        "group": row.group.slug,
        "collection": row.collection.uuid,
        "alias": row.collection.alias,
        "version": row.version,
        "visible": row.decision.allowed,
        "rule": row.decision.rule,
        "reason": row.decision.reason,
        "rules": [_rule(one) for one in row.rules],
        "admitted": None
        if stored is None
        else {
            "rule": stored.rule,
            "reason": stored.reason,
            "tlp": stored.tlp,
            "introduced": stored.introduced,
            "onward_relay": stored.onward_relay,
            "date_added": instant(stored.date_added),
            "expires_at": instant(stored.expires_at),
            "superseded": stored.superseded_at is not None,
        },
        "signature": None
        if stored is None or stored.kid is None
        else {
            "kid": stored.kid,
            "carrier": stored.carrier,
            "form": stored.jss_form,
            "signed_at": instant(stored.signed_at),
            "vouched": stored.vouched,
        },
    }


def _rule(decision: Decision) -> Resource:
    return {"rule": decision.rule, "allowed": decision.allowed, "reason": decision.reason}


HANDLERS: Final[dict[str, Handler]] = {"explainObject": get}
