"""What the tests of relay, feed and consumer share: a workspace that makes events, and loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from chassis import outbox
from chassis.bus import Bus
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.outbox import OutgoingEvent
from chassis.stream import EventStream
from chassis.tasks import Supervisor

STREAM = "INBOX_MESSAGING"
DOMAIN = "messaging"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def emit(
    database: Database,
    workspace_id: WorkspaceId,
    *payloads: str,
    key: str = "",
    event: str = "message_created",
    at: datetime = NOON,
    wake: Callable[[], None] | None = None,
) -> None:
    """Commit events, one for each payload."""
    async with database.begin(workspace_id) as transaction:
        await outbox.append(
            transaction,
            [
                OutgoingEvent(
                    subject=outbox.subject(DOMAIN, event, workspace_id),
                    workspace_id=workspace_id,
                    ordering_key=key or workspace_id,
                    payload=payload.encode(),
                )
                for payload in payloads
            ],
            at=at,
        )
        if wake is not None:
            transaction.after_commit(wake)


def a_workspace() -> WorkspaceId:
    return WorkspaceId(new_id())


@asynccontextmanager
async def running(*loops: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Loops kept running for the length of a block, as a process keeps them."""
    async with Supervisor() as supervisor:
        for number, loop in enumerate(loops):
            supervisor.supervise(f"test-{number}", loop)
        yield


@asynccontextmanager
async def connected_bus(url: str) -> AsyncIterator[Bus]:
    bus = Bus(url, name="test")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(bus.run))
        await asyncio.wait_for(bus.wait_connected(), 5)
        yield bus


async def until(
    claim: Callable[[], Awaitable[bool]] | Callable[[], bool], within: float = 8
) -> None:
    """Wait until a claim holds."""
    async with asyncio.timeout(within):
        while True:
            held = claim()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


async def stream_payloads(stream: EventStream, from_seq: int = 1) -> list[str]:
    """Everything in a stream, checking that each event stands at its own place."""
    found: list[str] = []
    while events := await stream.read(from_seq):
        assert [event.gpos for event in events] == list(
            range(events[0].gpos, events[0].gpos + len(events))
        )
        found += [event.payload.decode() for event in events]
        from_seq = events[-1].gpos + 1
    return found


async def last_gpos(database: Database) -> int:
    async with database.begin() as transaction:
        found: int = await transaction.raw.fetchval("SELECT last_gpos FROM log_state")
        return found
