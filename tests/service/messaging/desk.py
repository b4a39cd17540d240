"""The small language that messaging's tests speak: a business, its channels, its customers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message as ProtoMessage

from chassis.auth import Role, VisitorBinding
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from inbox.messaging import v1
from services.messaging.actions.inbound import accept_inbound
from services.messaging.actions.web_chat import VisitorToken
from services.messaging.actions.writers import Writers
from services.messaging.events import PUBLISHES
from services.messaging.model.channel import ChannelId, ChannelKind
from services.messaging.model.draft import Opening, Stored
from services.messaging.service.erasure import ErasureService
from services.messaging.service.means import Means
from services.messaging.service.messaging import MessagingService
from services.messaging.service.web_chat import WebChatService
from tests.fakes import FakeClock
from tests.service.messaging.files import KeptFiles
from tests.serving import Serving, Tokens, serving

WITHIN = timedelta(seconds=10)
OWN_ORIGIN = "http://localhost:8080"

ADD_CHANNEL = """
INSERT INTO channels (workspace_id, id, kind, display_name, state, state_reason, settings,
                      create_time, state_time, version)
VALUES ($1, $2, $3, $4, 'connected', '', '{"allowed_origins": ["https://shop.example"],
        "greeting": "Hola", "accent_color": "#112233"}', $5, $5, 1)
"""
ADD_ROUTE = "INSERT INTO channel_routes (channel_id, workspace_id, kind) VALUES ($1, $2, $3)"
PUBLISHED = "SELECT subject, payload FROM outbox WHERE workspace_id = $1 ORDER BY id"


@dataclass
class MadeTokens:
    """Identity's part, with the test's own keys."""

    tokens: Tokens
    issued: list[VisitorBinding] = field(default_factory=list)

    async def issue(
        self, workspace_id: WorkspaceId, binding: VisitorBinding, display_name: str
    ) -> VisitorToken:
        self.issued.append(binding)
        token = self.tokens.token(
            Role.VISITOR, workspace_id, visitor=binding, display_name=display_name
        )
        return VisitorToken(token, self.tokens.clock.now() + timedelta(minutes=15))


class Desk:
    """One workspace at a running messaging service."""

    def __init__(self, workspace_id: WorkspaceId, means: Means, server: Serving) -> None:
        assert isinstance(means.files, KeptFiles)
        self.files = means.files
        self.workspace_id = workspace_id
        self.means = means
        self.server = server
        self.maria = self.as_role(Role.AGENT, id="maria", display_name="María")
        self.bot = self.as_role(Role.BOT, id="bot-key", display_name="Assistant")

    def as_role(self, role: Role, **caller: Any) -> v1.MessagingServiceStub:
        return v1.MessagingServiceStub(self.server.channel(role, self.workspace_id, **caller))

    def elsewhere(self, role: Role = Role.AGENT) -> v1.MessagingServiceStub:
        """The same role in another workspace."""
        return v1.MessagingServiceStub(self.server.channel(role, WorkspaceId(new_id())))

    def box(self, access_token: str) -> v1.WebChatServiceStub:
        """A customer's chat box."""
        metadata = (("authorization", f"Bearer {access_token}"),)
        return v1.WebChatServiceStub(self.server.channel_with(metadata))

    def closed_box(self) -> v1.WebChatServiceStub:
        """A chat box before it has a token."""
        return v1.WebChatServiceStub(self.server.channel_with(()))

    async def connect(self, kind: ChannelKind = ChannelKind.SIMULATOR) -> ChannelId:
        channel_id = ChannelId(new_id())
        async with self.means.app.begin(self.workspace_id) as transaction:
            now = self.means.clock.now()
            await transaction.raw.execute(
                ADD_CHANNEL, self.workspace_id, channel_id, kind.value, "Shop", now
            )
            await transaction.raw.execute(ADD_ROUTE, channel_id, self.workspace_id, kind.value)
        return channel_id

    async def set_channel_state(self, channel_id: str, state: str) -> None:
        async with self.means.app.begin(self.workspace_id) as transaction:
            await transaction.raw.execute(
                "UPDATE channels SET state = $2 WHERE id = $1", channel_id, state
            )

    async def customer_writes(
        self,
        channel_id: ChannelId,
        text: str = "hola",
        *,
        customer: str = "ana",
        kind: ChannelKind = ChannelKind.SIMULATOR,
        platform_message_id: str = "",
        name: str = "Ana",
    ) -> Stored:
        return await accept_inbound(
            self.means.writers,
            self.workspace_id,
            opening=Opening(channel_id, kind, customer, name),
            platform_message_id=platform_message_id or new_id(),
            text=text,
            platform_time=None,
            within=WITHIN,
        )

    async def open_conversation(self, kind: ChannelKind = ChannelKind.SIMULATOR) -> str:
        stored = await self.customer_writes(await self.connect(kind), kind=kind)
        return stored.message.conversation_id

    async def sends(self, conversation_id: str, text: str = "hello") -> v1.Message:
        request = v1.SendMessageRequest(
            conversation_id=conversation_id, client_message_id=new_id(), text=text
        )
        response = await self.maria.SendMessage(request)
        return response.message

    async def hand_over(
        self, conversation_id: str, mode: v1.ConversationMode.ValueType
    ) -> v1.Thread:
        response = await self.maria.SetMode(
            v1.SetModeRequest(conversation_id=conversation_id, mode=mode, request_id=new_id())
        )
        return response.thread

    async def takes_over(self, conversation_id: str, **fields: Any) -> v1.Thread:
        """The AI has it first, then María."""
        await self.hand_over(conversation_id, v1.CONVERSATION_MODE_AI)
        response = await self.maria.SetMode(
            v1.SetModeRequest(
                conversation_id=conversation_id,
                mode=v1.CONVERSATION_MODE_MANUAL,
                request_id=new_id(),
                **fields,
            )
        )
        return response.thread

    async def ai_hands_over(self, thread: v1.Thread, **fields: Any) -> v1.Thread:
        """The AI gives it to people."""
        values: dict[str, Any] = {
            "conversation_id": thread.conversation_id,
            "mode_epoch": thread.mode_epoch,
            "request_id": new_id(),
            "reason": v1.HANDOVER_REASON_CUSTOMER_ASKED,
            "summary": "Ana wants her money back",
            **fields,
        }
        return (await self.bot.HandOver(v1.HandOverRequest(**values))).thread

    async def thread(self, conversation_id: str) -> v1.Thread:
        request = v1.GetThreadRequest(conversation_id=conversation_id)
        return (await self.maria.GetThread(request)).thread

    async def history(self, conversation_id: str) -> list[v1.Message]:
        """Everything, oldest first."""
        request = v1.ListMessagesRequest(conversation_id=conversation_id, page_size=200)
        response = await self.maria.ListMessages(request)
        return list(reversed(response.messages))

    async def published(self) -> list[ProtoMessage]:
        """The workspace's events so far, in the order in which they are numbered."""
        async with self.means.worker.begin() as transaction:
            rows = await transaction.raw.fetch(PUBLISHED, self.workspace_id)
        return [PUBLISHES[row["subject"].split(".")[3]].FromString(row["payload"]) for row in rows]


