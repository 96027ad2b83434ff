"""When what failed is tried again: later each time, within bounds, and at once after a success."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk import limits
from connectors.sdk.breaker import SECOND, Breaker, State, stagger
from tests.connectors.conftest import START


def after(failures: int, jitter: float = 1.0, wait: float | None = None) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        breaker = breaker.failed(START, jitter=jitter, wait=wait)
    return breaker


def test_each_failure_doubles_the_wait_up_to_the_bound() -> None:
    waits = [((after(count).retry_at or 0) - START) // SECOND for count in range(1, 12)]
    assert waits[:4] == [30, 60, 120, 240]
    assert waits[-1] == limits.BACKOFF_SECONDS_MAX
    assert waits == sorted(waits)


def test_a_success_closes_the_circuit() -> None:
    assert after(9).succeeded() == Breaker()
    assert Breaker().closed(START)


def test_the_name_of_the_state_follows_from_the_failures() -> None:
    states = [after(count).state for count in (0, 1, limits.PAUSED_AFTER - 1, limits.PAUSED_AFTER)]
    assert states == [State.OK, State.FAILING, State.FAILING, State.PAUSED]


def test_what_the_other_side_asks_for_is_believed_as_far_as_the_bound() -> None:
    assert after(1, wait=300.0).retry_at == START + 300 * SECOND
    assert after(1, wait=1e9).retry_at == START + limits.BACKOFF_SECONDS_MAX * SECOND


@given(st.integers(1, 10_000), st.floats(allow_nan=False))
def test_the_wait_is_never_outside_its_bounds(failures: int, jitter: float) -> None:
    breaker = Breaker(failures - 1).failed(START, jitter=jitter)
    assert breaker.retry_at is not None
    wait = breaker.retry_at - START
    assert limits.BACKOFF_SECONDS * SECOND // 2 <= wait <= limits.BACKOFF_SECONDS_MAX * SECOND
    assert breaker.closed(breaker.retry_at)
    assert not breaker.closed(breaker.retry_at - 1)


@given(st.text(min_size=1), st.integers(SECOND, 10**13))
def test_the_first_wait_is_the_same_each_time_and_within_a_minute_and_the_interval(name: str, every: int) -> None:
    assert 0 <= stagger(name, every) < min(every, 60 * SECOND)
    assert stagger(name, every) == stagger(name, every)


def test_connectors_of_one_interval_do_not_start_together() -> None:
    assert len({stagger(f"feed-{number}", 900 * SECOND) // SECOND for number in range(20)}) > 10
