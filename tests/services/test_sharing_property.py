"""Random lives of a group: whoever shares, changes, narrows, deletes, leaves or waits, each peer reads what he may.

After every step TAXII reading is compared with `policy.reading.may_read` asked about each stored version.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain.policy.reading import ReadFacts, may_read
from hub.domain.taxii import Query
from hub.errors import Forbidden, NotFound
from hub.services import members, read, work
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import collections as collection_store
from hub.store import decisions, entries
from hub.store import members as member_store
from hub.store.database import Database
from tests.services.cast import VENDOR, Cast, make_cast, rejoined
from tests.services.desk import EVERY_VERSION, Desk, later, make_desk, marked

MEMBERS = ("aa", "bb", "ee")
handles = st.sampled_from(MEMBERS)
markings = st.sampled_from(["none", "none", "to-bb", "not-bb", "expires", "embargo"])


class Group(RuleBasedStateMachine):
    """One collection and its three members."""

    home: ClassVar = tempfile.TemporaryDirectory()
    made: ClassVar[tuple[Path, Cast] | None] = None

    def __init__(self) -> None:
        super().__init__()
        if Group.made is None:
            path = Path(Group.home.name) / "cast.db"
            database = Database.open(f"sqlite:///{path}")
            database.migrate()
            Group.made = path, make_cast(database)
            database.close()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "hub.db"
        shutil.copy(Group.made[0], path)
        self.database = Database.open(f"sqlite:///{path}")
        self.desk: Desk = make_desk(rejoined(Group.made[1], self.database))
        self.latest: list[tuple[str, dict[str, Any]]] = []  # (publisher, newest version) of each object
        self.stored: dict[tuple[str, str], bytes] = {}  # every version that was accepted and not deleted
        self.polled: dict[str, int] = dict.fromkeys(MEMBERS, 0)
        self.got: dict[str, set[bytes]] = {handle: set() for handle in MEMBERS}

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def _post(self, handle: str, obj: dict[str, Any], marking: str) -> bool:
        """Sign and post with a marking; say whether it was accepted."""
        desk = self.desk
        known: dict[str, dict[str, Any]] = {
            "to-bb": {"recipient_refs": [desk.identity["bb"]]},
            "not-bb": {"excluded_refs": [desk.identity["bb"]]},
            "expires": {"permission_expires": desk.stamp(50)},
            "embargo": {"embargo_until": desk.stamp(50)},
        }
        terms = known.get(marking)
        plain = {name: value for name, value in obj.items() if name != "object_marking_refs"}
        objects = [plain]
        if terms is not None:
            said = desk.releasability(handle, **terms)
            objects = [said, marked(plain, said)]
        try:
            status = desk.post(handle, *desk.sign(handle, *objects))
        except NotFound:  # suspended
            return False
        return all(line["id"] != obj["id"] for line in status.failures)

    @rule(handle=handles, author=st.sampled_from(["own", "own", "vendor", "nobody"]), marking=markings)
    def share(self, handle: str, author: str, marking: str) -> None:
        named = {"own": handle, "vendor": VENDOR, "nobody": None}[author]
        obj = self.desk.incident(named, name=f"incident {len(self.latest)}")
        if self._post(handle, obj, marking):
            self.latest.append((handle, obj))

    @precondition(lambda self: self.latest)
    @rule(handle=handles, number=st.integers(0, 50), marking=markings, back=st.booleans())
    def new_version(self, handle: str, number: int, marking: str, back: bool) -> None:
        place = number % len(self.latest)
        newer = later(self.latest[place][1], -0.25 if back else 1)
        if self._post(handle, newer, marking) and not back:
            self.latest[place] = self.latest[place][0], newer

    @precondition(lambda self: self.latest)
    @rule(handle=handles, number=st.integers(0, 50))
    def delete(self, handle: str, number: int) -> None:
        stix_id = self.latest[number % len(self.latest)][1]["id"]
        try:
            self.desk.withdraw(handle, stix_id)
        except (NotFound, Forbidden):
            return
        here = set(self._stored())
        self.stored = {key: body for key, body in self.stored.items() if key[0] != stix_id or key in here}

    @rule(handle=st.sampled_from(["bb", "ee"]), back=st.booleans())
    def leave_or_return(self, handle: str, back: bool) -> None:
        (members.restore if back else members.suspend)(self.desk.hub, OPERATOR, "alpha", handle)

    @rule(seconds=st.sampled_from([1, 20, 60]))
    def wait(self, seconds: int) -> None:
        self.desk.wait(seconds)

    @rule()
    def work(self) -> None:
        while work.run_once(self.desk.hub):
            pass

    def _stored(self) -> dict[tuple[str, str], bytes]:
        """Return every stored incident version with its bytes."""
        with self.database.read() as tx:
            ids = [obj["id"] for _, obj in self.latest]
            found = {}
            for stix_id, rows in entries.bodies_of(tx, 1, ids).items():
                for body, *_ in rows:
                    found[stix_id, json.loads(body)["modified"]] = body
        return found

    @invariant()
    def each_peer_reads_what_the_policy_lets_him_read(self) -> None:
        desk = self.desk
        for handle in MEMBERS:
            allowed = set()
            with self.database.read() as tx:
                for _, obj in self.latest:
                    for one in decisions.of_object(tx, obj["id"]):
                        facts = ReadFacts(
                            peer_id=desk.callers[handle].peer.id,
                            peer_suspended=False,
                            group_id=one.group_id,
                            member=member_store.get(tx, one.group_id, desk.callers[handle].peer.id),
                            override=collection_store.overrides(tx, one.collection_id).get(
                                desk.callers[handle].peer.id
                            ),
                            audience=one.audience,
                            submitter_peer_id=one.submitter_peer_id,
                            expires_at=one.expires_at,
                            now=desk.now(),
                            partner_hub=False,
                        )
                        if may_read(facts):
                            allowed.add((obj["id"], one.version))
            try:
                found = desk.seen(handle, versions=EVERY_VERSION)
            except NotFound:
                found = []
            shown = [(one["id"], one["modified"]) for one in found if one["type"] == "incident"]
            assert sorted(shown) == sorted(allowed), handle

    @invariant()
    def nothing_that_was_stored_is_lost_or_changed(self) -> None:
        here = self._stored()
        for key, body in self.stored.items():
            assert here.get(key) == body
        self.stored = here

    @invariant()
    def whoever_polls_has_had_every_version_he_can_see_now_as_the_latest(self) -> None:
        """By `next` in small pages from the last date; what was restored to him later he fetches from the start."""
        desk = self.desk
        for handle in MEMBERS:
            try:
                opened = desk.opened(handle)
                latest = {json.dumps(one) for one in desk.seen(handle)}
            except NotFound:
                self.polled[handle], self.got[handle] = 0, set()  # he starts anew when he is back
                continue
            position, after = None, self.polled[handle]
            while True:
                query = Query(added_after=after, position=position, limit=2)
                page = read.objects(desk.hub, desk.callers[handle], opened, query)
                self.got[handle] |= {json.dumps(json.loads(body)).encode() for body in page.bodies}
                position = self.polled[handle] = page.last or self.polled[handle]
                if not page.more:
                    break
            missed = latest - {body.decode() for body in self.got[handle]}
            assert not missed, handle


Group.TestCase.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestGroup = Group.TestCase
