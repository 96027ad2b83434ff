"""Three hubs in a chain, each with a CIRT, on SQLite; and the middle one on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.store.database import Database
from tests.services.relay.world import Site, Ticking, connect, database_at


@pytest.fixture
def clock() -> Ticking:
    """A clock that all hubs of a test share."""
    return Ticking()


@pytest.fixture
def chain(clock: Ticking, tmp_path: Path, database: Database) -> tuple[Site, Site, Site]:
    """hub-one with aa and bb, hub-two with cc (on each database), hub-three with dd; one-two and two-three agree."""
    one = Site.make("one", database_at(tmp_path / "one.db"), clock)
    two = Site.make("two", database, clock, slug="regional")
    three = Site.make("three", database_at(tmp_path / "three.db"), clock)
    one.cirt("aa"), one.cirt("bb"), two.cirt("cc"), three.cirt("dd")
    connect(one, two)
    connect(two, three)
    return one, two, three
