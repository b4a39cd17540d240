"""A watcher of a workspace as a browser is one: snapshot, then frames, resumed over and over.

The rules by which it merges are those of docs/adr/0002: per field the higher version of its owner.
`digest` is what a screen would show, so two clients that saw the same world have equal digests.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.connect_client import ConnectClient

CONVERSATIONS = "inbox.conversation.v1.ConversationService"
MESSAGING = "inbox.messaging.v1.MessagingService"
RESUMABLE = {1000, 1001, 1006, 1011, 1012, 4401, 4408}


@dataclass
class Entry:
    """One conversation as a list entry: each field with the version of its owner."""

    version: int = 0
    folder: int = 0
    contact_name: str = ""
    read_ordinal: int = 0
    preview_seq: int = 0
    preview_text: str = ""
    preview_attachment_kind: int = 0
    inbound_count: int = 0
    mode_epoch: int = -1
    mode: int = 0

    def shown(self) -> tuple[Any, ...]:
        """What the list entry says."""
        unread = max(0, self.inbound_count - self.read_ordinal)
        return (
            self.folder,
            self.contact_name,
            self.preview_seq,
            self.preview_text,
            self.preview_attachment_kind,
            unread,
            self.mode,
        )


@dataclass
class Desk:
    """The state of one client."""

    entries: dict[str, Entry] = field(default_factory=dict)
    messages: dict[str, messaging_v1.Message] = field(default_factory=dict)

    def entry(self, conversation_id: str) -> Entry:
        """The entry, made on first mention: events of several streams come in any order."""
        return self.entries.setdefault(conversation_id, Entry())

    def put_conversation(self, conversation: conversation_v1.Conversation) -> None:
        """Merge what the conversation service says."""
        entry = self.entry(conversation.id)
        if conversation.version > entry.version:
            entry.version = conversation.version
            entry.folder = conversation.folder
            entry.contact_name = conversation.contact.display_name
            entry.read_ordinal = conversation.read_ordinal
        if conversation.preview.seq > entry.preview_seq:
            entry.preview_seq = conversation.preview.seq
            entry.preview_text = conversation.preview.text
            entry.preview_attachment_kind = conversation.preview.attachment_kind
        entry.inbound_count = max(entry.inbound_count, conversation.inbound_count)
        if conversation.mode_epoch > entry.mode_epoch:
            entry.mode_epoch = conversation.mode_epoch
            entry.mode = conversation.mode

    def put_thread(self, thread: messaging_v1.Thread) -> None:
        """Merge what messaging says of the thread."""
        entry = self.entry(thread.conversation_id)
        entry.inbound_count = max(entry.inbound_count, thread.inbound_count)
        if thread.mode_epoch > entry.mode_epoch:
            entry.mode_epoch = thread.mode_epoch
            entry.mode = thread.mode

    def put_message(self, message: messaging_v1.Message) -> None:
        """Merge a message."""
        known = self.messages.get(message.id)
        if known is None or message.version > known.version:
            self.messages[message.id] = message
        entry = self.entry(message.conversation_id)
        if message.seq > entry.preview_seq:
            entry.preview_seq = message.seq
            entry.preview_text = " ".join(message.text.split())[:140]
            entry.preview_attachment_kind = next((a.kind for a in message.attachments), 0)

    def apply(self, frame: realtime_v1.ServerFrame) -> None:
        """Merge one frame."""
        kind = frame.WhichOneof("body")
        if kind == "message_created":
            self.put_thread(frame.message_created.thread)
            self.put_message(frame.message_created.message)
        elif kind == "delivery_status_changed":
            self.put_message(frame.delivery_status_changed.message)
        elif kind == "mode_changed":
            self.put_thread(frame.mode_changed.thread)
        elif kind == "thread_opened":
            self.put_thread(frame.thread_opened.thread)
        elif kind is not None and kind.startswith("conversation_"):
            self.put_conversation(getattr(frame, kind).conversation)

    def digest(self) -> dict[str, Any]:
        """Everything a person could see, comparable."""
        return {
            "entries": {key: entry.shown() for key, entry in sorted(self.entries.items())},
            "messages": {
                (message.conversation_id, message.seq): (
                    message.id,
                    message.text,
                    message.delivery_status,
                    message.version,
                )
                for message in self.messages.values()
            },
        }


async def fresh_snapshot(connect: ConnectClient, position: str = "") -> Desk:
    """Everything as the services say it is now, and at least what a position tells of."""
    desk = Desk()
    for folder in (
        conversation_v1.FOLDER_OPEN,
        conversation_v1.FOLDER_SOLVED,
        conversation_v1.FOLDER_SPAM,
        conversation_v1.FOLDER_ARCHIVED,
    ):
        token = ""
        while True:
            page = await connect.call(
                f"{CONVERSATIONS}/ListConversations",
                conversation_v1.ListConversationsRequest(
                    folder=folder, page_size=200, page_token=token, position=position
                ),
                conversation_v1.ListConversationsResponse,
            )
            for conversation in page.conversations:
                desk.put_conversation(conversation)
            token = page.next_page_token
            if not token:
                break
    for conversation_id in list(desk.entries):
        for message in await whole_history(connect, conversation_id):
            desk.put_message(message)
    return desk


async def whole_history(connect: ConnectClient, conversation_id: str) -> list[messaging_v1.Message]:
    """All messages of a conversation, newest first."""
    messages: list[messaging_v1.Message] = []
    before = 0
    while True:
        page = await connect.call(
            f"{MESSAGING}/ListMessages",
            messaging_v1.ListMessagesRequest(
                conversation_id=conversation_id, before_seq=before, page_size=200
            ),
            messaging_v1.ListMessagesResponse,
        )
        messages += page.messages
        if not page.has_more:
            return messages
        before = page.messages[-1].seq


def cut(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Cut a connection the rude way: no close frame, no warning."""
    connection = socket._response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


