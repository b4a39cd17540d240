"""Where a replica begins to read: where the log ends, not where a stream happens to be."""

from __future__ import annotations

from chassis.clock import SystemClock
from chassis.owners_log import LogRange, OwnerUnavailable, SnapshotPage
from chassis.stream import EventStream
from services.realtime.consumers import Reader
from services.realtime.live import Live
from services.realtime.model import STREAMS
from tests.service.chassis.eventing import connected_bus, running, until

MESSAGING = STREAMS.index("INBOX_MESSAGING")


class Owner:
    def __init__(self, last_gpos: int | None) -> None:
        self._last_gpos = last_gpos

    async def read(self, from_gpos: int, count: int = 500) -> LogRange:
        if self._last_gpos is None:
            raise OwnerUnavailable
        return LogRange([], "a-life", 1, self._last_gpos)

    async def snapshot(self, page_token: str) -> SnapshotPage:
        raise OwnerUnavailable


async def begins_at(nats_url: str, owner: Owner) -> tuple[str, int] | None:
    async with connected_bus(nats_url) as bus:
        await EventStream(bus, STREAMS[MESSAGING]).create(log_epoch="a-life", first_seq=11)
        live = Live(SystemClock())
        async with running(Reader(live, bus, MESSAGING, owner).run):
            await until(lambda: live.stand(MESSAGING) is not None)
            return live.stand(MESSAGING)


async def test_a_stream_that_is_being_written_again_is_not_believed(nats_url: str) -> None:
    assert await begins_at(nats_url, Owner(50)) == ("a-life", 50)


async def test_while_the_owner_is_away_the_streams_end_is_taken(nats_url: str) -> None:
    assert await begins_at(nats_url, Owner(None)) == ("a-life", 10)
