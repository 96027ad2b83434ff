"""Random lives of a group with withdrawals of every kind: nobody reads what is denied, no holder is missed, no notice
tells of what its reader never had. What is expected comes from a model of its own, which knows nothing of the ledger.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain.retraction import is_retraction, read
from hub.domain.taxii import Query
from hub.errors import Forbidden, NotFound
from hub.services import members, withdraw
from hub.services import read as reading
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store.database import Database
from tests.services.cast import Cast, make_cast, rejoined
from tests.services.desk import EVERY_VERSION, Desk, Stix, later, make_desk, marked
from tests.services.test_retraction import retraction

MEMBERS = ("aa", "bb", "ee")
handles = st.sampled_from(MEMBERS)
markings = st.sampled_from(["none", "none", "to-bb", "not-bb", "to-ee"])
numbers = st.integers(0, 50)
Version = tuple[str, str]


class Group(RuleBasedStateMachine):
    """One collection, its three members, and what each of them was given."""

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
        self.objects: list[tuple[str, Stix]] = []  # (author, newest version) of each object
        self.readers: dict[Version, set[str]] = {}  # of every version that stands
        self.could: dict[str, set[Version]] = {handle: set() for handle in MEMBERS}
        self.served: dict[tuple[str, str, str], int] = {}  # to the last date of the collection at that time
        self.out: set[str] = set()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def _post(self, author: str, obj: Stix, marking: str) -> bool:
        desk = self.desk
        only = {
            "to-bb": {"recipient_refs": [desk.identity["bb"]]},
            "to-ee": {"recipient_refs": [desk.identity["ee"]]},
            "not-bb": {"excluded_refs": [desk.identity["bb"]]},
        }.get(marking)
        objects = [obj]
        if only is not None:
            said = desk.releasability(author, **only)
            objects = [said, marked(obj, said)]
        try:
            status = desk.post(author, *desk.sign(author, *objects))
        except (NotFound, Forbidden):
            return False
        if any(line["id"] == obj["id"] for line in status.failures):
            return False
        meant = {"to-bb": {"bb"}, "to-ee": {"ee"}, "not-bb": {"aa", "ee"}}.get(marking, set(MEMBERS)) | {author}
        stix_id, version = obj["id"], obj["modified"]
        for (other, stamp), audience in list(self.readers.items()):
            if other == stix_id and stamp > version:
                meant &= audience
            elif other == stix_id and stamp < version and obj.get("revoked"):
                del self.readers[other, stamp]
            elif other == stix_id and stamp < version:
                audience &= meant
        self.readers[stix_id, version] = meant
        return True

    def _gone(self, stix_id: str) -> None:
        self.readers = {version: who for version, who in self.readers.items() if version[0] != stix_id}

    @rule(author=handles, marking=markings)
    def share(self, author: str, marking: str) -> None:
        obj = self.desk.incident(author, name=f"incident {len(self.objects)}")
        if self._post(author, obj, marking):
            self.objects.append((author, obj))

    @precondition(lambda self: self.objects)
    @rule(number=numbers, marking=markings, back=st.booleans(), revoked=st.sampled_from([False, False, True]))
    def new_version(self, number: int, marking: str, back: bool, revoked: bool) -> None:
        place = number % len(self.objects)
        author, newest = self.objects[place]
        newer = later(newest, -0.25 if back else 1, **({"revoked": True} if revoked and not back else {}))
        if (newer["id"], newer["modified"]) not in self.readers and self._post(author, newer, marking) and not back:
            self.objects[place] = author, newer

    @precondition(lambda self: self.objects)
    @rule(handle=handles, number=numbers)
    def delete(self, handle: str, number: int) -> None:
        stix_id = self.objects[number % len(self.objects)][1]["id"]
        try:
            self.desk.withdraw(handle, stix_id)
        except (NotFound, Forbidden):
            return
        self._gone(stix_id)

    @precondition(lambda self: self.objects)
    @rule(number=numbers, other=numbers)
    def retract(self, number: int, other: int) -> None:
        author, first = self.objects[number % len(self.objects)]
        _, second = self.objects[other % len(self.objects)]
        targets = [first] if first["id"] == second["id"] else [first, second]
        note = retraction(self.desk, author, *targets)
        try:
            status = self.desk.post(author, *self.desk.sign(author, note))
        except (NotFound, Forbidden):
            return
        if not status.failures:
            for target in targets:
                self._gone(target["id"])

    @precondition(lambda self: self.objects)
    @rule(number=numbers, lift=st.booleans())
    def moderate(self, number: int, lift: bool) -> None:
        stix_id = self.objects[number % len(self.objects)][1]["id"]
        try:
            if lift:
                withdraw.lift(self.desk.hub, OPERATOR, "alpha", "incidents", stix_id)
                return
            withdraw.withdraw(self.desk.hub, OPERATOR, "alpha", "incidents", stix_id, reason="emergency")
        except NotFound:
            return
        self._gone(stix_id)

    @rule(handle=st.sampled_from(["bb", "ee"]), back=st.booleans())
    def leave_or_return(self, handle: str, back: bool) -> None:
        (members.restore if back else members.suspend)(self.desk.hub, OPERATOR, "alpha", handle)
        (self.out.discard if back else self.out.add)(handle)

    @precondition(lambda self: self.objects)
    @rule(handle=st.sampled_from(["bb", "ee"]), number=numbers, how=st.sampled_from(["delete", "retract", "narrow"]))
    def withdraw_while_somebody_is_away(self, handle: str, number: int, how: str) -> None:
        author = self.objects[number % len(self.objects)][0]
        if handle == author:
            return
        self.leave_or_return(handle, back=False)
        if how == "delete":
            self.delete(author, number)
        elif how == "retract":
            self.retract(number, number)
        else:
            self.new_version(number, "to-ee" if handle == "bb" else "to-bb", back=False, revoked=False)
        self.leave_or_return(handle, back=True)

    @rule(seconds=st.sampled_from([1, 20]))
    def wait(self, seconds: int) -> None:
        self.desk.wait(seconds)

    def _records(self, handle: str) -> list[tuple[str, str, int]]:
        if handle in self.out:
            return []
        query = Query(versions=EVERY_VERSION)
        page = reading.manifest(self.desk.hub, self.desk.callers[handle], self.desk.opened(handle), query)
        last = page.last or 0
        return [(stix_id, version, last) for stix_id, _, version in page.records if stix_id.startswith("incident")]

    def _notices(self, handle: str) -> list[tuple[int, Any]]:
        query = Query(versions=EVERY_VERSION)
        page = reading.manifest(self.desk.hub, self.desk.callers[handle], self.desk.opened(handle), query)
        dates = {stix_id: date for stix_id, date, _ in page.records}
        seen = self.desk.seen(handle, versions=EVERY_VERSION)
        return [(dates[one["id"]], read(one)) for one in seen if is_retraction(one)]

    @invariant()
    def each_reads_exactly_what_stands_and_is_meant_for_him(self) -> None:
        for handle in MEMBERS:
            found = {(stix_id, version) for stix_id, version, _ in self._records(handle)}
            allowed = {version for version, who in self.readers.items() if handle in who and handle not in self.out}
            assert found == allowed, handle
            self.could[handle] |= allowed

    @invariant()
    def whoever_had_what_is_gone_is_told_and_nobody_else(self) -> None:
        for handle in MEMBERS:
            if handle in self.out:
                continue
            standing = {(stix_id, version) for stix_id, version, _ in self._records(handle)}
            notices = self._notices(handle)
            revoked = {one["id"] for one in self.desk.seen(handle) if one.get("revoked")}
            for (reader, stix_id, version), last in self.served.items():
                if reader != handle or (stix_id, version) in standing or stix_id in revoked:
                    continue
                assert any(
                    date > last
                    and target.stix_id == stix_id
                    and (target.versions is None or version in target.versions)
                    for date, said in notices
                    for target in said.targets
                ), (handle, stix_id, version)
            ids = {stix_id for stix_id, _ in self.could[handle]}
            for _, said in notices:
                for target in said.targets:
                    assert target.stix_id in ids, handle
                    assert all((target.stix_id, one) in self.could[handle] for one in target.versions or ()), handle
            for stix_id, version, last in self._records(handle):  # he polls after every step
                self.served[handle, stix_id, version] = last


Group.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestGroup = Group.TestCase
