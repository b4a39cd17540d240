"""`python -m services.realtime`: live updates."""

from __future__ import annotations

from chassis.owners_log import RemoteLog
from chassis.server import Process, main
from services.realtime.actions import PresenceHub, Replay
from services.realtime.consumers import Reader
from services.realtime.live import Live
from services.realtime.model import STREAMS
from services.realtime.service import RealtimeService, add_to_server
from services.realtime.settings import RealtimeSettings
from services.realtime.sweeper import sweep_for_ever


async def wire(process: Process, settings: RealtimeSettings) -> None:
    """Put the parts together."""
    bus = process.bus
    live = Live(process.clock)
    owners = {
        "INBOX_ASSISTANT": settings.assistant_address,
        "INBOX_CONVERSATION": settings.conversation_address,
        "INBOX_IDENTITY": settings.identity_address,
        "INBOX_MESSAGING": settings.messaging_address,
    }
    for source, stream in enumerate(STREAMS):
        owner = RemoteLog(process.channel(owners[stream]))
        process.supervise(f"read {stream}", Reader(live, bus, source, owner).run)
    presence = PresenceHub(live, bus, process.clock)
    await presence.listen()
    process.supervise("sweep", lambda: sweep_for_ever(live, process.clock))
    process.ready_when("streams", live.missing)
    process.serve(add_to_server, RealtimeService(live, Replay(bus, process.clock), presence))


if __name__ == "__main__":
    main("realtime", RealtimeSettings, wire)
