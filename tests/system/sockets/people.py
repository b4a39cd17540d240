"""An agent and a customer as programs: the gateway's HTTP surface and both live sockets."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from google.rpc import error_details_pb2

from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.live_client import cut

if TYPE_CHECKING:
    from google.protobuf.message import Message

Answer = TypeVar("Answer", bound="Message")

SUBPROTOCOL = "inbox.v1.proto"
WITHIN_SECONDS = 15.0
COME_BACK_WITHIN_SECONDS = 30.0


class Refused(Exception):
    """The gateway answered with an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.code = body.get("code")
        self.reason = _reason(body)


class Closed(Exception):
    """The socket ended."""

    def __init__(self, code: int | None) -> None:
        super().__init__(str(code))
        self.code = code


class ChainBroken(AssertionError):
    """A frame does not follow the one before."""


@dataclass
class Edge:
    """The front door."""

    http: aiohttp.ClientSession
    origin: str

    async def call(
        self,
        path: str,
        request: Message,
        kind: type[Answer],
        credential: str = "",
    ) -> Answer:
        """One Connect call. Raises: Refused."""
        headers = {"content-type": "application/proto"}
        if credential:
            headers["authorization"] = f"Bearer {credential}"
        async with self.http.post(
            f"{self.origin}/{path}", data=request.SerializeToString(), headers=headers
        ) as answer:
            body = await answer.read()
            if answer.status != 200:
                is_json = answer.content_type == "application/json"
                raise Refused(answer.status, await answer.json() if is_json else {})
        return kind.FromString(body)

    async def open_socket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(
            f"{self.origin}{path}", protocols=(SUBPROTOCOL,), max_msg_size=0
        )


@dataclass
class Customer:
    """A visitor of the chat box, without the box."""

    edge: Edge
    channel_id: str
    session: messaging_v1.OpenSessionResponse = field(
        default_factory=messaging_v1.OpenSessionResponse
    )

    @property
    def conversation_id(self) -> str:
        return self.session.conversation_id

    async def arrive(self, **more: str) -> None:
        asked = messaging_v1.OpenSessionRequest(
            channel_id=self.channel_id, visitor_secret=self.session.visitor_secret, **more
        )
        self.session = await self.edge.call(
            "inbox.messaging.v1.WebChatService/OpenSession",
            asked,
            messaging_v1.OpenSessionResponse,
        )

    async def write(self, text: str) -> messaging_v1.VisitorMessage:
        asked = messaging_v1.PostMessageRequest(client_message_id=new_id(), text=text)
        answer = await self.edge.call(
            "inbox.messaging.v1.WebChatService/PostMessage",
            asked,
            messaging_v1.PostMessageResponse,
            self.session.access_token,
        )
        return answer.message


