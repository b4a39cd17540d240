"""Presence and typing, the AI's too: told to all replicas by NATS, kept by each, soon forgotten."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.clock import Clock
from chassis.ids import WorkspaceId
from chassis.messages import Outgoing
from inbox.realtime import v1 as realtime_v1
from services.realtime import mapping
from services.realtime.live import Live

SUBJECT = "inbox.presence"


class PresenceHub:
    """Tells, and hears what other replicas tell."""

    def __init__(self, live: Live, bus: Bus, clock: Clock) -> None:
        self._live = live
        self._bus = bus
        self._clock = clock

    async def listen(self) -> None:
        """Hear of everybody from now on."""
        await self._bus.subscribe(f"{SUBJECT}.*", self._receive)

    async def tell(self, workspace_id: WorkspaceId, frame: realtime_v1.ServerFrame) -> None:
        """Tell every replica, this one too. Raises: BusUnavailable."""
        await self._bus.publish(Outgoing(f"{SUBJECT}.{workspace_id}", frame.SerializeToString()))

    def _receive(self, message: Msg) -> None:
        workspace_id = message.subject.rpartition(".")[2]
        try:
            frame = realtime_v1.ServerFrame.FromString(message.data)
        except DecodeError:
            return
        kind = frame.WhichOneof("body")
        if kind == "customer_typing":
            about = f"customer of {frame.customer_typing.conversation_id}"
            self._live.tell_presence(workspace_id, about, mapping.loose_chunk(frame))
        elif kind == "presence":
            self._hear(workspace_id, frame)
        elif kind == "ai_writing":
            self._hear_of_ai(workspace_id, frame)

    def _hear_of_ai(self, workspace_id: str, frame: realtime_v1.ServerFrame) -> None:
        conversation_id = frame.ai_writing.conversation_id
        is_writing = frame.ai_writing.is_writing
        now = self._clock.monotonic()
        self._live.writings.hear(workspace_id, conversation_id, is_writing=is_writing, now=now)
        self._live.tell_writing(workspace_id, conversation_id, is_writing=is_writing)

    def _hear(self, workspace_id: str, frame: realtime_v1.ServerFrame) -> None:
        presence = frame.presence
        member_id = presence.member_id
        if presence.is_gone:
            is_news = self._live.presences.leave(workspace_id, member_id)
        else:
            is_news = self._live.presences.hear(
                workspace_id,
                member_id,
                presence.SerializeToString(),
                self._clock.monotonic(),
                at_rest=mapping.at_rest(presence) if presence.is_typing else None,
            )
        if is_news:
            self._live.tell_presence(workspace_id, member_id, mapping.loose_chunk(frame))
