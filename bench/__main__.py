"""`./dev bench [sends fan-out history teams] [--quick]`: starts Inbox, measures, prints a table."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from bench import anchors, fan_out, history, sends, teams
from bench.desks import BenchDesk, make_desk, service_key
from bench.report import Row, shown, table
from suite.databases import database_of
from suite.infra.postgres import SUPERUSER
from suite.infra.resolve import resolve_postgres
from tests.running_inbox import RunningInbox, running_inbox

PARTS = ("sends", "fan-out", "history", "teams")
RATES = (200.0, 1000.0, 2000.0, 4000.0)
TARGET_MILLIS = {200.0: "5 / 12 ms", 1000.0: "6 / 18 ms", 2000.0: "9 / 30 ms", 4000.0: "15 / 50 ms"}


def main() -> None:
    """Parse, start, measure, print."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="short runs, for a first look")
    parser.add_argument("--messages", type=int, default=10_000_000, help="longest history")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="inbox-bench-") as folder:
        Path(folder).chmod(0o755)
        with running_inbox(Path(folder) / "data", "--no-demo") as inbox:
            rows = asyncio.run(run(inbox, options))
    print(f"\n{os.cpu_count()} cores, {platform.machine()}, everything on this machine\n")
    print(table(rows))


async def run(inbox: RunningInbox, options: argparse.Namespace) -> list[Row]:
    """Every wanted part, one after the other."""
    wanted = options.parts or PARTS
    seconds = 3.0 if options.quick else 10.0
    rows: list[Row] = []
    async with browsers() as http:
        if "sends" in wanted:
            rows += await measure_sends(http, inbox, seconds)
        if "fan-out" in wanted:
            rows += await measure_fan_out(http, inbox, options.quick)
        if "teams" in wanted:
            rows += await measure_teams(http, inbox, seconds, options.quick)
        if "history" in wanted:
            rows += await measure_history(http, inbox, seconds, options)
    return rows


@contextlib.asynccontextmanager
async def browsers() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client without a limit of its own."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield http


def process_of(inbox: RunningInbox, service: str) -> tuple[int, str]:
    """Pid and address of a service's first process."""
    found = next(process for process in inbox.processes() if process.service == service)
    return found.pid, found.address


def superuser_url(inbox: RunningInbox, database: str) -> str:
    """The database of the suite that was started for this benchmark, as its superuser."""
    secret = json.loads((inbox.data / "secrets.json").read_text())["postgres"]
    _, address = process_of(inbox, "postgres")
    return f"postgresql://{SUPERUSER}:{secret}@{address}/{database}"


async def desk(http: aiohttp.ClientSession, inbox: RunningInbox, conversations: int) -> BenchDesk:
    """A fresh workspace."""
    _, identity = process_of(inbox, "identity")
    return await make_desk(http, inbox.url, service_key(inbox.data), identity, conversations)


async def measure_sends(
    http: aiohttp.ClientSession, inbox: RunningInbox, seconds: float
) -> list[Row]:
    """P1 and P2."""
    pgbench = resolve_postgres().path.with_name("pgbench")
    limit = await anchors.full_sends_per_second(
        superuser_url(inbox, "postgres"), pgbench, int(seconds)
    )
    desks = await sends.open_desks(http, inbox.url, [await desk(http, inbox, 4) for _ in range(40)])
    rows = []
    for rate in RATES:
        found = await sends.measure(desks, per_second=rate, seconds=seconds, waiting=0)
        rows.append(
            Row(
                name=f"P2 send → other browser at {rate:,.0f}/s, p50",
                figure=found.delivery_p50_millis,
                unit="ms",
                target=TARGET_MILLIS[rate],
                note=f"p99 {shown(found.delivery_p99_millis)} ms; answered "
                f"{shown(found.acknowledged_per_second)}/s, refused {found.refused}, "
                f"missing deliveries {found.missing_deliveries}",
            )
        )
    found = await sends.measure(desks, per_second=0, seconds=seconds, waiting=512)
    desks.close()
    rows.append(
        Row(
            name="P1 durable sends, each to 5 sockets",
            figure=found.acknowledged_per_second,
            unit="/s",
            limit=limit,
            limit_name="pgbench, full send, 16 clients",
            target="≥ 0.5, p99 ≤ 250 ms",
            note=f"ack p50/p99 {shown(found.ack_p50_millis)}/{shown(found.ack_p99_millis)} ms, "
            f"delivery p99 {shown(found.delivery_p99_millis)} ms, refused {found.refused}, "
            f"missing deliveries {found.missing_deliveries}",
        )
    )
    return rows