@dataclass
class Reader:
    """Keeps what it is told by the one rule all clients have: the higher version wins."""

    threads: dict[str, v1.Thread] = field(default_factory=dict)
    messages: dict[str, dict[str, v1.Message]] = field(default_factory=lambda: defaultdict(dict))

    def apply(self, event: ProtoMessage) -> None:
        if isinstance(event, v1.ThreadOpened | v1.ModeChanged | v1.MessageCreated):
            known = self.threads.get(event.thread.conversation_id)
            if known is None or known.version < event.thread.version:
                self.threads[event.thread.conversation_id] = event.thread
        if isinstance(event, v1.MessageCreated | v1.DeliveryStatusChanged):
            self.keep(event.message)

    def keep(self, message: v1.Message) -> None:
        messages = self.messages[message.conversation_id]
        known = messages.get(message.id)
        if known is None or known.version < message.version:
            messages[message.id] = message

    def history(self, conversation_id: str) -> list[v1.Message]:
        return sorted(self.messages[conversation_id].values(), key=lambda one: one.seq)


async def assert_events_tell_everything(desk: Desk) -> None:
    """The law of live updates: an empty snapshot + all events = a fresh snapshot."""
    reader = Reader()
    for event in await desk.published():
        reader.apply(event)
    for conversation_id, thread in reader.threads.items():
        fresh = await desk.maria.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
        assert fresh.thread == thread
        assert await desk.history(conversation_id) == reader.history(conversation_id)


@asynccontextmanager
async def open_desk(
    app: Database, worker: Database, clock: FakeClock, workspace_id: WorkspaceId
) -> AsyncIterator[Desk]:
    """A running service and a workspace of one's own in it."""
    # Tokens live by the real time: a test that moves its clock does not sign anybody out.
    tokens = Tokens()
    writers = Writers(worker, clock, on_commit=lambda: None)
    verifiers: list[Serving] = []

    async def verify(token: str) -> Any:
        metadata = {"authorization": f"Bearer {token}"}
        return await verifiers[0].guard.authenticator.caller_of(metadata)

    means = Means(
        app=app,
        worker=worker,
        clock=clock,
        writers=writers,
        verify=verify,
        visitor_tokens=MadeTokens(tokens),
        files=KeptFiles(),
        own_origins=(OWN_ORIGIN,),
        on_commit=lambda: None,
        on_switch=lambda: None,
    )
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(writers.run())
        async with serving(
            (v1.add_MessagingServiceServicer_to_server, MessagingService(means)),
            (v1.add_WebChatServiceServicer_to_server, WebChatService(means)),
            (v1.add_ErasureServiceServicer_to_server, ErasureService(means)),
            tokens=tokens,
        ) as server:
            verifiers.append(server)
            yield Desk(workspace_id, means, server)
        writing.cancel()
