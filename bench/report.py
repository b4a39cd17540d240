"""What a benchmark says: a figure, this machine's limits in this run, their ratios, no verdict."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limit:
    """An anchor: what this machine can do at best, or what another program does on it."""

    name: str
    value: float | None
    """In the figure's unit, measured in this run; None where it could not be."""
    missing: str = ""
    """Why it is None, if it is, and the way out."""


@dataclass(frozen=True)
class Row:
    """One measured thing."""

    name: str
    """The target's number and what was measured: "P1 durable sends"."""
    figure: float | None
    """None where it was not reached; `note` says why."""
    unit: str
    limits: tuple[Limit, ...] = ()
    target: str = ""
    """What is aimed at, in words."""
    note: str = ""

    def ratio(self, limit: Limit) -> float | None:
        """Figure over limit."""
        return self.figure / limit.value if self.figure is not None and limit.value else None


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def shown(value: float | None, unit: str = "") -> str:
    """A figure with as many digits as it deserves."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        digits = f"{value:,.0f}"
    else:
        digits = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{digits} {unit}".rstrip()


def in_order(figures: Mapping[str, float], least: float, form: str) -> str:
    """Names with their figures, the largest first, without the tiny ones."""
    ordered = sorted(figures.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {figure:{form}}" for name, figure in ordered if figure >= least)


def table(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table; a further limit of a row has a line of its own."""
    lines = ["| measured | figure | limit of this machine | ratio | target | note |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        first, *more = row.limits or (None,)
        cells = [row.name, shown(row.figure, row.unit), *_limit_cells(row, first)]
        lines.append(f"| {' | '.join([*cells, row.target, row.note])} |")
        lines += [f"| | | {' | '.join(_limit_cells(row, limit))} | | |" for limit in more]
    return "\n".join(lines)


def _limit_cells(row: Row, limit: Limit | None) -> tuple[str, str]:
    if limit is None:
        return "-", "-"
    if limit.value is None:
        return f"{limit.name}: {limit.missing}", "-"
    return f"{shown(limit.value, row.unit)} ({limit.name})", shown(row.ratio(limit))


def as_json(rows: Sequence[Row], about: str) -> str:
    """The same for programs, with the ratios worked out."""

    def of(row: Row) -> dict[str, Any]:
        limits = [asdict(limit) | {"ratio": row.ratio(limit)} for limit in row.limits]
        return asdict(row) | {"limits": limits}

    return json.dumps({"about": about, "rows": [of(row) for row in rows]}, indent=1) + "\n"


def machine() -> str:
    """What the figures were taken on, in one line."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


class Progress:
    """What is going on, on stderr; the table is all that goes to stdout."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One line, with the seconds since the start."""
        print(f"{time.monotonic() - self._began:6.0f} s  {text}", file=sys.stderr, flush=True)

    def row(self, row: Row) -> None:
        """A figure as soon as it is there."""
        ratios = [
            f"{shown(row.ratio(limit))} x {limit.name}"
            for limit in row.limits
            if row.ratio(limit) is not None
        ]
        self.say(" · ".join([row.name, shown(row.figure, row.unit), *ratios]))
