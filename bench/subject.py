"""The Inbox that is measured: one `./dev up` of the benchmark's own, as a user starts it."""

from __future__ import annotations

import json
import resource
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from bench.desks import Desk, make_desks
from bench.plain_http import PlainHttp, plain_http
from bench.sockets import InboxSocket, Tally, connect, hang_up, some_at_a_time
from bench.usage import Meter
from suite.infra.postgres import SUPERUSER
from tests.running_inbox import Process, RunningInbox, running_inbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LIFTED = "CALLS_PER_SECOND=1000000"
"""The limit of one caller's calls: a load generator is one caller who stands for thousands."""
TICKETS_AT_ONCE = 32


class Subject:
    """A running Inbox and the doors that a benchmark goes through."""

    def __init__(self, inbox: RunningInbox) -> None:
        self._inbox = inbox
        self._secrets = json.loads((inbox.data / "secrets.json").read_text())
        self.url = inbox.url
        """The front door: Envoy."""

    @property
    def service_key(self) -> str:
        """The credential of the suite's own processes."""
        return str(self._secrets["service_key"])

    def address_of(self, service: str) -> str:
        """Of a service's first process."""
        return self._process(service).address

    def pid_of(self, service: str) -> int:
        """Of a service's first process."""
        return self._process(service).pid

    def database_url(self, database: str) -> str:
        """A database, as superuser."""
        password = quote(self._secrets["postgres"])
        return f"postgresql://{SUPERUSER}:{password}@{self.address_of('postgres')}/{database}"

    def meter(self) -> Meter:
        """Of every process, by service."""
        roots: dict[str, list[int]] = {}
        for process in self._inbox.processes():
            roots.setdefault(process.service, []).append(process.pid)
        return Meter(roots)

    async def desk(self, *, conversations: int) -> Desk:
        """A fresh workspace."""
        return (await make_desks(self, 1, conversations=conversations))[0]

    async def desks(self, count: int, *, conversations: int) -> list[Desk]:
        """Several."""
        return await make_desks(self, count, conversations=conversations)

    @asynccontextmanager
    async def browsers(self) -> AsyncIterator[Browsers]:
        """Opens live sockets; closes them at the end."""
        gateway = f"http://{self.address_of('gateway')}"
        async with plain_http(self.url, TICKETS_AT_ONCE) as http:
            browsers = Browsers(self.url, gateway, http)
            try:
                yield browsers
            finally:
                browsers.close()

    def _process(self, service: str) -> Process:
        return next(each for each in self._inbox.processes() if each.service == service)


class Browsers:
    """Live sockets of many browsers."""

    def __init__(self, url: str, gateway_url: str, http: PlainHttp) -> None:
        self.opened: list[InboxSocket] = []
        self._url = url
        self._gateway_url = gateway_url
        self._http = http

    async def open(
        self,
        desk: Desk,
        tally: Tally,
        *,
        position: str = "",
        past_envoy: bool = False,
        receive_buffer_bytes: int = 0,
    ) -> InboxSocket:
        """One socket with a ticket of its own; `past_envoy` goes to the gateway itself."""
        asked = self._http.request("/auth/ticket", authorization=f"Bearer {desk.key}")
        ticket = orjson.loads(await self._http.ask(asked))["ticket"]
        where = self._gateway_url if past_envoy else self._url
        client = InboxSocket(where, tally, ticket, origin=self._url, position=position)
        await connect(client, receive_buffer_bytes=receive_buffer_bytes)
        self.opened.append(client)
        return client

    async def open_many(
        self, desk: Desk, tally: Tally, count: int, *, position: str = "", past_envoy: bool = False
    ) -> list[InboxSocket]:
        """Many of one workspace, some at a time."""
        return await some_at_a_time(
            self.open(desk, tally, position=position, past_envoy=past_envoy) for _ in range(count)
        )

    def close(self) -> None:
        """Hang up all of them."""
        hang_up([self.opened])
        self.opened.clear()


@contextmanager
def running_subject(data: Path) -> Iterator[Subject]:
    """Start it, and stop it at the end."""
    with running_inbox(data, "--no-demo", "--set", LIFTED) as inbox:
        yield Subject(inbox)


def raise_file_limit() -> int:
    """Let this process and its children open as many files as the machine allows; how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
