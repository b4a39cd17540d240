"""One workspace's live stream, held once per gateway process and shared by all its sockets.

What realtime brings is encoded once per subprotocol, joined, and the same bytes go to every socket.
The chain of frames says whether anything is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chassis import metrics
from gateway import wire
from gateway.close_codes import CloseCode
from gateway.encodings import Encoding
from gateway.ring import Event, Ring
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from gateway.connection import Connection

ERASES = frozenset({wire.THREAD_ERASED, wire.CONVERSATION_ERASED, wire.CONTACT_ERASED})
"""Events before which nothing may be remembered: it is not erased from memories one by one."""

Listener = Callable[["Hub", Event], None]


class ChainBroken(Exception):
    """A frame does not follow the one before: something between was missed."""


class Hub:
    """The state; the process's trunk brings the frames."""

    def __init__(self, workspace_id: str, listeners: Sequence[Listener] = ()) -> None:
        """`listeners` hear every event, after the sockets."""
        self.workspace_id = workspace_id
        self.position = ""
        self.attached: set[Connection[Any]] = set()
        """Every socket of the workspace: agents', also those still catching up, and visitors'."""
        self._listeners = listeners
        self._live: dict[Encoding, set[Connection[Any]]] = {each: set() for each in Encoding}
        self._ring = Ring()
        self._present: dict[str, realtime_v1.Presence] = {}
        self._moved = asyncio.Event()
        self._is_fed = False

    @property
    def is_live(self) -> bool:
        """Whether the stream flows and its position is known."""
        return self._is_fed and bool(self.position)

    async def wait_for_news(self, within_seconds: float) -> None:
        """Until the hub hears something, or that long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self._moved.wait()

    def following(self, position: str) -> list[Event] | None:
        """What a client at this position must get before it can join; None if not known here."""
        return [] if position == self.position else self._ring.after(position)

    def join(self, connection: Connection[Any]) -> None:
        """From here on the socket gets what comes; it stands where the hub stands."""
        members = realtime_v1.PresentMembers(members=self._present.values())
        connection.emit(realtime_v1.ServerFrame(present_members=members))
        if connection.is_open:
            self._live[connection.encoding].add(connection)

    def leave(self, connection: Connection[Any]) -> None:
        """The socket is gone."""
        self.attached.discard(connection)
        self._live[connection.encoding].discard(connection)

    def is_present(self, member_id: str) -> bool:
        """Whether colleagues see this member."""
        return member_id in self._present

    def take(self, frames: Iterable[bytes]) -> None:
        """One batch of realtime: remember it and pass it on. Raises: ChainBroken, WireInvalid."""
        self._is_fed = True
        events: list[Event] = []
        try:
            for raw in frames:
                event = Event(raw)
                if not event.position or self._follow(event):
                    events.append(event)
        finally:
            # Also what came before a break of the chain: the position says it was passed on.
            self._pass_on(events)
        self._moved.set()
        self._moved = asyncio.Event()

    def _follow(self, event: Event) -> bool:
        """Move on to the event's position; False for a repeat. Raises: ChainBroken."""
        if event.kind == wire.RESYNC_REQUIRED or not self.position:
            self._ring.clear()
        elif event.position == self.position:
            return False
        elif event.previous != self.position:
            raise ChainBroken
        else:
            if event.kind in ERASES:
                self._ring.clear()
            self._ring.append(event)
        self.position = event.position
        return True

    def _pass_on(self, events: list[Event]) -> None:
        for encoding, connections in self._live.items():
            if connections and events:
                chunk = b"".join([event.encoded(encoding) for event in events])
                # A copy: a socket that is too slow leaves the set while it is written to.
                for connection in tuple(connections):
                    connection.offer(chunk)
                metrics.GATEWAY_FRAMES.inc(len(connections) * len(events))
        for event in events:
            self._notice(event)

    def _notice(self, event: Event) -> None:
        if event.kind == wire.PRESENCE:
            presence = realtime_v1.ServerFrame.FromString(event.raw).presence
            if presence.is_gone:
                self._present.pop(presence.member_id, None)
            else:
                self._present[presence.member_id] = presence
        elif event.kind == wire.PRESENT_MEMBERS:
            present = realtime_v1.ServerFrame.FromString(event.raw).present_members
            self._present = {presence.member_id: presence for presence in present.members}
        for listener in self._listeners:
            listener(self, event)

    def lose(self) -> None:
        """The stream broke: until it brings something, nobody can join."""
        self._is_fed = False

    def send_away(self) -> None:
        """The stream is broken for too long: let every socket look elsewhere."""
        for connection in tuple(self.attached):
            connection.close(CloseCode.RESTART, "the source of live events is away; come back")
