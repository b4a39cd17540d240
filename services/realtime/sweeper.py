"""Once a second: quiet rooms hear that all is well, members and signs fade, empty rooms close."""

from __future__ import annotations

from datetime import timedelta

from chassis.clock import Clock
from services.realtime import mapping
from services.realtime.live import Live

EVERY = timedelta(seconds=1)
QUIET_SECONDS = 60.0
"""So a position never grows old in a quiet workspace, and a watcher knows a dead stream."""


async def sweep_for_ever(live: Live, clock: Clock) -> None:
    """Sweep until cancelled."""
    while True:
        await clock.sleep(EVERY)
        sweep(live, clock.monotonic())


def sweep(live: Live, now: float) -> None:
    """Sweep once."""
    for room in live.rooms:
        if now - room.told_at >= QUIET_SECONDS:
            live.advance(room)
    for workspace_id, member_id in live.presences.fade(now):
        live.tell_presence(workspace_id, member_id, mapping.gone_chunk(member_id))
    for workspace_id, member_id, said in live.presences.rest(now):
        live.tell_presence(workspace_id, member_id, mapping.presence_chunk(said))
    for workspace_id, conversation_id in live.writings.fade(now):
        live.tell_writing(workspace_id, conversation_id, is_writing=False)
    live.rooms.sweep(now)
