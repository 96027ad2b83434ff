"""What a run found: figures as median (least, greatest), ratios against the targets, as a table, as JSON, as a file."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one server: the samples of all repeats in one unit."""

    scenario: str
    server: str
    unit: str
    samples: tuple[float, ...]
    note: str = ""

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One comparison the project has set itself a target for; ``met`` None where there is no target."""

    what: str
    value: float
    target: float | None = None
    at_most: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target was reached."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


@dataclass(slots=True)
class Results:
    """Everything one run found."""

    machine: dict[str, str]
    servers: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, scenario: str, server: str, unit: str, samples: Sequence[float], note: str = "") -> None:
        """Keep one figure."""
        self.figures.append(Figure(scenario, server, unit, tuple(samples), note))

    def median(self, scenario: str, server: str) -> float | None:
        """Return the median of a figure, None when it was not measured."""
        for figure in self.figures:
            if figure.scenario == scenario and figure.server == server:
                return figure.median
        return None

    def compare(self, what: str, scenario: str, ours: str, theirs: str, target: float | None = None) -> None:
        """Keep how many times faster ``ours`` is than ``theirs``; nothing when either was not measured."""
        own, other = self.median(scenario, ours), self.median(scenario, theirs)
        if own is not None and other:
            self.ratios.append(Ratio(what, own / other, target))

    def compare_cost(self, what: str, scenario: str, ours: str, theirs: str) -> None:
        """Keep how many times more ``theirs`` spends than ``ours``."""
        own, other = self.median(scenario, ours), self.median(scenario, theirs)
        if own and other:
            self.ratios.append(Ratio(what, other / own))

    def as_json(self) -> dict[str, Any]:
        """Return the run as JSON values."""
        return {
            "machine": self.machine,
            "servers": self.servers,
            "figures": [{**asdict(figure), "median": figure.median} for figure in self.figures],
            "ratios": [{**asdict(ratio), "met": ratio.met} for ratio in self.ratios],
            "missing": self.missing,
        }

    def as_markdown(self) -> str:
        """Return the run as the text of RESULTS.md."""
        lines = ["# Benchmark results", "", "Written by `make bench`. Every figure is the median of its repeats, with"]
        lines += [
            "the least and the greatest. The machine is shared: read the ratios, not the figures.",
            "",
        ]
        lines += [f"- {name}: {value}" for name, value in self.machine.items()]
        lines += ["", "| server | how it runs |", "| --- | --- |"]
        lines += [f"| {name} | {note} |" for name, note in self.servers.items()]
        lines += ["", "## Ratios and targets", "", "| what | value | target | |", "| --- | ---: | ---: | --- |"]
        lines += [_ratio_line(ratio) for ratio in self.ratios]
        lines += ["", "## Figures", "", "| scenario | server | median | least to greatest | unit | |"]
        lines += ["| --- | --- | ---: | ---: | --- | --- |"]
        lines += [_figure_line(figure) for figure in self.figures]
        misses = [f"- Missed: {ratio.what}: {_ratio_text(ratio)}." for ratio in self.ratios if ratio.met is False]
        misses += [f"- Not measured: {what}" for what in self.missing]
        if misses:
            lines += ["", "## Misses", "", *misses]
        return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _ratio_text(ratio: Ratio) -> str:
    if ratio.target is None:
        return f"{_number(ratio.value)} {ratio.unit}"
    bound = "at most" if ratio.at_most else "at least"
    return f"{_number(ratio.value)} {ratio.unit}, target {bound} {_number(ratio.target)} {ratio.unit}"


def _ratio_line(ratio: Ratio) -> str:
    verdict = {None: "", True: "met", False: "**missed**"}[ratio.met]
    target = "" if ratio.target is None else f"{'≤' if ratio.at_most else '≥'} {_number(ratio.target)} {ratio.unit}"
    return f"| {ratio.what} | {_number(ratio.value)} {ratio.unit} | {target} | {verdict} |"


def _figure_line(figure: Figure) -> str:
    spread = f"{_number(min(figure.samples))} to {_number(max(figure.samples))}"
    return (
        f"| {figure.scenario} | {figure.server} | {_number(figure.median)} | {spread} | {figure.unit} | {figure.note} |"
    )
