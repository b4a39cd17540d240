"""Erase: a canary that is said, written down and drafted is found nowhere afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import aiohttp
import grpc
import pytest

from chassis.bus import Bus
from chassis.ids import new_id
from chassis.stream import EventStream
from inbox.conversation import v1 as conversation_v1
from inbox.event import v1 as event_v1
from inbox.messaging import v1 as messaging_v1
from suite.databases import DATABASES, connected, with_database
from suite.datafolder import DataFolder
from suite.infra.postgres import SUPERUSER
from tests.canary import a_canary, tables_with
from tests.running_inbox import RunningInbox, running_inbox
from tests.service.chassis.eventing import connected_bus
from tests.serving import bearer
from tests.system.sockets.people import Agent, Customer, Edge, Refused

Answer = TypeVar("Answer")
WITHIN_SECONDS = 60.0
CONVERSATION, MESSAGING = "inbox.conversation.v1.", "inbox.messaging.v1."
STREAMS = {"messaging": "INBOX_MESSAGING", "conversation": "INBOX_CONVERSATION"}
EVERYWHERE = {
    "messaging.threads", "messaging.messages", "messaging.events", "messaging.webhook_inbox",
    "messaging.webhook_items", "messaging.message_texts", "messaging.message_words",
    "messaging.words", "messaging.word_endings",
    "conversation.contacts", "conversation.contact_identities", "conversation.conversations",
    "conversation.contact_name_words", "conversation.contact_notes",
    "conversation.contact_profiles", "conversation.drafts", "conversation.audit_entries",
    "conversation.events",
    "log of messaging", "log of conversation", "snapshot of messaging", "snapshot of conversation",
    "stream of messaging", "stream of conversation", "files of NATS", "search", "export", "list",
}  # fmt: skip


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInbox]:
    """One of its own: these tests break it, and look into every file."""
    with running_inbox(tmp_path_factory.mktemp("erasing") / "data") as suite:
        yield suite


@pytest.fixture
async def desk(suite: RunningInbox) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as http:
        yield Desk(suite, Edge(http, suite.url))


class Desk:
    """The owner of the demo workspace, and a hand in every file of it."""

    def __init__(self, suite: RunningInbox, edge: Edge) -> None:
        self.suite, self.edge = suite, edge
        self.key = suite.key("owner")
        self.folder = DataFolder(suite.data)

    async def customer_writes(self, canary: str) -> Customer:
        """In the chat box, under this name, and is answered by a person."""
        listed = await self.edge.call(
            f"{MESSAGING}ChannelService/ListChannels",
            messaging_v1.ListChannelsRequest(),
            messaging_v1.ListChannelsResponse,
            self.key,
        )
        kind = messaging_v1.CHANNEL_KIND_WEB_CHAT
        (channel,) = [one for one in listed.channels if one.kind == kind]
        customer = Customer(self.edge, channel.id)
        await customer.arrive(display_name=canary)
        await customer.write(f"I am {canary}")
        await self.answer(customer.conversation_id, f"hello {canary}")
        return customer

    async def texts_by_phone(self, canary: str) -> str:
        """The same through a platform, whose webhooks are kept raw; gives the conversation."""
        phone = f"{self.suite.url}/simulator/phone/demo/{canary}/messages"
        async with self.edge.http.post(phone, json={"text": f"I am {canary}"}) as answer:
            assert answer.status < 300, await answer.text()
        async with asyncio.timeout(WITHIN_SECONDS):
            while not (found := await self.found(canary)):
                await asyncio.sleep(0.1)
        await self.answer(found[0].conversation_id, f"hello {canary}")
        return found[0].conversation_id

    async def answer(self, conversation_id: str, text: str) -> None:
        await self.edge.call(
            f"{MESSAGING}MessagingService/SetMode",
            messaging_v1.SetModeRequest(
                conversation_id=conversation_id,
                mode=messaging_v1.CONVERSATION_MODE_MANUAL,
                request_id=new_id(),
            ),
            messaging_v1.SetModeResponse,
            self.key,
        )
        await self.edge.call(
            f"{MESSAGING}MessagingService/SendMessage",
            messaging_v1.SendMessageRequest(
                conversation_id=conversation_id, client_message_id=new_id(), text=text
            ),
            messaging_v1.SendMessageResponse,
            self.key,
        )

    async def is_written_down(self, canary: str, contact_id: str, conversation_id: str) -> None:
        """A note, a field and a draft of the owner."""
        await self.edge.call(
            f"{CONVERSATION}ContactService/CreateContactNote",
            conversation_v1.CreateContactNoteRequest(
                contact_id=contact_id, request_id=new_id(), body=f"note {canary}"
            ),
            conversation_v1.CreateContactNoteResponse,
            self.key,
        )
        await self.edge.call(
            f"{CONVERSATION}ContactService/SetContactField",
            conversation_v1.SetContactFieldRequest(
                contact_id=contact_id, request_id=new_id(), key="city", value=canary
            ),
            conversation_v1.SetContactFieldResponse,
            self.key,
        )
        await self.edge.call(
            f"{CONVERSATION}ConversationService/SaveDraft",
            conversation_v1.SaveDraftRequest(
                conversation_id=conversation_id, request_id=new_id(), text=f"draft {canary}"
            ),
            conversation_v1.SaveDraftResponse,
            self.key,
        )

    async def found(self, canary: str) -> list[messaging_v1.FoundMessage]:
        page = await self.edge.call(
            f"{MESSAGING}MessagingService/SearchMessages",
            messaging_v1.SearchMessagesRequest(query=canary),
            messaging_v1.SearchMessagesResponse,
            self.key,
        )
        return list(page.messages)

    async def listed(self) -> list[conversation_v1.Conversation]:
        page = await self.edge.call(
            f"{CONVERSATION}ConversationService/ListConversations",
            conversation_v1.ListConversationsRequest(page_size=200),
            conversation_v1.ListConversationsResponse,
            self.key,
        )
        return list(page.conversations)

    async def contact_of(self, conversation_id: str) -> str:
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                for conversation in await self.listed():
                    if conversation.id == conversation_id:
                        return conversation.contact.id
                await asyncio.sleep(0.1)

    async def exported(self, contact_id: str) -> list[conversation_v1.ExportedRecord]:
        page = await self.edge.call(
            f"{CONVERSATION}PrivacyService/ExportContact",
            conversation_v1.ExportContactRequest(contact_id=contact_id, page_size=200),
            conversation_v1.ExportContactResponse,
            self.key,
        )
        return list(page.records)

    async def erase(self, contact_id: str, request_id: str = "") -> conversation_v1.Erasure:
        answer = await self.edge.call(
            f"{CONVERSATION}PrivacyService/EraseContact",
            conversation_v1.EraseContactRequest(
                contact_id=contact_id, request_id=request_id or new_id()
            ),
            conversation_v1.EraseContactResponse,
            self.key,
        )
        return answer.erasure

    async def is_done(self, erasure_id: str) -> conversation_v1.Erasure:
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                answer = await self.edge.call(
                    f"{CONVERSATION}PrivacyService/GetErasure",
                    conversation_v1.GetErasureRequest(erasure_id=erasure_id),
                    conversation_v1.GetErasureResponse,
                    self.key,
                )
                if answer.erasure.state == conversation_v1.ERASURE_STATE_DONE:
                    return answer.erasure
                await asyncio.sleep(0.1)

    async def places_with(self, canary: str) -> set[str]:
        """Everywhere it is found: rows, logs, streams, files, answers."""
        places: set[str] = set()
        password, port = self.folder.secret("postgres"), self.folder.known_port("postgres")
        server = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"
        for database in DATABASES:
            async with connected(with_database(server, database.name)) as connection:
                tables = await tables_with(connection, canary)
                places |= {f"{database.service}.{table}" for table in tables}
        nats_port, nats_password = self.folder.known_port("nats"), self.folder.secret("nats.suite")
        async with connected_bus(f"nats://suite:{nats_password}@127.0.0.1:{nats_port}") as bus:
            for domain, stream in STREAMS.items():
                places |= await self._in_log(domain, canary)
                if canary.encode() in await everything_in(bus, stream):
                    places.add(f"stream of {domain}")
        if canary in str(await self.listed()):
            places.add("list")
        if await self.found(canary):
            places.add("search")
        places |= in_files(self.suite.data, canary)
        return places

    async def _in_log(self, domain: str, canary: str) -> set[str]:
        """What a service of the suite is told that rebuilds from another."""
        (address,) = [one.address for one in self.suite.processes() if one.name == domain]
        credential = bearer(self.folder.secret("service_key"))
        places: set[str] = set()
        async with grpc.aio.insecure_channel(address) as channel:
            stub = event_v1.EventLogServiceStub(channel)
            gpos = 0
            while True:
                read = await stub.ReadEvents(
                    event_v1.ReadEventsRequest(from_gpos=gpos + 1), metadata=credential, timeout=20
                )
                if not read.events:
                    assert gpos == read.last_gpos, "the log is dense up to its end"
                    break
                assert [one.gpos for one in read.events] == list(
                    range(gpos + 1, gpos + 1 + len(read.events))
                )
                gpos = read.events[-1].gpos
                if canary.encode() in read.SerializeToString():
                    places.add(f"log of {domain}")
            snapshot = await stub.ReadSnapshot(
                event_v1.ReadSnapshotRequest(page_size=1000), metadata=credential, timeout=20
            )
            assert not snapshot.next_page_token
            if canary.encode() in snapshot.SerializeToString():
                places.add(f"snapshot of {domain}")
        return places


async def everything_in(bus: Bus, name: str) -> bytes:
    stream, content, seq = EventStream(bus, name), b"", 1
    while events := await stream.read(seq):
        content += b"".join(event.payload for event in events)
        seq = events[-1].gpos + 1
    return content


def in_files(data: Path, canary: str) -> set[str]:
    """In the store of NATS, and in what any process logged; PostgreSQL's files are not looked at:
    its log of changes is kept for recovery, and dead rows until a vacuum."""
    places: set[str] = set()
    for path in (data / "nats").rglob("*"):
        if path.is_file() and canary.encode() in path.read_bytes():
            places.add("files of NATS")
    logs = list(DataFolder(data).logs.rglob("*.log"))
    assert len(logs) > 8
    if any(canary.encode() in path.read_bytes() for path in logs):
        places.add("log files")
    return places


async def test_a_canary_that_was_everywhere_is_nowhere_after_the_erase(desk: Desk) -> None:
    canary = a_canary()
    by_phone = await desk.texts_by_phone(canary)
    customer = await desk.customer_writes(canary)
    contacts = [await desk.contact_of(one) for one in (by_phone, customer.conversation_id)]
    await desk.is_written_down(canary, contacts[1], customer.conversation_id)
    agent = Agent(desk.edge, desk.key)
    await agent.connect()
    old_position = agent.position
    async with asyncio.timeout(WITHIN_SECONDS):
        while len(await desk.found(canary)) < 4:
            await asyncio.sleep(0.1)
    before = await desk.places_with(canary)
    exported = [str(await desk.exported(contact)) for contact in contacts]
    assert all(one.count(canary) > 3 for one in exported)
    assert before | {"export"} == EVERYWHERE, "each of the places is really looked at"

    for erasure in [await desk.erase(contact) for contact in contacts]:
        done = await desk.is_done(erasure.id)
        assert all(step.HasField("done_time") for step in done.steps)
        assert canary not in str(done)

    assert await desk.places_with(canary) == set()
    for contact in contacts:
        await agent.until("contact_erased")
        assert contact
    assert canary not in str(agent.known)
    assert agent.known == await agent.state()
    late = Agent(desk.edge, desk.key, position=old_position)
    await late.connect()
    frames = [str(frame) for frame in await frames_of(late)]
    assert canary not in " ".join(frames)
    await customer.arrive()
    assert (await customer.write("hello again")).seq > 2


async def frames_of(agent: Agent) -> list[object]:
    frames: list[object] = []
    try:
        while True:
            frames.append(await agent.frame(within=2.0))
    except TimeoutError:
        return frames


@pytest.mark.parametrize("victim", ["messaging", "conversation", "nats"])
async def test_it_is_finished_whatever_is_killed_in_the_middle(desk: Desk, victim: str) -> None:
    canary = a_canary()
    customer = await desk.customer_writes(canary)
    contact_id = await desk.contact_of(customer.conversation_id)
    assert await desk.places_with(canary)

    request_id = new_id()

    desk.suite.kill(victim)
    erasure = await persistently(lambda: desk.erase(contact_id, request_id))
    desk.suite.kill(victim)

    await persistently(lambda: desk.is_done(erasure.id))
    assert await persistently(lambda: desk.places_with(canary)) == set()


async def persistently(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """As a program asks that knows that servers come back."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            with suppress(Refused, aiohttp.ClientError, grpc.aio.AioRpcError, OSError):
                return await work()
            await asyncio.sleep(0.2)
