"""`./dev status`, `./dev logs` and `./dev reset`: a look at the data folder from outside."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

from suite.datafolder import DataFolder
from suite.health import grpc_is_serving, http_is_ready
from suite.infra.ports import LOOPBACK
from suite.infra.program import SuiteError
from suite.processes import SERVICES
from suite.screen import Screen

if TYPE_CHECKING:
    import argparse
    from io import BufferedReader
    from pathlib import Path

FOLLOW_SECONDS = 0.2
NOT_WELL = 1
TAIL_BYTES = 256 * 1024


def run(options: argparse.Namespace) -> int:
    """Run one of the three; the exit code."""
    folder = DataFolder(options.data)
    folder.require()
    if options.command == "status":
        return show_status(folder)
    if options.command == "logs":
        return show_logs(folder, options.service, lines=options.lines, follow=options.follow)
    return reset(folder, sure=options.yes)


def show_status(folder: DataFolder) -> int:
    """What runs, asked right now; 1 when anything is not well."""
    screen = Screen()
    run = folder.read_run()
    if not folder.is_running or run is None:
        screen.say(f"Nothing runs on {folder.path}. Start it with `./dev up`.")
        return NOT_WELL
    screen.say(f"{run['url']}  since {run['started']}, process {run['pid']}, data {folder.path}")
    states = asyncio.run(_ask_all(run["processes"]))
    for name, process in run["processes"].items():
        state = states[name]
        paint = screen.green if state == "well" else screen.red
        port = process.get("port") or ""
        restarts = process.get("restarts")
        note = f"restarted {restarts} times" if restarts else ""
        screen.say(f"  {name:<16} {paint(f'{state:<12}')} {port!s:<6} {note}".rstrip())
    return 0 if all(state == "well" for state in states.values()) else NOT_WELL


async def _ask_all(processes: dict[str, Any]) -> dict[str, str]:
    async with asyncio.TaskGroup() as group:
        asked = {
            name: group.create_task(_ask(name, process)) for name, process in processes.items()
        }
    return {name: task.result() for name, task in asked.items()}


async def _ask(name: str, process: dict[str, Any]) -> str:
    """One process's state: what the supervisor says, and for services what they say now."""
    if process["state"] != "running":
        return str(process["state"])
    service = next((one for one in SERVICES if one.name == name.partition("-")[0]), None)
    if service is None:
        return "well"
    if service.speaks == "grpc":
        is_well = await grpc_is_serving(f"{LOOPBACK}:{process['port']}")
    else:
        is_well = await http_is_ready(process["port"], service.health_path)
    return "well" if is_well else "not serving"


def show_logs(folder: DataFolder, service: str | None, *, lines: int, follow: bool) -> int:
    """The end of one log or of all, and what comes after it."""
    logs = sorted(folder.logs.glob("*.log"))
    if service is not None:
        logs = [log for log in logs if log.stem == service]
        if not logs:
            known = ", ".join(sorted(log.stem for log in folder.logs.glob("*.log")))
            raise SuiteError(f"there is no log of {service}; there is {known or 'none yet'}")
    if not logs:
        print(f"Nothing was written in {folder.logs} yet.")
        return 0
    with_name = len(logs) > 1
    files = {log: log.open("rb") for log in logs}
    try:
        for log, file in files.items():
            _show_end(log, file, lines, with_name=with_name)
        while follow:
            for log, file in files.items():
                if log.stat().st_size < file.tell():
                    file.seek(0)  # it was rotated
                _show(log, file.read(), with_name=with_name)
            time.sleep(FOLLOW_SECONDS)
    finally:
        for file in files.values():
            file.close()
    return 0


def _show_end(log: Path, file: BufferedReader, lines: int, *, with_name: bool) -> None:
    file.seek(max(0, log.stat().st_size - TAIL_BYTES))
    _show(log, b"".join(file.read().splitlines(keepends=True)[-lines:]), with_name=with_name)


def _show(log: Path, content: bytes, *, with_name: bool) -> None:
    for line in content.decode(errors="replace").splitlines():
        print(f"{log.stem:<14} {line}" if with_name else line)
    if content:
        sys.stdout.flush()


def reset(folder: DataFolder, *, sure: bool) -> int:
    """Delete the data folder, after asking."""
    if folder.is_running:
        raise SuiteError(f"Inbox runs on {folder.path}; stop it first")
    if not sure and not confirmed(f"Delete all data in {folder.path}?"):
        print("Nothing was deleted.")
        return NOT_WELL
    folder.wipe()
    print(f"Deleted {folder.path}.")
    return 0


def confirmed(question: str) -> bool:
    """Whether the person at the terminal says yes; nobody there means no."""
    if not sys.stdin.isatty():
        raise SuiteError(f"{question} Nobody can answer here: say --yes")
    return input(f"{question} Type yes: ").strip().lower() == "yes"
