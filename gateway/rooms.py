"""What visitors may know of the workspace's events: their own conversation, seen from outside.

A room is one conversation with at least one chat box open. Events of other conversations are
passed over by their bytes; an event of a room is opened, told anew in the customer's words, and
encoded once for all boxes of the room. Notes, members' ids, mode and reasons never get here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway import wire
from gateway.close_codes import CloseCode
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from gateway.connection import Connection
    from gateway.hub import Hub
    from gateway.ring import Event
    from gateway.visitor_session import VisitorSession

OF_MESSAGES = frozenset({wire.MESSAGE_CREATED, wire.DELIVERY_STATUS_CHANGED})
MESSAGE, CONVERSATION_ID = 1, 2
"""Field numbers: the message in both events, the conversation's id in the message."""

AUTHORS = {
    messaging_v1.AUTHOR_KIND_CUSTOMER: messaging_v1.VISITOR_AUTHOR_KIND_SELF,
    messaging_v1.AUTHOR_KIND_MEMBER: messaging_v1.VISITOR_AUTHOR_KIND_AGENT,
    messaging_v1.AUTHOR_KIND_PHONE_APP: messaging_v1.VISITOR_AUTHOR_KIND_AGENT,
    messaging_v1.AUTHOR_KIND_AI: messaging_v1.VISITOR_AUTHOR_KIND_ASSISTANT,
    messaging_v1.AUTHOR_KIND_SYSTEM: messaging_v1.VISITOR_AUTHOR_KIND_ASSISTANT,
}
"""As WebChatService.ListMessages tells it."""
HANDED_OVER = frozenset(
    {
        messaging_v1.DELIVERY_STATUS_UNSPECIFIED,
        messaging_v1.DELIVERY_STATUS_SENT,
        messaging_v1.DELIVERY_STATUS_DELIVERED,
        messaging_v1.DELIVERY_STATUS_READ,
    }
)
"""What a box may show. One still queued may yet be withdrawn by a person who takes over."""
FRESHLY_HANDED_OVER = messaging_v1.DELIVERY_STATUS_SENT
"""Of later changes only this one is news: the others are what the box itself reported."""

THE_AI = "the AI"
"""Among members' ids: it is none."""

RoomKey = tuple[str, str]
"""Workspace and conversation."""


@dataclass(slots=True, eq=False)
class _Room:
    live: set[Connection[VisitorSession]] = field(default_factory=set)
    held: dict[Connection[VisitorSession], list[Message]] = field(default_factory=dict)
    """Boxes that wait for their hello, and what came meanwhile."""
    typing: set[str] = field(default_factory=set)
    """The members who type, and the AI; the boxes only learn that somebody does."""


