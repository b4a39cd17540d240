"""Who is where, told to realtime: the newest word per member, refreshed while a socket lives.

A member may have several sockets, here and at other gateways. Here the newest update counts, and
only the last socket's end says that they left. If another gateway says so while a socket lives
here, it is said again that they are there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from chassis.ids import WorkspaceId
from chassis.rpc.channel import in_workspace
from inbox.realtime import v1 as realtime_v1

if TYPE_CHECKING:
    from gateway.connection import Connection
    from gateway.jobs import Jobs
    from gateway.upstream import Upstream

TELLERS = 4
"""Calls under way at once; what changes meanwhile is told in its newest form."""
REFRESH_SECONDS = 15.0
"""Realtime lets a member fade after 30 s."""
TYPING_SECONDS = 8.0
CALL_SECONDS = 5.0
MAX_UNTOLD = 20_000

Key = tuple[str, str]
"""Workspace and member; or workspace and conversation, for a customer who types."""


@dataclass(slots=True, eq=False)
class _Member:
    display_name: str
    sockets: dict[Connection[Any], None] = field(default_factory=dict)
    """In the order of their last update."""
    conversation_id: str = ""
    is_typing: bool = False
    updated_at: float = 0.0


class Presences:
    """Everybody with a socket here."""

    def __init__(self, upstream: Upstream) -> None:
        self._realtime = realtime_v1.RealtimeServiceStub(upstream.own("realtime"))
        self._members: dict[Key, _Member] = {}
        self._untold: dict[Key, realtime_v1.PublishPresenceRequest] = {}
        self._wake = asyncio.Event()

    def start(self, jobs: Jobs) -> None:
        """Begin to tell."""
        for _ in range(TELLERS):
            jobs.keep("presence", self._tell)
        jobs.keep("presence refresh", self._refresh)

    def came(self, connection: Connection[Any], key: Key, display_name: str) -> None:
        """A socket of the member is live."""
        member = self._members.get(key)
        if member is None:
            member = self._members[key] = _Member(display_name)
            self._say(key, member)
        member.sockets[connection] = None

    def update(
        self, connection: Connection[Any], key: Key, update: realtime_v1.PresenceUpdate
    ) -> None:
        """The member moved or types."""
        member = self._members.get(key)
        if member is None or connection not in member.sockets:
            return
        del member.sockets[connection]
        member.sockets[connection] = None
        member.conversation_id = update.conversation_id
        member.is_typing = update.is_typing
        member.updated_at = asyncio.get_running_loop().time()
        self._say(key, member)

    def left(self, connection: Connection[Any], key: Key) -> None:
        """A socket of the member is gone."""
        member = self._members.get(key)
        if member is None or connection not in member.sockets:
            return
        del member.sockets[connection]
        if not member.sockets:
            del self._members[key]
            self._queue(key, realtime_v1.PublishPresenceRequest(member_id=key[1], is_gone=True))

    def heard(self, workspace_id: str, presence: realtime_v1.Presence) -> None:
        """What realtime says about a member: contradict it if they are here nevertheless."""
        key = workspace_id, presence.member_id
        if presence.is_gone and key in self._members:
            self._say(key, self._members[key])

    def customer_types(self, workspace_id: str, conversation_id: str) -> None:
        """The customer of a conversation is typing."""
        self._queue(
            (workspace_id, conversation_id),
            realtime_v1.PublishPresenceRequest(conversation_id=conversation_id, is_customer=True),
        )

    def _say(self, key: Key, member: _Member) -> None:
        recently = asyncio.get_running_loop().time() - member.updated_at < TYPING_SECONDS
        self._queue(
            key,
            realtime_v1.PublishPresenceRequest(
                member_id=key[1],
                display_name=member.display_name,
                conversation_id=member.conversation_id,
                is_typing=member.is_typing and recently,
            ),
        )

    def _queue(self, key: Key, request: realtime_v1.PublishPresenceRequest) -> None:
        if len(self._untold) < MAX_UNTOLD or key in self._untold:
            self._untold[key] = request
            self._wake.set()

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            while self._untold:
                # The oldest first; a newer word about somebody keeps their place in the line.
                key = next(iter(self._untold))
                request = self._untold.pop(key)
                try:
                    await self._realtime.PublishPresence(
                        request,
                        timeout=CALL_SECONDS,
                        metadata=in_workspace(WorkspaceId(key[0])),
                    )
                except grpc.aio.AioRpcError:
                    # Presence is never repeated for its own sake: the refresh says it again.
                    await asyncio.sleep(1)
            self._wake.clear()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            for key, member in self._members.items():
                self._say(key, member)
