"""What the hub counts while it works: requests, submissions, objects. Numbers only, no names of peers or objects.

Every process of `cybex serve` counts for itself in files of one folder; whoever answers ``/metrics`` adds them up.
prometheus_client decides at its import whether there is such a folder, so it is imported at the first count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True, slots=True)
class Meters:
    """The counters of this process."""

    registry: CollectorRegistry
    requests: Counter
    request_seconds: Histogram
    submissions: Counter
    stored: Counter
    refused: Counter
    waiting: Gauge


@cache
def meters() -> Meters:
    """Return the counters of this process, made at the first call."""
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

    registry = CollectorRegistry()
    return Meters(
        registry=registry,
        requests=Counter(
            "cybex_http_requests", "Requests answered.", ["endpoint", "method", "status"], registry=registry
        ),
        request_seconds=Histogram(
            "cybex_http_request_seconds", "Time to answer.", ["endpoint"], buckets=SECONDS, registry=registry
        ),
        submissions=Counter("cybex_submissions", "Envelopes processed to their end.", registry=registry),
        stored=Counter("cybex_objects_stored", "Objects accepted.", registry=registry),
        refused=Counter("cybex_objects_refused", "Objects refused.", ["rule"], registry=registry),
        waiting=Gauge(
            "cybex_waiting_readers", "Readers that wait for news.", multiprocess_mode="livesum", registry=registry
        ),
    )


def request(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request.

    :param endpoint: one of a few classes such as ``objects``, never a path.
    """
    counted = meters()
    counted.requests.labels(endpoint, method, str(status)).inc()
    counted.request_seconds.labels(endpoint).observe(seconds)


def waiting(readers: int) -> None:
    """Note how many readers wait in this process."""
    meters().waiting.set(readers)


def submission(stored: int, refused: Mapping[str, int]) -> None:
    """Count one envelope that has been processed, and what became of its objects.

    :param refused: how many, by the name of the rule.
    """
    counted = meters()
    counted.submissions.inc()
    counted.stored.inc(stored)
    for rule, count in refused.items():
        counted.refused.labels(rule).inc(count)


def all_processes() -> CollectorRegistry:
    """Return a registry that sums the counters of all processes, or has those of this one when it is alone."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # untyped in its package
    except ValueError:  # no folder is set: one process, as in tests
        return meters().registry
    return registry
