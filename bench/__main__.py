"""`./dev bench`: starts Inbox, measures part by part, prints one table."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import uvloop

from bench.parts import fan_out, groups, history, sends, teams
from bench.plan import LONGEST, QUICK_LONGEST, Plan
from bench.report import Progress, Row, as_json, machine, table
from bench.subject import LIFTED, Subject, raise_file_limit, running_subject
from suite import commandline
from suite.infra.program import SuiteError

PartT = TypeVar("PartT")
ALONE: dict[str, Callable[[Plan], AsyncIterator[Row]]] = {
    "fan-out": fan_out.rows,
    "groups": groups.rows,
}
"""Parts that need a gateway only; they come first, while nothing else runs."""
WHOLE: dict[str, Callable[[Subject, Plan], AsyncIterator[Row]]] = {
    "sends": sends.rows,
    "teams": teams.rows,
    "history": history.rows,
}
"""Parts that need all of Inbox."""


@dataclass(frozen=True)
class Bench:
    """What is wanted, and what is known so far."""

    options: argparse.Namespace
    plan: Plan
    progress: Progress
    rows: list[Row] = field(default_factory=list)

    def wanted(self, parts: Mapping[str, PartT]) -> dict[str, PartT]:
        """Those of the parts that were asked for."""
        names = self.options.parts or parts
        return {name: part for name, part in parts.items() if name in names}

    async def measure_alone(self) -> None:
        """Parts without Inbox."""
        for name, part in self.wanted(ALONE).items():
            await self._keep(name, part(self.plan))

    async def measure_whole(self, subject: Subject) -> None:
        """Parts with Inbox."""
        for name, part in self.wanted(WHOLE).items():
            await self._keep(name, part(subject, self.plan))

    async def _keep(self, name: str, measured: AsyncIterator[Row]) -> None:
        """A part's rows as they come; it ends in time."""
        self.progress.say(f"{name} …")
        within = self.plan.within(name)
        try:
            async with asyncio.timeout(within.total_seconds()):
                async for row in measured:
                    self._add(row)
        except (TimeoutError, SuiteError) as error:
            why = str(error) or f"not done after {within}"
            self.progress.say(why)
            self._add(Row(f"{name}: the rest", None, "", note=why.partition("\n")[0]))

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self.progress.row(row)

    def tell(self) -> None:
        """The table, and the same as JSON where it is wanted."""
        about = f"{machine()}; servers and load client on this machine; --set {LIFTED}"
        print(f"\n{about}\n\n{table(self.rows)}")
        if self.options.json:
            self.options.json.write_text(as_json(self.rows, about))


def main() -> int:
    """Parse, measure, print; the exit code."""
    options = commandline.parse(["bench", *sys.argv[1:]])
    progress = Progress()
    plan = Plan(
        is_quick=options.quick,
        workspaces=options.workspaces,
        longest_history=options.messages or (QUICK_LONGEST if options.quick else LONGEST),
        max_files=raise_file_limit(),
        say=progress.say,
    )
    bench = Bench(options, plan, progress)
    try:
        uvloop.run(bench.measure_alone())
        if bench.wanted(WHOLE):
            progress.say("starting Inbox")
            with tempfile.TemporaryDirectory(prefix="inbox-bench-") as folder:
                Path(folder).chmod(0o755)  # PostgreSQL's user has to enter it
                with running_subject(Path(folder) / "data") as subject:
                    uvloop.run(bench.measure_whole(subject))
    finally:
        # Also what was measured before something failed.
        bench.tell()
    return 0


if __name__ == "__main__":
    sys.exit(main())
