"""Links to other hubs as Prometheus gauges, by the handle of the other hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hub.services.links import Shown

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

_SECOND = 1_000_000


class LinkGauges:
    """How every link is doing."""

    def __init__(self, rows: Sequence[Shown]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge."""
        from prometheus_client.core import GaugeMetricFamily

        for name, text in (
            ("lag_seconds", "How long the oldest entry that has not been looked at for the link has waited."),
            ("waiting_entries", "Entries behind the position of the link, of which not all need cross."),
            ("objects_sent", "Objects that the other hub has confirmed."),
            ("objects_received", "Objects that have come from it."),
            ("octets_sent", "Octets of bodies sent, as they went over the wire."),
            ("octets_received", "Octets of bodies received, as they came over the wire."),
            ("failures", "Failures in a row."),
            ("dead_letters", "Dead letters that wait for an operator."),
            ("paused", "1 when it is paused."),
            ("agreement", "1 when an agreement is in force."),
        ):
            gauge = GaugeMetricFamily(f"cybex_link_{name}", text, labels=["hub"])
            for row in self._rows:
                gauge.add_metric([row.peer.handle], _value(name, row))
            yield gauge


def _value(name: str, row: Shown) -> float:
    directions = {"objects_sent": "out", "objects_received": "in"}
    if name in directions:
        return float(sum(one.objects for one in row.progress if one.direction == directions[name]))
    values: dict[str, float] = {
        "lag_seconds": row.behind_us / _SECOND,
        "waiting_entries": sum(one.waiting or 0 for one in row.progress),
        "octets_sent": row.link.sent_octets,
        "octets_received": row.link.received_octets,
        "failures": row.link.failures,
        "dead_letters": row.letters,
        "paused": row.link.paused_at is not None,
        "agreement": row.agreement is not None,
    }
    return float(values[name])
