"""The process as it is wired: messaging's events come in, answers and handovers go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import outbox
from chassis.auth import Role, require_caller
from chassis.bus import Bus
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.errors import Aborted, Conflict, InvalidArgument
from chassis.event_log import EventLog
from chassis.ids import new_id
from chassis.relay import Relay
from chassis.rpc import Channel, Credential, channel, in_workspace
from chassis.server import run
from chassis.tasks import Supervisor
from inbox.assistant import v1
from inbox.conversation import v1 as conversation_v1
from inbox.event import v1 as event_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from services.assistant.__main__ import wire
from services.assistant.consumers import CONSUMES
from services.assistant.settings import AssistantServiceSettings
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database, fresh_nats_url
from tests.service.assistant.desk import MASTER_KEY
from tests.service.chassis.eventing import NoEntities
from tests.serving import SERVICE_KEY, Tokens, new_workspace_id, serving

WITHIN_SECONDS = 20


class InManualMode(Conflict):
    """As messaging's own."""

    reason = "CONVERSATION_IN_MANUAL_MODE"


class EpochStale(Aborted):
    """As messaging's own."""

    reason = "MODE_EPOCH_STALE"


@dataclass(eq=False)
class TooLong(InvalidArgument):
    """As messaging's own."""

    max_length: int
    unit: str = "characters"
    reason = "TEXT_TOO_LONG"


@dataclass
class Neighbours:
    """Identity, messaging and realtime, as far as the AI calls them, on one address."""

    database: Database
    relay: Relay
    tokens: Tokens
    workspace_id: Any = field(default_factory=new_workspace_id)
    conversation_id: str = field(default_factory=new_id)
    mode: messaging_v1.ConversationMode.ValueType = messaging_v1.CONVERSATION_MODE_AI
    messages: list[messaging_v1.Message] = field(default_factory=list)
    handovers: list[messaging_v1.HandOverRequest] = field(default_factory=list)
    senders: list[Any] = field(default_factory=list)
    mode_epoch: int = 1
    switches_to_and_fro: int = 0
    max_length: int = 4096
    signs: list[bool] = field(default_factory=list)

    @property
    def thread(self) -> messaging_v1.Thread:
        return messaging_v1.Thread(
            conversation_id=self.conversation_id,
            mode=self.mode,
            mode_epoch=self.mode_epoch,
            last_seq=len(self.messages),
            inbound_count=self.inbound_count,
            version=len(self.messages) + 1,
        )

    @property
    def inbound_count(self) -> int:
        return sum(one.direction == messaging_v1.MESSAGE_DIRECTION_INBOUND for one in self.messages)

    async def opens(self) -> None:
        await self._publish("thread_opened", messaging_v1.ThreadOpened(thread=self.thread))

    async def customer_writes(self, text: str) -> None:
        await self._append(
            messaging_v1.MESSAGE_DIRECTION_INBOUND, messaging_v1.AUTHOR_KIND_CUSTOMER, text, 1
        )

    async def team_is_told(self) -> None:
        """A row that tells what happened, as after a switch."""
        await self._append(
            messaging_v1.MESSAGE_DIRECTION_INTERNAL, messaging_v1.AUTHOR_KIND_SYSTEM, ""
        )

    async def _append(self, direction: Any, kind: Any, text: str, more: int = 0) -> str:
        now = Timestamp()
        now.FromDatetime(SystemClock().now())
        message = messaging_v1.Message(
            id=new_id(),
            conversation_id=self.conversation_id,
            seq=len(self.messages) + 1,
            direction=direction,
            author=messaging_v1.Author(kind=kind),
            text=text,
            inbound_ordinal=self.inbound_count + more,
            create_time=now,
        )
        self.messages.append(message)
        created = messaging_v1.MessageCreated(message=message, thread=self.thread)
        await self._publish("message_created", created)
        return message.id

    async def _publish(self, name: str, event: Message) -> None:
        async with self.database.begin(self.workspace_id) as transaction:
            outgoing = outbox.OutgoingEvent(
                subject=outbox.subject("messaging", name, self.workspace_id),
                workspace_id=self.workspace_id,
                ordering_key=self.conversation_id,
                payload=event.SerializeToString(),
            )
            await outbox.append(transaction, [outgoing], at=SystemClock().now())
            transaction.after_commit(self.relay.wake)


