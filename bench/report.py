"""What a benchmark says: a figure, this machine's limit in this run, their ratio, no verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    """The target's number and what was measured, "P1 durable sends"."""
    figure: float
    unit: str
    limit: float | None = None
    """The anchor, in the same unit, measured in this run; None where there is none."""
    limit_name: str = ""
    target: str = ""
    """What docs/performance.md aims at, in words."""
    note: str = ""

    @property
    def ratio(self) -> str:
        """Figure over limit."""
        return f"{self.figure / self.limit:.2f}" if self.limit else "-"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def shown(value: float) -> str:
    """A figure with as many digits as it deserves."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table."""
    lines = [
        "| measured | figure | limit of this machine | ratio | target | note |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        limit = f"{shown(row.limit)} {row.unit} ({row.limit_name})" if row.limit else "-"
        lines.append(
            f"| {row.name} | {shown(row.figure)} {row.unit} | {limit} | {row.ratio} "
            f"| {row.target} | {row.note} |"
        )
    return "\n".join(lines)
