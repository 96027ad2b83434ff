"""A hub with something in every table that holds evidence: shared, refused, held, withdrawn, narrowed, logged."""

from __future__ import annotations

from hub.client import keyfile
from hub.domain.key_material import PublicKey
from hub.domain.membership import QuantumSafe, Retention
from hub.services import checkpoints, collections, groups, holds, keys, members, peers, relay_rights, work
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.auditing.finding import Finding
from hub.services.auditing.run import Audit
from hub.services.context import Hub
from tests.services.cast import DAY, HUB_KEY, LOG_KEY, VENDOR
from tests.services.desk import Desk, domain, later, marked


def live(desk: Desk) -> None:
    """Let the peers do everything that leaves evidence behind."""
    hub = desk.hub
    incident = desk.incident("aa")
    desk.share("aa", incident, desk.incident("aa", name="second"))
    desk.wait(1)
    desk.share("aa", later(incident, 1, name="more is known"))
    to_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]], permission_expires=desk.stamp(9_000))
    desk.share("aa", to_bb, marked(desk.incident("aa", name="for bb"), to_bb))
    not_ee = desk.releasability("bb", excluded_refs=[desk.identity["ee"]])
    desk.share("bb", not_ee, marked(desk.incident("bb", name="not for ee"), not_ee))
    soon = desk.releasability("aa", embargo_until=desk.stamp(50))
    desk.share("aa", soon, marked(desk.incident("aa", name="soon"), soon))
    checkpoint(hub)
    desk.share("bb", desk.incident(VENDOR), desk.incident(None), domain())
    desk.share("bb", *(domain(f"host-{number}.example.com") for number in range(6)), alias="indicators")
    desk.post("bb", desk.incident("aa"))
    grown = desk.incident("aa", name="it grows")
    desk.share("aa", grown)
    desk.wait(1)
    desk.share("aa", later(grown, 1))
    second = later(incident, 0, name="another content")
    desk.post("aa", *desk.sign("aa", second))
    gone = desk.incident("bb", name="to be withdrawn")
    desk.share("bb", gone)
    desk.withdraw("bb", gone["id"])
    groups.update(hub, OPERATOR, "alpha", default_tlp="green")
    desk.wait(60)
    while work.run_once(hub):
        pass
    later_on = desk.releasability("aa", embargo_until=desk.stamp(5_000))
    desk.share("aa", later_on, marked(desk.incident("aa", name="much later"), later_on))
    desk.post("cc", desk.incident("cc"), slug="bravo")
    members.suspend(hub, OPERATOR, "alpha", "ee")
    uuid = collections.shown(hub, OPERATOR, "alpha", "indicators")[0].uuid
    collections.set_rights(hub, OPERATOR, "alpha", uuid, "bb", (True, True))
    relay_rights.grant(hub, OPERATOR, "alpha", "bb", desk.identity["aa"])
    collections.update(hub, OPERATOR, "alpha", "indicators", retention=Retention(added=400 * DAY, expired=DAY))
    peers.update(hub, OPERATOR, "cc", itu_region="africa", country="KE", quantum_safe=QuantumSafe.OFF)
    groups.update(hub, OPERATOR, "bravo", quantum_safe="off", description="A group", member_visibility="hidden")
    holds.place(hub, OPERATOR, "alpha", reason="an investigation", stix_id=incident["id"])
    desk.share("aa", later(incident, 2, name="known to be wrong", revoked=True))
    keys.rotate(hub, OPERATOR, "cc", desk.keys["cc"].public.kid, public_key=keyfile.generate().public.text)
    kid = desk.keys["ee"].public.kid
    keys.revoke(hub, OPERATOR, "ee", kid, reason="compromised")
    desk.wait(1)
    checkpoint(hub)


def checkpoint(hub: Hub) -> None:
    """Sign the log as it is."""
    assert checkpoints.make(hub) is not None


def audited(hub: Hub, *, signing_key: PublicKey = HUB_KEY.public) -> list[Finding]:
    """Return everything that is wrong with a hub of the cast."""
    return list(Audit(hub.db, signing_key, LOG_KEY.public).findings())
