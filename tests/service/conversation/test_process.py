"""The process as it is wired: messaging's events come in, the inbox and its events go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import outbox
from chassis.bus import Bus
from chassis.database import Database, Transaction
from chassis.event_log import EventLog, SnapshotEntity
from chassis.ids import WorkspaceId, new_id
from chassis.relay import Relay
from chassis.rpc import Channel, Credential, channel, in_workspace
from chassis.server import run
from chassis.tasks import Supervisor
from inbox.conversation import v1 as conversation_v1
from inbox.event import v1 as event_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.__main__ import wire
from services.conversation.consumers import CONSUMES
from services.conversation.settings import ConversationSettings
from suite.databases import DatabaseUrls
from suite.testing import TestServers, fresh_database
from tests.fakes import START
from tests.serving import SERVICE_KEY, new_workspace_id, serving

WITHIN_SECONDS = 20
CHANNEL = new_id()


def at(seconds: int) -> Timestamp:
    return Timestamp(seconds=int(START.timestamp()) + seconds)


def a_thread(conversation_id: str, count: int) -> messaging_v1.Thread:
    return messaging_v1.Thread(
        conversation_id=conversation_id,
        channel_id=CHANNEL,
        channel_kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
        external_id=f"visitor-{conversation_id}",
        customer_name="Ana",
        mode=messaging_v1.CONVERSATION_MODE_MANUAL,
        mode_epoch=1,
        last_seq=count,
        inbound_count=count,
        create_time=at(0),
        version=count + 1,
    )


def a_message(conversation_id: str, seq: int) -> messaging_v1.MessageCreated:
    return messaging_v1.MessageCreated(
        message=messaging_v1.Message(
            id=new_id(),
            conversation_id=conversation_id,
            seq=seq,
            direction=messaging_v1.MESSAGE_DIRECTION_INBOUND,
            author=messaging_v1.Author(kind=messaging_v1.AUTHOR_KIND_CUSTOMER),
            text=f"message {seq}",
            inbound_ordinal=seq,
            create_time=at(seq),
            version=1,
        ),
        thread=a_thread(conversation_id, seq),
    )


class Messaging:
    """Messaging's log without messaging: its real database, relay and event log."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self.workspace_id = new_workspace_id()
        self.newest: dict[str, Message] = {}
        self._database = database
        self._relay = relay

    async def publish(self, conversation_id: str, name: str, event: Message) -> None:
        async with self._database.begin(self.workspace_id) as transaction:
            outgoing = outbox.OutgoingEvent(
                subject=outbox.subject("messaging", name, self.workspace_id),
                workspace_id=self.workspace_id,
                ordering_key=conversation_id,
                payload=event.SerializeToString(),
            )
            await outbox.append(transaction, [outgoing], at=START)
            transaction.after_commit(self._relay.wake)
        self.newest[conversation_id] = event

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """As a SnapshotSource: each thread's newest message."""
        subject = outbox.subject("messaging", "message_created", self.workspace_id)
        later = sorted(key for key in self.newest if key > after)[:count]
        return [
            SnapshotEntity(key, subject, key, self.newest[key].SerializeToString()) for key in later
        ]


@pytest.fixture
async def messaging(servers: TestServers, nats_url: str) -> AsyncIterator[tuple[Messaging, str]]:
    """The stand-in and the address of its event log."""
    with fresh_database(servers, "messaging") as urls:
        database = Database(urls.worker)
        bus = Bus(nats_url, name="messaging")
        relay = Relay(database, bus, "INBOX_MESSAGING")
        stand_in = Messaging(database, relay)
        async with Supervisor() as supervisor:
            supervisor.supervise("bus", bus.run)
            supervisor.supervise("relay", relay.run)
            event_log = EventLog(database, stand_in)
            adding = event_v1.add_EventLogServiceServicer_to_server
            async with serving((adding, event_log)) as server:
                yield stand_in, server.address
        await database.close()


@pytest.fixture
def urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    """Of this test alone: its cursor belongs to this test's messaging."""
    with fresh_database(servers, "conversation") as urls:
        yield urls


