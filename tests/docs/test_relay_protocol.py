"""docs/relay.md describes exactly the requests of the relay protocol, with the bounds that the hub has."""

from __future__ import annotations

import re
from pathlib import Path

from hub.domain import backoff, limits
from hub.services.relay import giving, pushing
from hub.web import relay

PAGE = Path(__file__).parents[2] / "docs/relay.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("\n## The protocol\n")[2].partition("\n## ")[0]


def test_it_describes_the_routes_of_the_relay_and_no_others() -> None:
    assert set(re.findall(r"^### `(\w+) (/\S+)`$", SECTION, re.MULTILINE)) == set(relay.ROUTES.values())


def test_its_bounds_are_those_of_the_hub() -> None:
    text = " ".join(SECTION.split())
    for bound in (
        f"decoded at most {limits.RELAY_BODY_BYTES // 2**20} MiB",
        f"up to {limits.RELAY_BATCH_OBJECTS} objects",
        f"at most {limits.RELAY_BATCH_BYTES // 2**20} MiB",
        f"at most {giving.MAX_LANES:,} of them",
        f"up to {giving.MAX_ANSWERS} answers",
        f"After {', '.join(map(str, sorted(pushing.UNDIGESTED)[:-1]))} and {max(pushing.UNDIGESTED)} the giving hub",
    ):
        assert bound in text, bound
    assert (backoff.FIRST_SECONDS, backoff.LONGEST_SECONDS) == (2.0, 60.0)  # "in two seconds", "every minute"
