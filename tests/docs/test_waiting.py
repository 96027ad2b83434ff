"""docs/waiting.md names bounds; they are those of the hub."""

from __future__ import annotations

from pathlib import Path

from hub.client import feed, pull
from hub.domain import limits

PAGE = " ".join((Path(__file__).parents[2] / "docs/waiting.md").read_text(encoding="utf-8").split())


def test_the_page_says_how_long_and_how_many_may_wait() -> None:
    assert f"at most N seconds and at most {limits.WAIT_SECONDS}." in PAGE
    assert f"{limits.WAITS_PER_PEER} readers of a peer may wait at once" in PAGE
    low, high = feed.RETURN_SECONDS
    assert f"between {low:.0f} and {high:.0f} seconds" in PAGE


def test_the_page_says_what_a_peer_may_hand_in() -> None:
    assert f"{limits.QUOTA_OBJECTS:,} objects and {limits.QUOTA_OCTETS // 2**30} GiB" in PAGE
    assert limits.SPARE_THREADS == 4
    assert "and four more" in PAGE


def test_the_page_says_how_large_a_page_is_while_octets_are_counted() -> None:
    assert f"pages of at most {pull.PAGE_WITHIN_BUDGET} objects" in PAGE