@asynccontextmanager
async def running(urls: DatabaseUrls, nats_url: str, messaging: str) -> AsyncIterator[Channel]:
    """The conversation process, and a channel of another process of the suite to it."""
    settings = ConversationSettings(
        service_key=SERVICE_KEY,  # type: ignore[arg-type]
        database_url=urls.app,  # type: ignore[arg-type]
        worker_database_url=urls.worker,  # type: ignore[arg-type]
        nats_url=nats_url,  # type: ignore[arg-type]
        identity_address=("127.0.0.1:1",),
        messaging_address=(messaging,),
        assistant_address=(messaging,),
    )
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(run("conversation", settings, wire, stop=stop, listening=port.set_result))
        address = f"127.0.0.1:{await port}"
        async with channel([address], credential=Credential("test", SERVICE_KEY)) as opened:
            yield opened
        stop.set()


async def shown(
    channel: grpc.aio.Channel, workspace_id: WorkspaceId, seq: int
) -> conversation_v1.Conversation:
    """The only conversation, once its preview is that message."""
    stub = conversation_v1.ConversationServiceStub(channel)
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            response = await stub.ListConversations(
                conversation_v1.ListConversationsRequest(), metadata=in_workspace(workspace_id)
            )
            for conversation in response.conversations:
                if conversation.preview.seq == seq:
                    return conversation
            await asyncio.sleep(0.02)


async def test_events_snapshots_and_restarts_make_one_inbox(
    urls: DatabaseUrls, nats_url: str, messaging: tuple[Messaging, str]
) -> None:
    stand_in, address = messaging
    ana = new_id()
    await stand_in.publish(ana, "thread_opened", messaging_v1.ThreadOpened(thread=a_thread(ana, 0)))
    await stand_in.publish(ana, "message_created", a_message(ana, 1))

    # A new service has no cursor: it builds from the snapshot, then follows the stream.
    async with running(urls, nats_url, address) as conversation:
        first = await shown(conversation, stand_in.workspace_id, 1)
        await stand_in.publish(ana, "message_created", a_message(ana, 2))
        await shown(conversation, stand_in.workspace_id, 2)
    await stand_in.publish(ana, "message_created", a_message(ana, 3))
    async with running(urls, nats_url, address) as conversation:
        last = await shown(conversation, stand_in.workspace_id, 3)
        events = await own_events(conversation, 2)
        letters = await event_v1.DeadLetterServiceStub(conversation).ListDeadLetters(
            event_v1.ListDeadLettersRequest()
        )

    assert first.id == last.id == ana
    assert (last.preview.text, last.unread_count, last.version) == ("message 3", 3, 1)
    names = [event.subject.split(".")[3] for event in events]
    assert names == ["conversation_opened", "counters_changed"]
    assert {event.workspace_id for event in events} == {stand_in.workspace_id}
    assert not letters.dead_letters


async def test_an_event_nobody_understands_is_parked_and_delays_no_other(
    urls: DatabaseUrls, nats_url: str, messaging: tuple[Messaging, str]
) -> None:
    stand_in, address = messaging
    ana, bob = new_id(), new_id()

    async with running(urls, nats_url, address) as conversation:
        await stand_in.publish(bob, "message_created", a_message(bob, 1))
        # From here it follows the stream: a snapshot would hold Ana's bent thread once more.
        await shown(conversation, stand_in.workspace_id, 1)
        bent = a_message(ana, 1)
        bent.thread.channel_kind = 99  # type: ignore[assignment]
        await stand_in.publish(ana, "message_created", bent)
        await stand_in.publish(bob, "message_created", a_message(bob, 2))
        await shown(conversation, stand_in.workspace_id, 2)
        letters = await event_v1.DeadLetterServiceStub(conversation).ListDeadLetters(
            event_v1.ListDeadLettersRequest()
        )

    [letter] = letters.dead_letters
    assert (letter.consumer, letter.ordering_key) == ("conversation-projection", ana)
    assert "EventNotUnderstood" in letter.last_error


async def own_events(channel: grpc.aio.Channel, count: int) -> Sequence[event_v1.LoggedEvent]:
    """What conversation published, once it is so many."""
    stub = event_v1.EventLogServiceStub(channel)
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            answer = await stub.ReadEvents(event_v1.ReadEventsRequest(from_gpos=1))
            if len(answer.events) >= count:
                return answer.events
            await asyncio.sleep(0.02)


def test_every_consumed_event_is_one_that_messaging_publishes() -> None:
    messages = {"".join(part.title() for part in name.split("_")) for name in CONSUMES}

    assert messages <= set(messaging_v1.__all__)
