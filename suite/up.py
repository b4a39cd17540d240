"""`./dev up`: starts everything in order, keeps it running, drains it at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suite import demo, envoy, migrate, web
from suite.databases import create_all
from suite.datafolder import DataFolder
from suite.health import NatsProbe, grpc_is_serving, http_is_ready
from suite.infra.nats import read_greeting
from suite.infra.ports import LOOPBACK
from suite.infra.program import Deadline, Program, SuiteError
from suite.plan import Plan, make_plan, plan_nats, plan_postgres, surroundings
from suite.processes import Replica, Surroundings, command_of, environment_of, module_of
from suite.screen import Screen
from suite.starting import Forks, can_fork
from suite.supervisor import Part, Supervisor

if TYPE_CHECKING:
    import argparse

    from suite.infra.nats import NatsServer

NATS_WEDGED_SECONDS = 15.0
NATS_PROBE_EVERY_SECONDS = 2.0
DRAIN_WITHIN = timedelta(seconds=9)
"""The promise for Ctrl-C is 10 s. Whoever is done early leaves its time to the next."""
GATEWAY_LEAVES_WITHIN = timedelta(seconds=3)
"""It goes first, so that browsers hear when to come back while Envoy still carries it."""
SERVERS_NEED = timedelta(seconds=2)
"""Kept for them: PostgreSQL writes everything down before it goes."""
NATS_PORT = 4222
SERVERS = ("envoy", "nats", "postgres")


def run(options: argparse.Namespace) -> int:
    """Start everything and stay until asked to stop; the exit code."""
    folder = DataFolder(options.data)
    folder.prepare()
    with folder.locked() as children:
        return asyncio.run(_run(folder, options, children))


async def _run(folder: DataFolder, options: argparse.Namespace, children: int) -> int:
    async with asyncio.TaskGroup() as group:
        return await Suite(folder, options, children, group).run()


class Suite:
    """One `./dev up` from its first line to its last."""

    def __init__(
        self,
        folder: DataFolder,
        options: argparse.Namespace,
        children: int,
        group: asyncio.TaskGroup,
    ) -> None:
        self._folder = folder
        self._options = options
        self._inherit = (children,)
        self._group = group
        self._screen = Screen()
        self._started = datetime.now().astimezone()  # noqa: TID251 - shown to a person
        self._plan: Plan | None = None
        self._forks = (
            Forks(group, folder.log_of("forkserver"), self._inherit) if can_fork() else None
        )
        self._supervisor = Supervisor(group, self._screen, self._write_run, self._forks)
        self._asked_to_stop = asyncio.Event()

    async def run(self) -> int:
        """Start, stay, drain."""
        self._catch_signals()
        began = time.monotonic()
        rotating = self._group.create_task(self._supervisor.rotate_logs())
        starting = self._group.create_task(self._try_to_start(began))
        stopping = self._group.create_task(self._asked_to_stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and starting.result() is None:
                await stopping
        finally:
            failure = starting.result() if starting.done() else None
            starting.cancel()
            stopping.cancel()
            rotating.cancel()
            await self._drain()
        if failure:
            raise failure
        return 0

    async def _try_to_start(self, began: float) -> Exception | None:
        """Start everything; what went wrong is returned, so that a drain comes before it."""
        try:
            await self._start(began)
        except Exception as error:  # noqa: BLE001 - raised again after the drain
            return error
        return None

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop)

    def _ask_to_stop(self) -> None:
        if self._asked_to_stop.is_set():
            # Asked twice: somebody is in a hurry.
            self._supervisor.end_at_once()
            return
        self._asked_to_stop.set()
        self._screen.say("\nStopping (once more to end at once) …")

    async def _start(self, began: float) -> None:
        screen, folder, options = self._screen, self._folder, self._options
        plan = self._plan = await asyncio.to_thread(make_plan, options, folder)
        screen.say(f"Inbox, data in {_short(folder.path)}")
        async with asyncio.TaskGroup() as beside:
            beside.create_task(self._build_web())
            if self._forks:
                beside.create_task(self._forks.prepare())
            database_url, nats = await self._start_servers(plan)
            around = surroundings(plan, folder, database_url=database_url, nats=nats)
            with screen.step("Databases and migrations"):
                await create_all(database_url, plan.passwords)
                await migrate.migrate_all(database_url, plan.passwords)
            for wave in plan.waves():
                await self._start_wave(wave, around)
            await self._start_envoy(plan)
        if plan.absent:
            screen.trouble(f"this checkout cannot run: {', '.join(plan.absent)}")
        links = await self._seed(plan, around)
        if plan.envoy is None:
            screen.say("  gRPC without Envoy:")
            for replica in plan.replicas:
                if replica.service.speaks == "grpc":
                    screen.say(f"    {replica.name:<14} {replica.address}")
        screen.done("Everything is running", time.monotonic() - began)
        if links is not None and links.is_answered_by_ai:
            screen.say(f"  {demo.AI_ANSWERS}")
        screen.say(screen.bold(f"Inbox is ready: {links or plan.public_url}"))

    async def _start_servers(self, plan: Plan) -> tuple[str, NatsServer | None]:
        async with asyncio.TaskGroup() as both:
            postgres = both.create_task(self._start_postgres(plan))
            nats = both.create_task(self._start_nats(plan))
        return postgres.result(), nats.result()

    async def _start_postgres(self, plan: Plan) -> str:
        if plan.external_database_url:
            self._screen.say("  PostgreSQL as INBOX_SUITE_DATABASE_URL says")
            return plan.external_database_url
        is_first = not (self._folder.path / "postgres" / "data").exists()
        with self._screen.step("PostgreSQL, first start" if is_first else "PostgreSQL") as step:
            server = await asyncio.to_thread(plan_postgres, plan, self._folder)

            async def is_ready(pid: int) -> bool:
                return server.is_ready(pid)

            await self._supervisor.start(
                Part(
                    program=server.program(self._folder.log_of("postgres"), self._inherit),
                    is_healthy=is_ready,
                )
            )
            step.note = f"{server.binary.version_text} from {server.binary.origin}"
        return server.url

    async def _start_nats(self, plan: Plan) -> NatsServer | None:
        if plan.external_nats_url:
            self._screen.say("  NATS as INBOX_SUITE_NATS_URL says")
            await asyncio.to_thread(_require_nats, plan.external_nats_url)
            return None
        with self._screen.step("NATS JetStream") as step:
            server = await asyncio.to_thread(plan_nats, plan, self._folder)

            async def is_storing(_: int) -> bool:
                probe = NatsProbe(server.url)
                try:
                    return server.is_ready() and await probe.is_storing()
                finally:
                    await probe.close()

            await self._supervisor.start(
                Part(
                    program=server.program(self._folder.log_of("nats"), self._inherit),
                    is_healthy=is_storing,
                    watch=lambda: watch_nats(server.url),
                )
            )
            step.note = f"{server.binary.version_text} from {server.binary.origin}"
        return server

    async def _start_wave(self, wave: list[Replica], around: Surroundings) -> None:
        async with asyncio.TaskGroup() as group:
            for replica in wave:
                group.create_task(self._start_replica(replica, around))

    async def _start_replica(self, replica: Replica, around: Surroundings) -> None:
        async def is_healthy(_: int) -> bool:
            if replica.service.speaks == "http":
                return await http_is_ready(replica.port, replica.service.health_path)
            return await grpc_is_serving(replica.address)

        with self._screen.step(replica.name):
            await self._supervisor.start(
                Part(
                    program=Program(
                        name=replica.name,
                        argv=command_of(replica, around),
                        module=module_of(replica, around),
                        environment=environment_of(replica, around),
                        log=self._folder.log_of(replica.name),
                        inherit=self._inherit,
                    ),
                    is_healthy=is_healthy,
                )
            )

    async def _start_envoy(self, plan: Plan) -> None:
        if plan.envoy is None:
            if not self._options.no_envoy:
                self._screen.trouble("no Envoy for this machine: the gateway is the front door")
            return
        program = envoy.envoy_program(plan.envoy, plan, self._folder, self._inherit)

        async def is_ready(_: int) -> bool:
            return await http_is_ready(plan.envoy_admin_port, "/ready")

        with self._screen.step("Envoy") as step:
            await self._supervisor.start(Part(program=program, is_healthy=is_ready))
            step.note = f"{plan.envoy.version_text} from {plan.envoy.origin}, port {plan.port}"

    async def _build_web(self) -> None:
        if not web.is_present():
            self._screen.trouble("no web client in this checkout yet (web/package.json)")
        elif self._options.no_web:
            self._screen.say("  web client not built (--no-web)")
        elif not await asyncio.to_thread(web.is_current):
            with self._screen.step("Web client built"):
                await web.build(self._folder.log_of("web-build"))

    async def _seed(self, plan: Plan, around: Surroundings) -> demo.Links | None:
        if self._options.no_demo or "identity" not in around.addresses:
            return None
        with self._screen.step("Demo workspace"):
            return await demo.seed(plan, self._folder, around)

    async def _drain(self) -> None:
        began = time.monotonic()
        deadline = Deadline(DRAIN_WITHIN)
        parts = list(self._supervisor.parts)
        gateways = [name for name in parts if name.partition("-")[0] == "gateway"]
        services = [name for name in parts if name not in (*gateways, *SERVERS)]
        await self._supervisor.stop(gateways, GATEWAY_LEAVES_WITHIN)
        await self._supervisor.stop(services, max(deadline.left - SERVERS_NEED, SERVERS_NEED))
        if self._forks:
            self._forks.close()
        await self._supervisor.stop(list(SERVERS), deadline.left)
        if parts:
            self._screen.done("Everything has stopped", time.monotonic() - began)

    def _write_run(self) -> None:
        plan = self._plan
        if plan is None:
            return
        ports = {name: self._folder.known_port(name) for name in ("nats", "postgres")}
        ports |= {"envoy": plan.port} | {replica.name: replica.port for replica in plan.replicas}
        self._folder.write_run(
            {
                "pid": os.getpid(),
                "url": plan.public_url,
                "started": f"{self._started:%Y-%m-%d %H:%M:%S}",
                "processes": {
                    part.name: {
                        "pid": part.pid,
                        "state": part.state,
                        "restarts": part.restarts,
                        "port": ports.get(part.name),
                    }
                    for part in self._supervisor.parts.values()
                },
            }
        )


async def watch_nats(url: str) -> str:
    """Return when the server has stored nothing for too long; it does not heal by itself."""
    probe = NatsProbe(url)
    try:
        stored = time.monotonic()
        while time.monotonic() - stored < NATS_WEDGED_SECONDS:
            await asyncio.sleep(NATS_PROBE_EVERY_SECONDS)
            if await probe.is_storing():
                stored = time.monotonic()
    finally:
        await probe.close()
    return f"stored nothing for {NATS_WEDGED_SECONDS:.0f} s"


def _require_nats(url: str) -> None:
    parts = urlsplit(url)
    if read_greeting(parts.hostname or LOOPBACK, parts.port or NATS_PORT) is None:
        raise SuiteError(f"no NATS server answers at {parts.hostname}:{parts.port or NATS_PORT}")


def _short(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
