"""The gauges of connectors for Prometheus, by ids that say nothing to who does not know the connector already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from hub.services.connectors import overdue, public_id
from hub.store.connectors import Connector

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

STATES: Final = ("running", "ok", "failing", "paused")
_SECOND: Final = 1_000_000
_UNKNOWN: Final = -1.0


class ConnectorGauges:
    """What connectors last reported of themselves."""

    def __init__(self, rows: Sequence[Connector], now: int) -> None:
        self._rows, self._now = rows, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge; -1 stands for what has never happened."""
        from prometheus_client.core import GaugeMetricFamily

        states = GaugeMetricFamily(
            "cybex_connector_state", "1 for the state the connector is in.", labels=["connector", "state"]
        )
        for row in self._rows:
            for state in STATES:
                states.add_metric([public_id(row), state], float(row.state == state))
        yield states
        for name, text in (
            ("overdue", "1 when it has given no sign for several intervals."),
            ("failures", "Failed runs in a row."),
            ("lag_seconds", "How far behind it was when its last run ended."),
            ("last_success_age_seconds", "How long ago it had nothing left to do."),
            ("objects", "Objects of all runs."),
            ("withdrawn", "Withdrawals of all runs."),
            ("refused", "Refused objects of all runs."),
        ):
            gauge = GaugeMetricFamily(f"cybex_connector_{name}", text, labels=["connector"])
            for row in self._rows:
                gauge.add_metric([public_id(row)], self._value(name, row))
            yield gauge

    def _value(self, name: str, row: Connector) -> float:
        if name == "overdue":
            return float(overdue(row, self._now))
        if name == "last_success_age_seconds":
            success = row.last_success_at
            return _UNKNOWN if success is None else max(0, self._now - success) / _SECOND
        value = getattr(row, name)
        return _UNKNOWN if value is None else float(value)
