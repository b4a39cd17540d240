"""CPU, context switches and memory of processes, read from /proc.

CPU per operation is the figure that neighbours on the machine disturb least, so it stands beside
every time that was measured.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
CPU_CLOCK = 2
"""What Linux's clock_getcpuclockid puts into the lowest bits beside a process id."""
SWITCHES = ("voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:")


@dataclass(frozen=True)
class Usage:
    """What some processes have used."""

    cpu_seconds: float = 0.0
    switches: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_seconds + other.cpu_seconds, self.switches + other.switches)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.cpu_seconds - other.cpu_seconds, self.switches - other.switches)


class Meter:
    """Reads what groups of processes have used so far: each process with all its descendants."""

    def __init__(self, roots: Mapping[str, Iterable[int]]) -> None:
        """`roots`: process ids by the name they are shown under."""
        self._roots = {name: tuple(pids) for name, pids in roots.items()}

    def read(self) -> dict[str, Usage]:
        """Now."""
        children = _children()
        return {
            name: sum((_of_tree(pid, children) for pid in pids), Usage())
            for name, pids in self._roots.items()
        }

    def since(self, before: Mapping[str, Usage]) -> dict[str, Usage]:
        """What was used since an earlier reading."""
        return {name: now - before[name] for name, now in self.read().items()}


def cpu_seconds(pid: int) -> float:
    """User and system time of one process and its descendants so far."""
    return _of_tree(pid, _children()).cpu_seconds


def resident_bytes(pid: int) -> int:
    """Physical memory a process holds."""
    return _fields_of(Path(f"/proc/{pid}/status"), ("VmRSS:",)) * 1024


def peak_bytes(pid: int) -> int:
    """The most physical memory a process ever held."""
    return _fields_of(Path(f"/proc/{pid}/status"), ("VmHWM:",)) * 1024


def machine_cpu_seconds() -> tuple[float, float]:
    """Seconds all cores together were busy, and all their seconds, since the machine started."""
    fields = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / TICKS_PER_SECOND, sum(fields) / TICKS_PER_SECOND


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (stat := _stat(int(folder.name))):
            found.setdefault(int(stat[1]), []).append(int(folder.name))
    return found


def _of_tree(root: int, children: Mapping[int, list[int]]) -> Usage:
    # A PostgreSQL session that has ended left its time with its parent.
    seconds = sum(map(int, _stat(root)[13:15])) / TICKS_PER_SECOND
    switches, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        seconds += _clock(pid)
        for task in _tasks(pid):
            switches += _fields_of(task / "status", SWITCHES)
    return Usage(seconds, switches)


def _clock(pid: int) -> float:
    """A process's CPU clock: all its threads, also those that have ended, to the nanosecond."""
    with suppress(OSError):  # it is gone
        return time.clock_gettime(~pid << 3 | CPU_CLOCK)
    return 0.0


def _stat(pid: int) -> list[str]:
    """The fields from the state on; none for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def _fields_of(status: Path, names: Iterable[str]) -> int:
    """The sum of some numbers of a /proc status file; 0 for what is gone."""
    try:
        lines = status.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    wanted = tuple(names)
    return sum(int(line.split()[1]) for line in lines if line.startswith(wanted))
