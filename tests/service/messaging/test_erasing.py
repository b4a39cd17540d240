"""Erasing a thread: nothing of it is found, the log stays dense, and who comes back is new."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from chassis import sequencer
from chassis.auth import Role
from chassis.database import Database
from chassis.erasing import ERASED
from chassis.ids import WorkspaceId, new_id
from inbox.messaging import v1
from services.messaging.actions import erasing
from services.messaging.model.channel import ChannelKind
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers
from tests.canary import a_canary, tables_with
from tests.service.messaging.desk import Desk
from tests.service.messaging.platform_calls import ingest
from tests.service.messaging.platform_desk import PlatformDesk, running_platform_desk
from tests.service.messaging.searching import found, index, number_events

SAID_IN = {"messages", "threads", "events"} | {
    "message_texts",
    "message_words",
    "words",
    "word_endings",
}


@pytest.fixture
async def platform(
    app: Database, worker: Database, workspace_id: WorkspaceId
) -> AsyncIterator[PlatformDesk]:
    async with running_platform_desk(app, worker, workspace_id) as running:
        await running.connect()
        yield running


async def lies_in(servers: TestServers, urls: DatabaseUrls, canary: str) -> set[str]:
    async with connected(with_database(servers.database_url, urls.name)) as connection:
        return await tables_with(connection, canary)


async def erase(
    desk: Desk, conversation_id: str, *, request_id: str = ""
) -> v1.EraseThreadResponse:
    stub = v1.ErasureServiceStub(desk.server.channel(Role.SERVICE, desk.workspace_id))
    request = v1.EraseThreadRequest(
        conversation_id=conversation_id, request_id=request_id or new_id()
    )
    return await stub.EraseThread(request)


async def leave_the_stream(worker: Database) -> None:
    """As the stream eraser does once the stream has no such message any more."""
    async with worker.begin() as transaction:
        await transaction.raw.execute("DELETE FROM erased_events")


async def test_nothing_that_was_said_is_found_in_any_table(
    desk: Desk, worker: Database, servers: TestServers, urls: DatabaseUrls
) -> None:
    canary = a_canary()
    channel_id = await desk.connect()
    stored = await desk.customer_writes(channel_id, f"my {canary}", name=canary, customer=canary)
    conversation_id = stored.message.conversation_id
    await desk.takes_over(conversation_id)
    await desk.sends(conversation_id, f"your {canary}")
    await index(worker)
    await desk.takes_over(conversation_id)  # its events still wait for their numbers
    assert await lies_in(servers, urls, canary) == SAID_IN | {"outbox"}

    await erase(desk, conversation_id)

    assert await lies_in(servers, urls, canary) == set()
    assert await found(desk, canary) == []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.thread(conversation_id)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_what_others_said_stays_as_it_is(desk: Desk, worker: Database) -> None:
    channel_id = await desk.connect()
    ana = await desk.customer_writes(channel_id, "shared words", customer="ana")
    ben = await desk.customer_writes(channel_id, "shared words", customer="ben")
    await index(worker)
    before = await desk.history(ben.message.conversation_id)

    await erase(desk, ana.message.conversation_id)
    await index(worker)

    assert await desk.history(ben.message.conversation_id) == before
    assert await found(desk, "shared") == ["shared words"]


async def test_the_log_stays_dense_and_its_erased_events_say_nothing(
    desk: Desk, worker: Database
) -> None:
    conversation_id = await desk.open_conversation()
    await number_events(worker)
    async with worker.begin() as transaction:
        before = await sequencer.read(transaction.raw, 1)

    await erase(desk, conversation_id)
    await number_events(worker)

    async with worker.begin() as transaction:
        after = await sequencer.read(transaction.raw, 1)
    assert [event.gpos for event in after] == list(range(1, len(after) + 1))
    for was, now in zip(before, after, strict=False):
        assert (now.gpos, now.event_id, now.time_text) == (was.gpos, was.event_id, was.time_text)
        if was.ordering_key == conversation_id:
            assert (now.event, now.payload) == (ERASED, b"")
        else:
            assert now == was
    told = [event for event in after if event.ordering_key == conversation_id][-1]
    assert told.event == "thread_erased"
    assert v1.ThreadErased.FromString(told.payload).last_seq == 1


async def test_it_is_complete_once_the_log_is_numbered_and_the_stream_has_it_no_more(
    desk: Desk, worker: Database
) -> None:
    conversation_id, request_id = await desk.open_conversation(), new_id()
    await number_events(worker)

    waits_for_its_number = await erase(desk, conversation_id, request_id=request_id)
    await number_events(worker)
    waits_for_the_stream = await erase(desk, conversation_id, request_id=request_id)
    await leave_the_stream(worker)
    done = await erase(desk, conversation_id, request_id=request_id)

    assert not waits_for_its_number.is_complete
    assert not waits_for_the_stream.is_complete
    assert (done.is_complete, done.last_seq) == (True, 1)
    async with worker.begin() as transaction:
        stand = await sequencer.stand(transaction.raw)
    assert (done.log_epoch, done.gpos) == (stand.log_epoch, stand.last_gpos)


async def test_a_customer_who_comes_back_is_new_and_no_number_is_given_twice(desk: Desk) -> None:
    channel_id, request_id = await desk.connect(), new_id()
    stored = await desk.customer_writes(channel_id, "before", customer="ana", name="Ana")
    conversation_id = stored.message.conversation_id
    await desk.sends(conversation_id, "hello Ana")
    before = await desk.thread(conversation_id)
    await erase(desk, conversation_id, request_id=request_id)

    await desk.customer_writes(channel_id, "again", customer="ana", name="Somebody")
    await erase(desk, conversation_id, request_id=request_id)  # a repeat takes nothing of it

    after = await desk.thread(conversation_id)
    assert [message.text for message in await desk.history(conversation_id)] == ["again"]
    assert after.customer_name == "Somebody"
    assert (after.last_seq, after.inbound_count) == (3, 2)
    assert after.version > before.version
    assert after.mode_epoch > before.mode_epoch
    assert (await erase(desk, conversation_id)).last_seq == 3, "another request erases it too"


async def test_nobody_can_write_into_what_was_erased(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    await desk.sends(conversation_id, "now this writer remembers the thread")

    await erase(desk, conversation_id)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.sends(conversation_id, "too late")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_audit_says_that_it_was_erased_and_by_whom(desk: Desk, worker: Database) -> None:
    conversation_id = await desk.open_conversation()
    await desk.takes_over(conversation_id)

    await erase(desk, conversation_id)

    async with worker.begin(desk.workspace_id) as transaction:
        rows = await transaction.raw.fetch(
            "SELECT command, after, actor_kind FROM audit_entries WHERE entity_id = $1 "
            "ORDER BY create_time, id",
            conversation_id,
        )
    *earlier, last = rows
    assert earlier
    assert all(row["after"] is None for row in earlier)
    assert (last["command"], last["actor_kind"]) == (erasing.ERASE, "service")


async def test_what_platforms_sent_is_emptied_and_a_repeat_of_it_brings_nothing_back(
    platform: PlatformDesk, servers: TestServers, urls: DatabaseUrls
) -> None:
    canary = a_canary()
    conversation_id = await platform.customer_writes(f"my {canary}", customer=canary)
    others = await platform.customer_writes("of somebody else", customer="ben")
    await platform.send(f"your {canary}", customer=canary)
    await platform.dispatch()
    await platform.reports_come()
    kept = await platform.rows("SELECT raw FROM webhook_inbox ORDER BY id")
    assert {"webhook_inbox", "webhook_items"} < await lies_in(servers, urls, canary)

    await erasing.erase_thread(
        platform.worker,
        platform.clock,
        platform.owner,
        conversation_id,
        request_id=new_id(),
        on_commit=lambda: None,
    )

    assert await lies_in(servers, urls, canary) == set()
    for (raw,) in kept:
        assert await ingest(platform, raw), "the platform delivers it once more"
    await platform.process()
    assert await platform.texts(canary) == []
    assert await platform.texts("ben") == ["of somebody else"]
    assert await platform.rows("SELECT FROM messages WHERE conversation_id = $1", others)


async def test_a_web_chat_forgets_its_visitor(
    desk: Desk, servers: TestServers, urls: DatabaseUrls
) -> None:
    canary = a_canary()
    channel_id = await desk.connect(ChannelKind.WEB_CHAT)
    stored = await desk.customer_writes(channel_id, canary, kind=ChannelKind.WEB_CHAT, name=canary)
    await desk.sends(stored.message.conversation_id, canary)

    await erase(desk, stored.message.conversation_id)

    assert await lies_in(servers, urls, canary) == set()