async def measure_fan_out(
    http: aiohttp.ClientSession, inbox: RunningInbox, is_quick: bool
) -> list[Row]:
    """P3, P5, P6, P13."""
    sockets, rounds = (300, 20) if is_quick else (1000, 60)
    pid, _ = process_of(inbox, "gateway")
    found = await fan_out.measure(
        http,
        inbox.url,
        process_of(inbox, "messaging")[1],
        pid,
        await desk(http, inbox, 1),
        sockets=sockets,
        rounds=rounds,
    )
    c_program = await anchors.c_microseconds_per_delivery(sockets, rounds, found.frame_bytes)
    return [
        Row(
            name=f"P3 gateway CPU per delivery, one event to {sockets} sockets",
            figure=found.cpu_micros_per_delivery,
            unit="µs",
            limit=c_program,
            limit_name="C, one send() per socket",
            target="≤ 1.5",
            note=f"frame {found.frame_bytes} bytes, p99 {shown(found.p99_millis)} ms",
        ),
        Row(
            name="P5 burst to all of them",
            figure=found.burst_deliveries_per_second,
            unit="deliveries/s",
            target="≥ 1M/s",
            note="limited by this process too, which reads all of them on the same cores",
        ),
        Row(
            name="P6 idle socket in the gateway",
            figure=found.idle_bytes_per_socket / 1024,
            unit="KiB",
            target="≤ 14 KiB",
        ),
        Row(
            name="P13 p99 of the healthy with 10 % stalled readers",
            figure=found.p99_millis_with_stalled,
            unit="ms",
            limit=found.p99_millis,
            limit_name="without stalled readers",
            target="≤ 2",
            note=f"{found.stalled_closed} of the stalled were closed meanwhile",
        ),
    ]


async def measure_teams(
    http: aiohttp.ClientSession, inbox: RunningInbox, seconds: float, is_quick: bool
) -> list[Row]:
    """P11 and P12."""
    pid, address = process_of(inbox, "messaging")
    one = await desk(http, inbox, 40)
    found = await teams.measure(address, pid, one, seconds=seconds)
    sockets = 200 if is_quick else 1000
    storm = await teams.reconnect_storm(http, inbox.url, one, sockets=sockets)
    return [
        Row(
            name="P12 unary calls, per core of messaging",
            figure=found.unary_per_core_second,
            unit="/s",
            target="≥ 2,500/s",
            note=f"{shown(found.unary_per_second)}/s from 16 clients beside everything else",
        ),
        Row(
            name="P12 stream of sends",
            figure=found.stream_messages_per_second,
            unit="/s",
            target="≥ 15,000/s",
            note=f"refused {found.stream_refused}",
        ),
        Row(
            name=f"P11 {sockets} browsers come back at once",
            figure=storm,
            unit="sockets/s",
            target="≥ 2,000/s",
            note="ticket, upgrade and hello each; this client shares the cores",
        ),
    ]


async def measure_history(
    http: aiohttp.ClientSession,
    inbox: RunningInbox,
    seconds: float,
    options: argparse.Namespace,
) -> list[Row]:
    """P7 and P10."""
    sizes = [10_000, 1_000_000, 10_000_000]
    longest = 100_000 if options.quick else options.messages
    url = superuser_url(inbox, database_of("messaging").name)
    one = await desk(http, inbox, 1)
    rows = []
    for size in [size for size in sizes if size < longest] + [longest]:
        found = await history.measure(http, inbox.url, url, one, size, seconds=seconds)
        rows.append(
            Row(
                name=f"P7 page of 50 over HTTP, {size:,} messages, 200/s, p50",
                figure=found.p50_millis,
                unit="ms",
                limit=found.raw_sql_p50_millis,
                limit_name="raw SQL, prepared, one client",
                target="4 / 12 ms; ≥ 1,200 pages/s",
                note=f"p99 {shown(found.p99_millis)} ms; {shown(found.pages_per_second)} pages/s "
                f"from 16 clients; filled in {found.fill_seconds:.0f} s",
            )
        )
    return rows


if __name__ == "__main__":
    main()
