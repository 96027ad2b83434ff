"""``/healthz``: the process lives. ``/readyz``: it can serve. ``/metrics``: how busy it is, for those who may know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, request

from hub.domain.taxii_resources import to_bytes
from hub.errors import CybexError, NotFound
from hub.services import links, measures
from hub.services.context import Hub
from hub.store import checkpoints, connectors, statistics
from hub.store.checkpoints import Standing
from hub.store.statistics import Statistics
from hub.web import request_log
from hub.web.connector_gauges import ConnectorGauges
from hub.web.link_gauges import LinkGauges
from hub.web.origin import TrustedProxies
from hub.web.waiting import waits

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

JSON: Final = "application/json"
FORWARDED: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA")
"""A request with one of these has come through a proxy, whose own address says nothing about who asks."""

_SECOND: Final = 1_000_000
_CLASSES: Final = ("versions", "objects", "manifest", "collections", "status")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask, hub: Hub) -> None:
    """Give the app its three addresses for machines, and count every answer."""
    allowed = TrustedProxies(hub.metrics_allow)

    def healthz() -> Response:
        return Response(to_bytes({"status": "alive"}), content_type=JSON)

    def readyz() -> Response:
        reason = not_ready(hub)
        if reason is None:
            return Response(to_bytes({"status": "ready"}), content_type=JSON)
        return Response(to_bytes({"status": "not-ready", "reason": reason}), 503, content_type=JSON)

    def metrics() -> Response:
        direct = not any(name in request.environ for name in FORWARDED)
        if not direct or request.environ.get("REMOTE_ADDR") not in allowed:
            raise NotFound
        return Response(exposition(hub), content_type="text/plain; version=0.0.4; charset=utf-8")

    views: tuple[Callable[[], Response], ...] = (healthz, readyz, metrics)
    for view in views:
        app.add_url_rule(f"/{view.__name__}", view.__name__, view, methods=["GET"])
    app.after_request(_count)


def not_ready(hub: Hub) -> str | None:
    """Return why the hub cannot serve, in words that say nothing about where its database is; None when it can."""
    try:
        current = hub.db.revision()
    except CybexError:
        return "the database cannot be reached"
    return None if current == hub.db.head() else "the database is not at this version's schema: run cybex migrate"


def exposition(hub: Hub) -> bytes:
    """Return the counters of all processes and the state of the database, as Prometheus reads them."""
    from prometheus_client import CollectorRegistry, generate_latest

    with hub.db.read() as tx:
        numbers, logged = statistics.collect(tx), checkpoints.standing(tx)
        connected = connectors.listed(tx, None)
        linked = links.all_of(tx, hub)
    state = CollectorRegistry()
    state.register(_State(numbers, logged, hub.clock()))
    state.register(ConnectorGauges(connected, hub.clock()))
    state.register(LinkGauges(linked))
    return generate_latest(measures.all_processes()) + generate_latest(state)


class _State:
    """The numbers of the database as gauges; collections by their ids, which say nothing to who is not a member."""

    def __init__(self, numbers: Statistics, logged: Standing, now: int) -> None:
        self._numbers = numbers
        self._logged = logged
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge."""
        from prometheus_client.core import GaugeMetricFamily

        numbers, oldest = self._numbers, self._numbers.oldest_pending_at
        waiting = 0.0 if oldest is None else max(0, self._now - oldest) / _SECOND
        logged = self._logged
        unsigned = 0.0 if logged.waiting_since is None else max(0, self._now - logged.waiting_since) / _SECOND
        signed = max(0, self._now - (logged.checkpoint_at or self._now)) / _SECOND
        gauges: tuple[tuple[str, str, float], ...] = (
            ("cybex_peers", "Peers known to the hub.", numbers.peers),
            ("cybex_groups", "Trust groups.", numbers.groups),
            ("cybex_pending_submissions", "Envelopes that wait for the worker.", numbers.pending),
            ("cybex_oldest_pending_seconds", "How long the oldest of them has waited.", waiting),
            ("cybex_held_objects", "Objects under embargo.", numbers.held),
            ("cybex_refusals", "Refused objects on record.", numbers.refusals),
            ("cybex_database_bytes", "Size of the database.", numbers.database_size),
            ("cybex_log_leaves", "Leaves of the transparency log.", logged.size),
            ("cybex_log_checkpoint_leaves", "Leaves under the latest signed checkpoint.", logged.checkpointed),
            ("cybex_log_checkpoint_age_seconds", "How long ago that checkpoint was signed.", signed),
            ("cybex_log_unsigned_seconds", "How long the oldest leaf without a checkpoint has waited.", unsigned),
        )
        for name, text, value in gauges:
            yield GaugeMetricFamily(name, text, value=value)
        entries = GaugeMetricFamily("cybex_entries", "Versions stored.", labels=["collection"])
        for count in numbers.collections:
            entries.add_metric([count.uuid], count.entries)
        yield entries


def _count(response: Response) -> Response:
    if waits(request.environ):
        return response
    seconds = request_log.elapsed_seconds()
    method = request.method if request.method in _METHODS else "other"
    measures.request(_endpoint_class(request_log.route()), method, response.status_code, seconds or 0.0)
    return response


def _endpoint_class(rule: str) -> str:
    """Return the class of a route: the part that tells what is done, without whose group or object it is."""
    parts: list[Any] = [part for part in rule.split("/") if part and not part.startswith("<")]
    if not parts:
        return "api-root" if "<" in rule else "none"
    if parts[0] in ("api", "taxii2", "healthz", "readyz", "metrics", "schemas", "tlog"):
        return str(parts[0])
    return next((name for name in _CLASSES if name in parts), "none")