class Rooms:
    """Every room of the process."""

    def __init__(self) -> None:
        self._rooms: dict[RoomKey, _Room] = {}
        self._open: dict[str, int] = {}
        """How many rooms a workspace has."""

    def hold(self, key: RoomKey, connection: Connection[VisitorSession]) -> None:
        """Keep for a box what comes from now on."""
        if key not in self._rooms:
            self._rooms[key] = _Room()
            self._open[key[0]] = self._open.get(key[0], 0) + 1
        self._rooms[key].held[connection] = []

    def release(self, key: RoomKey, connection: Connection[VisitorSession]) -> None:
        """The box has had its hello: give it what was kept, and from now on all that comes."""
        room = self._rooms.get(key)
        if room is None or connection not in room.held:
            return
        for message in room.held.pop(connection):
            connection.emit(message)
        if connection.is_open:
            room.live.add(connection)

    def leave(self, key: RoomKey, connection: Connection[VisitorSession]) -> None:
        """The box is gone."""
        room = self._rooms.get(key)
        if room is None:
            return
        room.live.discard(connection)
        room.held.pop(connection, None)
        if not room.live and not room.held:
            del self._rooms[key]
            self._open[key[0]] -= 1
            if not self._open[key[0]]:
                del self._open[key[0]]

    def notice(self, hub: Hub, event: Event) -> None:
        """One event of a workspace."""
        if hub.workspace_id not in self._open:
            return
        if event.kind in OF_MESSAGES:
            found = wire.find(event.raw, event.kind, MESSAGE, CONVERSATION_ID)
            room = self._rooms.get((hub.workspace_id, (found or b"").decode()))
            if room is not None:
                self._tell_message(room, realtime_v1.ServerFrame.FromString(event.raw))
        elif event.kind == wire.PRESENCE:
            presence = realtime_v1.ServerFrame.FromString(event.raw).presence
            self._tell_typing(hub.workspace_id, presence)
        elif event.kind == wire.AI_WRITING:
            writing = realtime_v1.ServerFrame.FromString(event.raw).ai_writing
            self._tell_ai_typing(hub.workspace_id, writing)
        elif event.kind == wire.RESYNC_REQUIRED:
            self._send_away(hub.workspace_id)

    def _tell_message(self, room: _Room, frame: realtime_v1.ServerFrame) -> None:
        if frame.HasField("message_created"):
            message = frame.message_created.message
        else:
            message = frame.delivery_status_changed.message
            if message.delivery_status != FRESHLY_HANDED_OVER:
                return
        told = as_visitor_sees(message)
        if told is not None:
            _tell(room, realtime_v1.VisitorServerFrame(message=told))

    def _tell_typing(self, workspace_id: str, presence: realtime_v1.Presence) -> None:
        types_in = presence.conversation_id if presence.is_typing and not presence.is_gone else ""
        for (workspace, conversation_id), room in self._rooms.items():
            if workspace != workspace_id:
                continue
            was_typing = bool(room.typing)
            if conversation_id == types_in:
                room.typing.add(presence.member_id)
            else:
                room.typing.discard(presence.member_id)
            if bool(room.typing) != was_typing or conversation_id == types_in:
                typing = realtime_v1.VisitorTyping(is_over=not room.typing)
                _tell(room, realtime_v1.VisitorServerFrame(typing=typing))

    def _tell_ai_typing(self, workspace_id: str, writing: realtime_v1.AiWriting) -> None:
        room = self._rooms.get((workspace_id, writing.conversation_id))
        if room is None:
            return
        if writing.is_writing:
            room.typing.add(THE_AI)
        else:
            room.typing.discard(THE_AI)
        typing = realtime_v1.VisitorTyping(is_over=not room.typing)
        _tell(room, realtime_v1.VisitorServerFrame(typing=typing))

    def _send_away(self, workspace_id: str) -> None:
        """Something may have been missed: on coming back the boxes list what they lack."""
        for (workspace, _), room in tuple(self._rooms.items()):
            if workspace == workspace_id:
                for connection in (*room.live, *room.held):
                    connection.close(CloseCode.RESTART, "something was missed; come back")


def as_visitor_sees(message: messaging_v1.Message) -> messaging_v1.VisitorMessage | None:
    """The message in the customer's words; None when it is not for them, or not yet."""
    author_kind = AUTHORS.get(message.author.kind)
    if author_kind is None or message.direction == messaging_v1.MESSAGE_DIRECTION_INTERNAL:
        return None
    is_own = author_kind == messaging_v1.VISITOR_AUTHOR_KIND_SELF
    if not is_own and message.delivery_status not in HANDED_OVER:
        return None
    return messaging_v1.VisitorMessage(
        id=message.id,
        seq=message.seq,
        client_message_id=message.client_message_id if is_own else "",
        author_kind=author_kind,
        author_display_name=message.author.display_name,
        text=message.text,
        create_time=message.create_time,
        version=message.version,
    )


def _tell(room: _Room, message: realtime_v1.VisitorServerFrame) -> None:
    encoded: dict[object, bytes] = {}
    for connection in tuple(room.live):
        if connection.encoding not in encoded:
            encoded[connection.encoding] = connection.encoding.encode(message)
        connection.offer(encoded[connection.encoding])
    for held in room.held.values():
        held.append(message)