class Box:
    """A customer's live socket."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def connect(self) -> realtime_v1.VisitorHello:
        self.socket = await self.customer.edge.open_socket("/ws/chat")
        hello = realtime_v1.VisitorClientHello(access_token=self.customer.session.access_token)
        await self.send(hello=hello)
        return (await self.until("hello")).hello

    async def send(self, ref: int = 0, **body: Any) -> None:
        assert self.socket is not None
        frame = realtime_v1.VisitorClientFrame(ref=ref, **body)
        await self.socket.send_bytes(frame.SerializeToString())

    async def until(self, kind: str) -> realtime_v1.VisitorServerFrame:
        assert self.socket is not None
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                received = await self.socket.receive()
                if received.type is not aiohttp.WSMsgType.BINARY:
                    raise Closed(self.socket.close_code)
                frame = realtime_v1.VisitorServerFrame.FromString(received.data)
                if frame.WhichOneof("body") == kind:
                    return frame


@dataclass
class Agent:
    """A program with an agent's key that keeps what a web client keeps: entities by version."""

    edge: Edge
    key: str
    position: str = ""
    messages: dict[str, messaging_v1.Message] = field(default_factory=dict)
    conversations: dict[str, conversation_v1.Conversation] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    """How often each new message was told."""
    snapshots: int = 0
    socket: aiohttp.ClientWebSocketResponse | None = None

    async def connect(self) -> realtime_v1.Hello:
        """With a fresh ticket, from the last position on. Raises: Refused, Closed."""
        ticket = await self.edge.call(
            "inbox.identity.v1.IdentityService/CreateTicket",
            identity_v1.CreateTicketRequest(),
            identity_v1.CreateTicketResponse,
            self.key,
        )
        hello = await self.connect_with(ticket.ticket)
        if not hello.is_resumed:
            await self._load(self.position)
        return hello

    async def connect_with(self, ticket: str) -> realtime_v1.Hello:
        """Open the socket and be greeted, without loading anything. Raises: Closed."""
        self.socket = await self.edge.open_socket("/ws")
        await self.send(hello=realtime_v1.ClientHello(ticket=ticket, position=self.position))
        frame = await self.frame()
        assert frame.WhichOneof("body") == "hello", frame
        if not frame.hello.is_resumed:
            self.position = frame.position
        return frame.hello

    async def come_back(self) -> None:
        """Connect, as often as it takes."""
        async with asyncio.timeout(COME_BACK_WITHIN_SECONDS):
            while True:
                try:
                    await self.connect()
                except (Refused, Closed, aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(0.1)
                else:
                    return

    def cut(self) -> None:
        """The network goes away without a word."""
        assert self.socket is not None
        cut(self.socket)
        self.socket = None

    async def send(self, ref: int = 0, **body: Any) -> None:
        assert self.socket is not None
        frame = realtime_v1.ClientFrame(ref=ref, **body)
        await self.socket.send_bytes(frame.SerializeToString())

    async def frame(self, within: float = WITHIN_SECONDS) -> realtime_v1.ServerFrame:
        """The next frame, applied. Raises: Closed, TimeoutError, ChainBroken."""
        assert self.socket is not None
        async with asyncio.timeout(within):
            received = await self.socket.receive()
        if received.type is not aiohttp.WSMsgType.BINARY:
            raise Closed(self.socket.close_code)
        frame = realtime_v1.ServerFrame.FromString(received.data)
        if frame.WhichOneof("body") == "resync_required":
            await self._load(frame.position)
        elif frame.position and frame.position != self.position and frame.previous:
            if frame.previous != self.position:
                raise ChainBroken(f"{frame.previous} does not follow {self.position}")
            self.position = frame.position
            self._apply(frame)
        return frame

    async def until(self, kind: str) -> realtime_v1.ServerFrame:
        while True:
            frame = await self.frame()
            if frame.WhichOneof("body") == kind:
                return frame

    async def say(self, conversation_id: str, text: str, client_message_id: str) -> bool:
        """Send over the socket; whether it was acknowledged. A repeat is safe."""
        request = messaging_v1.SendMessageRequest(
            conversation_id=conversation_id, client_message_id=client_message_id, text=text
        )
        try:
            await self.send(7, send_message=request)
            while True:
                ack = (await self.until("ack")).ack
                if ack.sent.message.client_message_id == client_message_id:
                    return True
                if ack.HasField("error"):
                    return False
        except (Closed, ConnectionError, TimeoutError):
            return False

    async def take_in(self, seconds: float) -> None:
        """Read for a while."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.frame()
        except TimeoutError:
            return

    async def state(self) -> dict[str, Any]:
        """What a fresh page would load."""
        fresh = Agent(self.edge, self.key)
        await fresh._load(self.position)
        return fresh.known

    @property
    def known(self) -> dict[str, Any]:
        """What is held: every message and conversation at its version."""
        return {
            **{
                identity: (message.version, message.seq, message.text, message.delivery_status)
                for identity, message in self.messages.items()
            },
            **{
                identity: (
                    conversation.version,
                    conversation.folder,
                    conversation.preview.seq,
                    conversation.inbound_count,
                    conversation.read_ordinal,
                )
                for identity, conversation in self.conversations.items()
            },
        }

    async def _load(self, position: str) -> None:
        self.position = position
        self.snapshots += 1
        listed = await self.edge.call(
            "inbox.conversation.v1.ConversationService/ListConversations",
            conversation_v1.ListConversationsRequest(page_size=200, position=position),
            conversation_v1.ListConversationsResponse,
            self.key,
        )
        for conversation in listed.conversations:
            self._keep_conversation(conversation)
            await self._load_messages(conversation.id)

    async def _load_messages(self, conversation_id: str) -> None:
        before = 0
        while True:
            page = await self.edge.call(
                "inbox.messaging.v1.MessagingService/ListMessages",
                messaging_v1.ListMessagesRequest(
                    conversation_id=conversation_id, before_seq=before, page_size=200
                ),
                messaging_v1.ListMessagesResponse,
                self.key,
            )
            for message in page.messages:
                self._keep_message(message)
            if not page.has_more:
                return
            before = page.messages[-1].seq

    def _apply(self, frame: realtime_v1.ServerFrame) -> None:
        match frame.WhichOneof("body"):
            case "message_created":
                created = frame.message_created
                self.told[created.message.id] = self.told.get(created.message.id, 0) + 1
                self._keep_message(created.message)
                self._project(created)
            case "delivery_status_changed":
                self._keep_message(frame.delivery_status_changed.message)
            case "conversation_opened":
                self._keep_conversation(frame.conversation_opened.conversation)
            case "conversation_solved":
                self._keep_conversation(frame.conversation_solved.conversation)
            case "conversation_reopened":
                self._keep_conversation(frame.conversation_reopened.conversation)
            case "conversation_read":
                self._keep_conversation(frame.conversation_read.conversation)
            case "thread_erased":
                gone = frame.thread_erased
                self.messages = {
                    identity: message
                    for identity, message in self.messages.items()
                    if message.conversation_id != gone.conversation_id
                    or message.seq > gone.last_seq
                }
            case "conversation_erased":
                self.conversations.pop(frame.conversation_erased.conversation_id, None)
            case _:
                pass

    def _keep_message(self, message: messaging_v1.Message) -> None:
        known = self.messages.get(message.id)
        if known is None or known.version < message.version:
            self.messages[message.id] = message

    def _keep_conversation(self, conversation: conversation_v1.Conversation) -> None:
        """By the owner's version; a projected field by its own."""
        known = self.conversations.get(conversation.id)
        newer, older = conversation, known
        if known is not None and known.version > conversation.version:
            newer, older = known, conversation
        kept = conversation_v1.Conversation()
        kept.CopyFrom(newer)
        if older is not None:
            kept.inbound_count = max(newer.inbound_count, older.inbound_count)
            if older.preview.seq > newer.preview.seq:
                kept.preview.CopyFrom(older.preview)
        self.conversations[conversation.id] = kept

    def _project(self, created: messaging_v1.MessageCreated) -> None:
        known = self.conversations.get(created.thread.conversation_id)
        if known is None:
            # It was opened by this message: the conversation's own event comes a moment later.
            known = conversation_v1.Conversation(id=created.thread.conversation_id)
            self.conversations[known.id] = known
        known.inbound_count = max(known.inbound_count, created.thread.inbound_count)
        if created.message.seq > known.preview.seq:
            known.preview.seq = created.message.seq


def _reason(body: dict[str, Any]) -> str:
    for detail in body.get("details", ()):
        value = detail["value"]
        info = error_details_pb2.ErrorInfo.FromString(
            base64.b64decode(value + "=" * (-len(value) % 4))
        )
        reason: str = info.reason
        return reason
    return ""
