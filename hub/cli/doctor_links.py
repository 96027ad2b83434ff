"""What `cybex doctor` finds of other hubs: agreements that end, links that fail, dead letters, tokens."""

from __future__ import annotations

from collections.abc import Iterator

from hub.bootstrap import open_hub
from hub.cli.finding import EXPIRY_DAYS, Finding, days_left, expiry
from hub.config import Settings
from hub.errors import CybexError
from hub.services import agreements, link_tokens, links
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.services.links import Shown

SECOND = 1_000_000
FAILURES = 3
"""Failures in a row that are more than a reboot at the other end."""


def partners(settings: Settings, now: int) -> Iterator[Finding]:
    """Yield what concerns other hubs; nothing where there are none, or the database has been told of already.

    :param now: seconds since the epoch.
    """
    try:
        hub = open_hub(settings)
    except CybexError:
        return
    try:
        found = [*_agreements(hub, now)]
        for link in links.listed(hub, LOCAL_OPERATOR):
            found += _link(settings, link)
    finally:
        hub.db.close()
    yield from found


def _agreements(hub: Hub, now: int) -> Iterator[Finding]:
    for one in agreements.listed(hub, LOCAL_OPERATOR):
        if one.stored.state != "agreed":
            continue
        days, handle = days_left(one.agreement.expires / SECOND, now), one.peer.handle
        if one.in_force and days > EXPIRY_DAYS:
            yield Finding("agreement", "ok", f"with {handle}, for {days} days")
        elif one.in_force:
            yield Finding("agreement", expiry(days), f"that with {handle} ends in {days} days", "cybex agreement offer")
        elif days < 0:
            yield Finding("agreement", "warn", f"with {handle} it has ended: nothing crosses", "cybex agreement offer")
        else:
            text = f"that with {handle} is not in force: its time has not come, or a key that signed it was compromised"
            yield Finding("agreement", "warn", text, "cybex agreement list; offer a new one")


def _link(settings: Settings, shown: Shown) -> Iterator[Finding]:
    handle = shown.peer.handle
    failing = shown.link.failures >= FAILURES
    remedy = f"cybex link show {handle}" if failing else ""
    yield Finding("link", "warn" if failing else "ok", f"{handle}: {shown.said}", remedy)
    if shown.letters:
        text = f"{handle}: {shown.letters} dead letters wait"
        yield Finding("link", "warn", text, f"cybex link dead-letters {handle}, then replay or drop them")
    if shown.link.push or shown.link.pull:
        try:
            link_tokens.read(settings.secrets, handle)
        except CybexError as error:
            yield Finding("link", "fail", error.detail, f"cybex link set {handle} --token-file FILE")
