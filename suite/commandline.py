"""The command line of `./dev`, as data. Standard library only: help needs no installation."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

TIERS = ("unit", "service", "system", "faults", "web", "architecture")
ROLES = ("owner", "agent", "read-only", "bot", "service")
DEFAULT_PORT = 8080
DEFAULT_DATA = Path(__file__).resolve().parents[1] / ".data"
LAST_PORT = 65535

DESCRIPTION = """\
Inbox on one machine: PostgreSQL, NATS, Envoy and every service as its own process.
Needs Python 3.11 or newer and nothing else; what is missing is installed into .venv."""

EPILOGUE = """\
  ./dev up                         start everything, then open the link it prints
  ./dev up --workers gateway=2     the same with two gateways
  ./dev test unit -- -k retry      one tier of the tests, with options for pytest
Data lives in .data (see --data); INBOX_SUITE_DATABASE_URL, INBOX_SUITE_NATS_URL and
INBOX_SUITE_ENVOY name servers of your own."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The parsed command line; ends the process for help and for mistakes.

    Everything after `--` goes to the tool the command runs, as `rest`.
    """
    own, rest = _split(arguments)
    parsed = parser().parse_args(own)
    parsed.rest = rest
    if rest and parsed.command not in {"test", "faults"}:
        parser().error(f"{parsed.command} takes nothing after --")
    if parsed.command == "up":
        _check_tls(parsed)
    return parsed


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    main = argparse.ArgumentParser(
        prog="./dev",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str, detail: str = "", *, tools: bool = False) -> Sub:
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{detail}".strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(with_tools=tools)
        return command

    _add_up(add("up", "start everything and stay until Ctrl-C", UP))
    test = add("test", "run the tests against real servers", TEST, tools=True)
    test.add_argument("tiers", nargs="*", metavar="TIER", help=f"{', '.join(TIERS)}, check")
    test.add_argument("--ci", action="store_true", help="plain output for a build log")
    add("check", "format, lint, types, floor plan, contracts, generated code", tools=True)
    _add_bench(add("bench", "run the benchmarks", BENCH, tools=True))
    faults = add("faults", "run the fault tests in full", FAULTS, tools=True)
    faults.add_argument(
        "names", nargs="*", metavar="NAME", help="only these: T1 T2 T10 T11 T12 T17 T18 T19"
    )
    backup = add("backup", "write every database and file into FILE", BACKUP)
    backup.add_argument("file", type=Path, metavar="FILE")
    _add_data(backup)
    restore = add("restore", "replace all data by those in FILE", RESTORE)
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--yes", action="store_true", help="do not ask")
    _add_data(restore)
    _add_data(add("status", "show what runs, where, and whether it is well"))
    logs = add("logs", "show the services' output")
    logs.add_argument("service", nargs="?", help="only this one, like messaging or postgres")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    logs.add_argument("-n", "--lines", type=_count, default=50, help="how many at first (50)")
    _add_data(logs)
    key = add("key", "print an API key of the demo workspace", KEY)
    key.add_argument("--role", choices=ROLES, default="agent", help="what it may do (agent)")
    _add_data(key)
    reset = add("reset", "delete all data in the data folder")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    _add_data(reset)
    return main


Sub = argparse.ArgumentParser

UP = """\
The first start makes the databases, builds the web client and a demo workspace; a later one
continues where the last ended. Ctrl-C or SIGTERM drains and ends everything within 10 seconds."""
TEST = """\
Without a tier: all of them and `check`. A tier that takes longer than its budget fails.
Options after -- go to pytest: ./dev test service -- -k outbox -x"""
BENCH = """\
Starts an Inbox of its own, measures it, and prints each figure, a limit of this machine measured
in the same run, and their ratio. Nothing is judged. PART is any of

  sends    P1 P2             sends a second, and how soon another browser has one
  fan-out  P3 P5 P6 P10 P13  one event to a thousand browsers; idle ones, stalled ones
  groups   P4                many groups of five browsers on one gateway
  teams    P11 P12           browsers that all come back at once; teams' gRPC calls
  history  P7 P10            pages and inserts as a conversation grows

all of them without one. nginx with nchan and ejabberd are measured too where they are installed.
The limit of calls a second is lifted for the run; everything else is as `./dev up` has it."""
BENCH_PARTS = ("sends", "fan-out", "groups", "teams", "history")
FAULTS = """\
Kills, wipes and partitions with the full figures; the short forms are part of ./dev test.
Options after -- go to pytest."""
BACKUP = """\
Works while everything runs. FILE is a tar archive; it holds customers' messages, but no
passwords or keys of this machine except the master key that unlocks the credentials in it."""
RESTORE = """\
Nothing may be running on the data folder. Every database gets a new log epoch, so consumers
rebuild and browsers load afresh instead of skipping what the backup does not know."""
KEY = """\
For scripts: KEY=$(./dev key --role agent). Needs a running `./dev up`."""


def _add_up(command: Sub) -> None:
    _add_data(command)
    command.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, metavar="N", help="the front door (8080)"
    )
    command.add_argument(
        "--workers",
        type=_workers,
        action="append",
        default=[],
        metavar="SERVICE=N",
        help="run N processes of a service; may be repeated",
    )
    command.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="give every service a setting, named without INBOX_; may be repeated",
    )
    command.add_argument("--no-demo", action="store_true", help="make no demo workspace")
    command.add_argument(
        "--no-envoy",
        action="store_true",
        help="the gateway serves the front port; gRPC addresses are printed, no gRPC-Web",
    )
    command.add_argument(
        "--tls-cert",
        type=Path,
        metavar="FILE",
        help="speak TLS: the certificate chain for localhost, PEM",
    )
    command.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key, PEM")
    command.add_argument("--no-web", action="store_true", help="do not build the web client")


def _check_tls(options: argparse.Namespace) -> None:
    if (options.tls_cert is None) != (options.tls_key is None):
        parser().error("--tls-cert and --tls-key go together")
    if options.tls_cert and options.no_envoy:
        parser().error("--tls-cert needs Envoy, which --no-envoy leaves out")


def _add_bench(command: Sub) -> None:
    command.add_argument(
        "parts", nargs="*", type=_part, metavar="PART", help="only these; all by default"
    )
    command.add_argument("--quick", action="store_true", help="short runs, for a first look")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    command.add_argument(
        "--workspaces",
        type=_count,
        default=50,
        metavar="N",
        help="that share the sends, at most 100/s each (50)",
    )
    command.add_argument(
        "--messages", type=_count, metavar="N", help="longest history (10^7; quick: 10^5)"
    )


def _add_data(command: Sub) -> None:
    command.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="the data folder (.data)"
    )


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: use a number from 1 to {LAST_PORT}")


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number: use 1 or more")


def _workers(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name and count.isdecimal() and int(count) > 0:
        return name, int(count)
    raise argparse.ArgumentTypeError(f"{text!r} should read SERVICE=N, like messaging=2")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if equals and re.fullmatch("[A-Z][A-Z_]*", name):
        return f"INBOX_{name}", value
    raise argparse.ArgumentTypeError(f"{text!r} should read NAME=VALUE, like LOG_LEVEL=debug")


def _part(text: str) -> str:
    if text in BENCH_PARTS:
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(BENCH_PARTS)}")


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]