class Identity(identity_v1.IdentityServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def IssueBotToken(self, request: Any, context: Any) -> identity_v1.IssueBotTokenResponse:
        caller = require_caller()
        tokens = self._neighbours.tokens
        token = tokens.token(Role.BOT, caller.workspace, display_name=request.display_name)
        expire_time = Timestamp()
        expire_time.FromDatetime(tokens.clock.now())
        expire_time.seconds += 600
        return identity_v1.IssueBotTokenResponse(
            access_token=identity_v1.AccessToken(token=token, expire_time=expire_time)
        )


class Messaging(messaging_v1.MessagingServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._n = neighbours

    async def ListMessages(self, request: Any, context: Any) -> messaging_v1.ListMessagesResponse:
        thread = self._n.thread
        # Right after the reading somebody takes over, and gives it back.
        self._n.mode_epoch += 2 * self._n.switches_to_and_fro
        self._n.switches_to_and_fro = 0
        before = request.before_seq or len(self._n.messages) + 1
        earlier = self._n.messages[: before - 1]
        page = earlier[-request.page_size :][::-1]
        return messaging_v1.ListMessagesResponse(
            messages=page, has_more=len(page) < len(earlier), thread=thread
        )

    async def SendMessage(self, request: Any, context: Any) -> messaging_v1.SendMessageResponse:
        if self._n.mode != messaging_v1.CONVERSATION_MODE_AI:
            raise InManualMode
        if request.mode_epoch != self._n.mode_epoch:
            raise EpochStale
        if len(request.text) > self._n.max_length:
            raise TooLong(max_length=self._n.max_length)
        self._n.senders.append(require_caller())
        await self._n._append(
            messaging_v1.MESSAGE_DIRECTION_OUTBOUND, messaging_v1.AUTHOR_KIND_AI, request.text
        )
        return messaging_v1.SendMessageResponse(message=self._n.messages[-1])

    async def SendMessages(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        return
        yield

    async def GetMessage(self, request: Any, context: Any) -> messaging_v1.GetMessageResponse:
        message = messaging_v1.Message(delivery_status=messaging_v1.DELIVERY_STATUS_SENT)
        return messaging_v1.GetMessageResponse(message=message)

    async def HandOver(self, request: Any, context: Any) -> messaging_v1.HandOverResponse:
        self._n.handovers.append(request)
        self._n.mode = messaging_v1.CONVERSATION_MODE_MANUAL
        return messaging_v1.HandOverResponse(thread=self._n.thread)


class Realtime(realtime_v1.RealtimeServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def PublishAiActivity(
        self, request: Any, context: Any
    ) -> realtime_v1.PublishAiActivityResponse:
        self._neighbours.signs.append(request.is_writing)
        return realtime_v1.PublishAiActivityResponse()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        return
        yield

    async def WatchWorkspaces(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        return
        yield


@pytest.fixture
def nats_url(servers: TestServers) -> str:
    return fresh_nats_url(servers)


@pytest.fixture
def own_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    """Of this test alone: its cursor belongs to this test's messaging."""
    with fresh_database(servers, "assistant") as urls:
        yield urls


@pytest.fixture
async def neighbours(servers: TestServers, nats_url: str) -> AsyncIterator[tuple[Neighbours, str]]:
    """The stand-ins, and their address."""
    with fresh_database(servers, "messaging") as urls:
        database = Database(urls.worker)
        bus = Bus(nats_url, name="messaging")
        relay = Relay(database, bus, "INBOX_MESSAGING")
        tokens = Tokens()
        stand_in = Neighbours(database, relay, tokens)
        async with Supervisor() as supervisor:
            supervisor.supervise("bus", bus.run)
            supervisor.supervise("relay", relay.run)
            async with serving(
                (event_v1.add_EventLogServiceServicer_to_server, EventLog(database, NoEntities())),
                (identity_v1.add_IdentityServiceServicer_to_server, Identity(stand_in)),  # type: ignore[abstract]
                (messaging_v1.add_MessagingServiceServicer_to_server, Messaging(stand_in)),  # type: ignore[abstract]
                (realtime_v1.add_RealtimeServiceServicer_to_server, Realtime(stand_in)),  # type: ignore[abstract]
                tokens=tokens,
            ) as server:
                yield stand_in, server.address
        await database.close()


@asynccontextmanager
async def running(urls: DatabaseUrls, nats_url: str, address: str) -> AsyncIterator[Channel]:
    """The assistant process, and a channel of another process of the suite to it."""
    settings = AssistantServiceSettings(
        service_key=SERVICE_KEY,  # type: ignore[arg-type]
        database_url=urls.app,  # type: ignore[arg-type]
        worker_database_url=urls.worker,  # type: ignore[arg-type]
        nats_url=nats_url,  # type: ignore[arg-type]
        master_key=MASTER_KEY,  # type: ignore[arg-type]
        identity_address=(address,),
        messaging_address=(address,),
        conversation_address=(address,),
        realtime_address=(address,),
    )
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(run("assistant", settings, wire, stop=stop, listening=port.set_result))
        try:
            async with channel(
                [f"127.0.0.1:{await port}"], credential=Credential("test", SERVICE_KEY)
            ) as opened:
                yield opened
        finally:
            stop.set()


async def until(holds: Any) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_question_is_answered_as_the_workspaces_bot_and_a_plea_hands_over(
    neighbours: tuple[Neighbours, str], own_urls: DatabaseUrls, nats_url: str
) -> None:
    outside, address = neighbours
    async with running(own_urls, nats_url, address) as opened:
        place = in_workspace(outside.workspace_id)
        await v1.KnowledgeServiceStub(opened).CreateArticle(
            v1.CreateArticleRequest(
                request_id=new_id(), title="Hours", body="Opening hours: nine to five."
            ),
            metadata=place,
        )
        await outside.opens()
        await outside.customer_writes("What are your opening hours?")
        await until(lambda: len(outside.messages) == 2)
        await outside.customer_writes("I want to speak to a human")
        await until(lambda: outside.handovers)
        audit = v1.AssistantServiceStub(opened)
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                listed = await audit.ListTurns(v1.ListTurnsRequest(), metadata=place)
                if len(listed.turns) == 2:
                    break
                await asyncio.sleep(0.02)

    assert outside.messages[1].text == "Opening hours: nine to five.\n\nSource: Hours"
    sender = outside.senders[0]
    assert (sender.role, sender.display_name) == (Role.BOT, "Assistant")
    assert sender.workspace_id == outside.workspace_id
    [handover] = outside.handovers
    assert handover.reason == messaging_v1.HANDOVER_REASON_CUSTOMER_ASKED
    assert (handover.conversation_id, handover.mode_epoch) == (outside.conversation_id, 1)
    assert outside.signs[0], "it is said before the answer is there"
    assert not outside.signs[-1]
    assert [turn.outcome for turn in listed.turns] == [
        v1.TURN_OUTCOME_HANDED_OVER,
        v1.TURN_OUTCOME_REPLIED,
    ]


async def test_an_answer_that_is_too_long_for_the_channel_is_cut(
    neighbours: tuple[Neighbours, str], own_urls: DatabaseUrls, nats_url: str
) -> None:
    outside, address = neighbours
    outside.max_length = 12
    async with running(own_urls, nats_url, address):
        await outside.opens()
        await outside.customer_writes("hello")
        await until(lambda: len(outside.messages) == 2)

    assert outside.messages[1].text == "Hello! How …"


async def test_rows_for_the_team_are_not_all_that_a_short_memory_reads(
    neighbours: tuple[Neighbours, str], own_urls: DatabaseUrls, nats_url: str
) -> None:
    outside, address = neighbours
    async with running(own_urls, nats_url, address) as opened:
        await v1.AssistantServiceStub(opened).UpdateAssistantSettings(
            v1.UpdateAssistantSettingsRequest(request_id=new_id(), context_size=1),
            metadata=in_workspace(outside.workspace_id),
        )
        await outside.opens()
        await outside.customer_writes("hello")
        await outside.team_is_told()
        await outside.team_is_told()
        await until(lambda: len(outside.messages) == 4)

    assert outside.messages[-1].text == "Hello! How can I help you?"


async def test_an_answer_under_a_mode_that_came_and_went_is_given_up_and_another_made(
    neighbours: tuple[Neighbours, str], own_urls: DatabaseUrls, nats_url: str
) -> None:
    """Messaging refuses it as ABORTED; to try the same again would go on for ever."""
    outside, address = neighbours
    async with running(own_urls, nats_url, address):
        await outside.opens()
        outside.switches_to_and_fro = 1
        await outside.customer_writes("hello")
        await until(lambda: len(outside.messages) == 2)

    assert outside.messages[-1].text == "Hello! How can I help you?"


async def test_a_restarted_process_owes_what_came_while_it_was_away(
    neighbours: tuple[Neighbours, str], own_urls: DatabaseUrls, nats_url: str
) -> None:
    outside, address = neighbours
    async with running(own_urls, nats_url, address):
        await outside.opens()
        await outside.customer_writes("hello")
        await until(lambda: len(outside.messages) == 2)
    await outside.customer_writes("thanks")

    async with running(own_urls, nats_url, address):
        await until(lambda: len(outside.messages) == 4)

    assert [one.text for one in outside.messages[1::2]] == [
        "Hello! How can I help you?",
        "You are welcome!",
    ]


def test_every_consumed_event_is_one_that_its_owner_publishes() -> None:
    messages = {"".join(part.title() for part in name.split("_")) for name in CONSUMES}

    assert messages <= {*messaging_v1.__all__, *conversation_v1.__all__}
