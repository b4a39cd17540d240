"""Reads every event of every source stream, of all workspaces, into the present."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from chassis.bus import Bus, BusUnavailable
from chassis.feed import AnotherLog, Feed
from chassis.logs import log
from chassis.owners_log import LogExpired, OwnersLog, OwnerUnavailable
from chassis.stream import EventStream, StreamRefused
from chassis.tasks import pause_after
from services.realtime.live import Live
from services.realtime.model import STREAMS

CONSUMES = {
    "thread_opened": "messaging",
    "message_created": "messaging",
    "delivery_status_changed": "messaging",
    "mode_changed": "messaging",
    "channel_changed": "messaging",
    "thread_erased": "messaging",
    "conversation_opened": "conversation",
    "conversation_solved": "conversation",
    "conversation_reopened": "conversation",
    "conversation_moved": "conversation",
    "conversation_read": "conversation",
    "conversation_seen": "conversation",
    "conversation_marked_unread": "conversation",
    "conversation_tagged": "conversation",
    "conversation_untagged": "conversation",
    "conversation_assigned": "conversation",
    "contact_changed": "conversation",
    "contacts_merged": "conversation",
    "contact_note_changed": "conversation",
    "tag_changed": "conversation",
    "counters_changed": "conversation",
    "inbox_settings_changed": "conversation",
    "conversation_erased": "conversation",
    "contact_erased": "conversation",
    "workspace_changed": "identity",
    "member_changed": "identity",
    "api_key_changed": "identity",
    "session_revoked": "identity",
    "article_changed": "assistant",
    "assistant_settings_changed": "assistant",
    "turn_ended": "assistant",
}
"""The events that watchers are told, and whose they are: those with a field in ServerFrame."""
OWNER_WITHIN = timedelta(seconds=2)
NEWEST = 2**62
"""Asked for, it gives no event, but says how the log stands."""


class Reader:
    """Reads one of STREAMS."""

    def __init__(self, live: Live, bus: Bus, source: int, owner: OwnersLog) -> None:
        self._live = live
        self._bus = bus
        self._source = source
        self._stream = STREAMS[source]
        self._owner = owner

    async def run(self) -> None:
        """Read for ever; a supervisor calls it again."""
        if self._live.stand(self._source) is None:
            self._live.begin(self._source, *await self._find())
        while True:
            try:
                await self._follow()
            except (LogExpired, AnotherLog) as reason:
                log.warning("stream_restarted", stream=self._stream, reason=type(reason).__name__)
                self._live.begin(self._source, *await self._ask_owner())

    async def _follow(self) -> None:
        """Raises: LogExpired, AnotherLog."""
        stand = self._live.stand(self._source)
        if stand is None:
            raise AnotherLog
        feed = Feed(self._bus, self._stream, self._owner, log_epoch=stand[0], gpos=stand[1])
        async with feed:
            while True:
                self._live.take(self._source, await feed.next())

    async def _find(self) -> tuple[str, int]:
        """Where to begin: at the end of the owner's log, or of the stream while it is away.

        A stream that was wiped is written again from its beginning: its end may be days ago.
        """
        failures = 0
        while True:
            with contextlib.suppress(OwnerUnavailable, TimeoutError):
                async with asyncio.timeout(OWNER_WITHIN.total_seconds()):
                    return await self._stand_of_owner()
            with contextlib.suppress(BusUnavailable, StreamRefused):
                state = await EventStream(self._bus, self._stream).state()
                if state is not None and state.log_epoch:
                    return state.log_epoch, state.last_seq
            failures += 1
            await asyncio.sleep(pause_after(failures).total_seconds())

    async def _ask_owner(self) -> tuple[str, int]:
        failures = 0
        while True:
            try:
                return await self._stand_of_owner()
            except OwnerUnavailable:
                failures += 1
                await asyncio.sleep(pause_after(failures).total_seconds())

    async def _stand_of_owner(self) -> tuple[str, int]:
        answer = await self._owner.read(NEWEST, 1)
        return answer.log_epoch, answer.last_gpos