class LiveClient:
    """One browser: keeps a socket, resumes it for ever, and counts what should never happen."""

    def __init__(self, connect: ConnectClient) -> None:
        self.connect = connect
        self.desk = Desk()
        self.position = ""
        self.chain_breaks = 0
        self.resyncs = 0
        self.connections = 0
        self.frames = 0
        self.close_codes: list[int] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.live = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError, OSError):
                await self._one_connection()
            self.live.clear()
            await asyncio.sleep(0.05)

    def cut(self) -> None:
        """The network goes away; it comes back by itself."""
        if self._socket is not None:
            cut(self._socket)

    async def _one_connection(self) -> None:
        ticket = await self._ticket()
        async with self.connect.http.ws_connect(
            self.connect.url.replace("http", "ws", 1) + "/ws",
            protocols=("inbox.v1.proto",),
            origin=self.connect.url,
            timeout=aiohttp.ClientWSTimeout(ws_close=2),
        ) as socket:
            self._socket = socket
            self.connections += 1
            hello = realtime_v1.ClientFrame(
                hello=realtime_v1.ClientHello(ticket=ticket, position=self.position)
            )
            await socket.send_bytes(hello.SerializeToString())
            async for received in socket:
                if received.type is aiohttp.WSMsgType.BINARY:
                    await self._take(realtime_v1.ServerFrame.FromString(received.data))
            self.close_codes.append(socket.close_code or 1006)
            if (socket.close_code or 1006) not in RESUMABLE:
                raise AssertionError(f"closed for good with {socket.close_code}")

    async def _ticket(self) -> str:
        async with self.connect.http.post(
            f"{self.connect.url}/auth/ticket",
            headers={"authorization": f"Bearer {self.connect.token}"},
            timeout=aiohttp.ClientTimeout(total=5),
        ) as response:
            response.raise_for_status()
            return str((await response.json())["ticket"])

    async def _take(self, frame: realtime_v1.ServerFrame) -> None:
        self.frames += 1
        kind = frame.WhichOneof("body")
        if kind == "hello":
            if not frame.hello.is_resumed:
                await self._load(frame.position)
            self.live.set()
        elif kind == "resync_required":
            self.resyncs += 1
            await self._load(frame.position)
        elif frame.position:
            if self.position and frame.previous != self.position:
                self.chain_breaks += 1
            self.desk.apply(frame)
        if frame.position:
            self.position = frame.position

    async def _load(self, position: str) -> None:
        # Frames that arrive meanwhile wait in the socket's buffer: socket first, then the snapshot.
        self.desk = await fresh_snapshot(self.connect, position)
