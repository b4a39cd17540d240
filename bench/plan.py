"""How long and how large the runs are: full or quick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

LONGEST = 10_000_000
QUICK_LONGEST = 100_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Decided once, from the command line."""

    is_quick: bool
    workspaces: int
    """That share the sends of P1 and P2."""
    longest_history: int
    """Messages of the longest conversation."""
    max_files: int
    """Open files a process may have here: two for each socket behind Envoy."""

    say: Callable[[str], None]
    """Tell whoever waits what is going on."""

    @property
    def seconds(self) -> float:
        """Of one run."""
        return 3.0 if self.is_quick else 10.0

    @property
    def sockets(self) -> int:
        """Of one workspace with many browsers."""
        return 300 if self.is_quick else 1_000

    @property
    def rounds(self) -> int:
        """Single events to all of them."""
        return 20 if self.is_quick else 60

    def within(self, part: str) -> timedelta:
        """After this long a part is ended; the rows it has yielded are kept."""
        if self.is_quick:
            return timedelta(minutes=5)
        return timedelta(minutes=90 if part == "history" else 20)
