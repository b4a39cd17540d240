"""A gateway as realtime sees it: many workspaces on one stream, each checked like a client."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from inbox.realtime import v1 as realtime_v1
from services.realtime.actions import GatewayStream
from tests.service.realtime.stage import Client, Replica

Request = realtime_v1.WatchWorkspacesRequest


class Gateway:
    """The clients it watches for, by the ref their frames carry."""

    def __init__(self) -> None:
        self.clients: dict[int, Client] = {}
        self.messages = 0
        """How many came."""
        self.strays = 0
        """Frames that were on their way when their workspace was no more wanted."""
        self._numbers = itertools.count(1)
        self._requests: asyncio.Queue[Request] = asyncio.Queue()

    def begin(self, *clients: Client) -> None:
        """Watch for these, each from its position on."""
        request = Request()
        for client in clients:
            ref = next(self._numbers)
            self.clients[ref] = client
            request.begin.add(ref=ref, workspace_id=client.workspace, position=client.position)
        self.ask(request)

    def end(self, client: Client) -> None:
        """Watch for it no more."""
        ref = next(ref for ref, known in self.clients.items() if known is client)
        del self.clients[ref]
        self.ask(Request(end=[ref]))

    def ask(self, request: Request) -> None:
        """Say it on the stream."""
        self._requests.put_nowait(request)

    @asynccontextmanager
    async def watching(self, replica: Replica) -> AsyncIterator[asyncio.Task[None]]:
        """Read a stream of the replica's for the length of a block."""
        for client in tuple(self.clients.values()):
            # Another stream: everything is said once more.
            self.end(client)
            self.begin(client)
        reading = asyncio.create_task(self._read(replica))
        try:
            yield reading
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _read(self, replica: Replica) -> None:
        stream = GatewayStream(replica.live, replica.replay)
        async with aclosing(stream.serve(self._asked())) as messages:
            async for message in messages:
                self.messages += 1
                assert len(message) < 4 * 2**20
                self._take(realtime_v1.WatchWorkspacesResponse.FromString(message))

    async def _asked(self) -> AsyncIterator[Request]:
        while True:
            yield await self._requests.get()

    def _take(self, response: realtime_v1.WatchWorkspacesResponse) -> None:
        for brought in response.workspaces:
            client = self.clients.get(brought.ref)
            if client is None:
                self.strays += 1
                continue
            for raw in brought.frames:
                client.take(realtime_v1.ServerFrame.FromString(raw))
