"""One process that serves gRPC: settings in, signals out, everything between wired by hand.

async def wire(process: Process, settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value())
    process.on_close(database.close)
    process.serve(media_v1.add_MediaServiceServicer_to_server, MediaService(database))
    process.supervise("sweep", sweeper.run)

if __name__ == "__main__":
    main("media", Settings, wire)
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import grpc
import uvloop

from chassis import logs, metrics, tls
from chassis.clock import Clock, SystemClock
from chassis.errors import CannotStart
from chassis.health import Health
from chassis.logs import log
from chassis.process import Process
from chassis.rpc.server import MAX_RECEIVED_BYTES
from chassis.settings import (
    EXIT_BAD_SETTINGS,
    ServiceSettings,
    host_and_port,
    load,
)
from chassis.tasks import Supervisor

CONNECTION_AGE = timedelta(seconds=60)
"""Connections end after about this long (grpc adds jitter), so that clients meet new replicas.
Calls under way go on to their own end: the age has no grace period after which they were cut."""
MAX_CALLS_AT_ONCE = 4096
GOODBYE = timedelta(milliseconds=300)
"""Between saying "not serving" and closing the port, for balancers to hear it."""
DRAIN_WITHIN = timedelta(seconds=4.5)
CLOSE_WITHIN = timedelta(seconds=2)
SWITCH_INTERVAL_SECONDS = 0.0005
"""The event loop waits at most this long behind a busy thread; it halves the slowest calls."""

OPTIONS = (
    # Two processes on one port would share calls in silence; the second should fail instead.
    ("grpc.so_reuseport", 0),
    ("grpc.max_connection_age_ms", int(CONNECTION_AGE.total_seconds() * 1000)),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
    ("grpc.max_send_message_length", MAX_RECEIVED_BYTES),
)

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Wire = Callable[[Process, SettingsT], Awaitable[None]]


def main(name: str, kind: type[SettingsT], wire: Wire[SettingsT]) -> None:
    """Run the process until SIGTERM or SIGINT."""
    settings = load(kind, sys.argv[1:])
    logs.configure(name, settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    try:
        uvloop.run(run(name, settings, wire))
    except* CannotStart as group:
        for error in leaves(group):
            sys.stderr.write(f"cannot start: {error}\n")
        sys.exit(EXIT_BAD_SETTINGS)
    except* Exception as group:  # noqa: BLE001 - the process ends with it
        log.error("process_failed", exc_info=group)
        sys.exit(1)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions inside a group, however deep."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


async def run(
    name: str,
    settings: SettingsT,
    wire: Wire[SettingsT],
    *,
    clock: Clock | None = None,
    stop: asyncio.Event | None = None,
    listening: Callable[[int], None] | None = None,
) -> None:
    """Wire, serve, and drain once `stop` is set or a signal came."""
    tls.refuse_open_network(settings.listen, settings)
    if settings.metrics_listen:
        metrics.serve(settings.metrics_listen, trusted_network=settings.trusted_network)
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Supervisor(clock) as supervisor:
        process = Process(name, settings, supervisor, clock or SystemClock())
        try:
            # Wiring may wait long, for a schema or a neighbour; nobody has to wait for it.
            if await _finishes_before(wire(process, settings), stop):
                await _serve(process, settings, stop, listening)
        finally:
            await supervisor.stop()
            await _close(process)


async def _finishes_before(work: Awaitable[None], stop: asyncio.Event) -> bool:
    async def finish() -> None:
        await work
        stopping.cancel()

    async with asyncio.TaskGroup() as group:
        stopping = group.create_task(stop.wait())
        finishing = group.create_task(finish())
        await asyncio.wait({stopping, finishing}, return_when=asyncio.FIRST_COMPLETED)
        finishing.cancel()
    return not finishing.cancelled()


async def _close(process: Process) -> None:
    try:
        async with asyncio.timeout(CLOSE_WITHIN.total_seconds()):
            await process.close()
    except TimeoutError:
        log.warning("close_took_too_long")


async def _serve(
    process: Process,
    settings: ServiceSettings,
    stop: asyncio.Event,
    listening: Callable[[int], None] | None,
) -> None:
    if process.registrar is None or process.guard is None:
        raise TypeError(f"{process.name} serves nothing")
    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CALLS_AT_ONCE)
    health = Health(process.registrar.service_names, server)
    server.add_generic_rpc_handlers((process.registrar.handlers(),))
    credentials = tls.server_credentials(settings)
    if credentials is None:
        port = server.add_insecure_port(settings.listen)
    else:
        port = server.add_secure_port(settings.listen, credentials)
    await server.start()
    log.info("listening", host=host_and_port(settings.listen)[0], port=port)
    if listening is not None:
        listening(port)
    process.supervise("readiness", lambda: health.follow(process.readiness))
    try:
        await stop.wait()
        log.info("draining")
        await health.leave()
        process.guard.draining.set()
        await process.clock.sleep(GOODBYE)
        await server.stop(DRAIN_WITHIN.total_seconds())
        log.info("drained")
    finally:
        await server.stop(None)


__all__ = ["OPTIONS", "SWITCH_INTERVAL_SECONDS", "Process", "main", "run"]
