"""Counters: what moves them, how they are told, and that a drift is noticed and mended."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from chassis import metrics
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.migrations import folder_of, migrate
from inbox.conversation import v1 as conversation_v1
from services.conversation.actions import counters
from services.conversation.model.conversation import Folder
from services.conversation.model.counters import ALL, CounterKey, CounterKind, Tally
from services.conversation.model.tags import PRIORITY
from services.conversation.store import counters as stored
from suite.testing import TestServers, fresh_database
from tests.service.conversation.desk import Desk, a_customer

OPEN = CounterKey("folder", ALL, "open")
SOLVED = CounterKey("folder", ALL, "solved")
OLD_CONVERSATIONS = """
INSERT INTO conversations (
    workspace_id, id, contact_id, channel_id, channel_kind, folder, inbound_count, read_ordinal,
    solved_ordinal, mode, mode_epoch, log_epoch, create_time, version)
SELECT $1, md5('conversation' || n)::uuid, $1, $2, 'web_chat',
       CASE WHEN n % 3 = 0 THEN 'solved' ELSE 'open' END, 1, CASE WHEN n > 3 THEN 1 ELSE 0 END,
       0, 'manual', 1, 'life', now(), 1
FROM generate_series(1, 9) n
"""


async def told(desk: Desk) -> list[conversation_v1.CountersChanged]:
    return [
        event for event in await desk.frames() if isinstance(event, conversation_v1.CountersChanged)
    ]


async def test_a_run_of_events_changes_each_counter_once_and_is_told_once(desk: Desk) -> None:
    channel_id = new_id()
    customers = [a_customer(channel_id=channel_id) for _ in range(10)]

    await desk.apply(*[fact for one in customers for fact in (one.opens(), one.writes())])

    assert await desk.counters() == {
        OPEN: Tally(10, 10),
        CounterKey("channel", channel_id, "open"): Tally(10, 10),
    }
    [event] = await told(desk)
    assert [(one.conversation_count, one.version) for one in event.counters] == [(10, 1), (10, 1)]


async def test_only_becoming_unread_or_read_counts_not_each_message(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())

    for _ in range(3):
        await desk.apply(ana.writes())
    await desk.mark_read(ana.conversation_id, 1)
    await desk.mark_read(ana.conversation_id, 3)
    await desk.apply(ana.is_answered())

    unread = [
        [one.unread_count for one in event.counters if not one.channel_id]
        for event in await told(desk)
    ]
    assert unread == [[0], [1], [0]]


async def test_what_waits_for_a_person_is_counted_until_one_comes(desk: Desk) -> None:
    ana, bo = a_customer(), a_customer()
    await desk.apply(ana.opens(), bo.opens(), handover := ana.is_handed_over(), bo.is_handed_over())
    await desk.apply(handover)
    assert (await desk.counters())[OPEN] == Tally(2, 0, 2)

    await desk.apply(ana.is_taken_by(new_id()))
    await desk.move(bo.conversation_id, Folder.SPAM)

    counters = await desk.counters()
    assert counters[OPEN] == Tally(1, 0, 0)
    assert counters[CounterKey("folder", ALL, "spam")] == Tally(1, 0, 1)
    assert await desk.drift() == 0
    in_open = [
        one.waiting_count
        for event in await told(desk)
        for one in event.counters
        if one.folder == conversation_v1.FOLDER_OPEN and not one.channel_id
    ]
    assert in_open == [2, 1, 0]


async def test_a_move_is_told_after_its_own_event_and_with_all_it_changes(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    await desk.tag(ana.conversation_id)

    await desk.solve(ana.conversation_id)

    [*_, solved, counted] = await desk.frames()
    assert isinstance(solved, conversation_v1.ConversationSolved)
    assert isinstance(counted, conversation_v1.CountersChanged)
    assert len(counted.counters) == 6
    channel = ana.thread.channel_id
    assert await desk.counters() == {
        SOLVED: Tally(1, 1),
        CounterKey("channel", channel, "solved"): Tally(1, 1),
        CounterKey("tag", PRIORITY.id, "solved"): Tally(1, 1),
    }


async def test_a_repeat_counts_nothing(desk: Desk) -> None:
    ana, request_id = a_customer(), new_id()
    await desk.apply(ana.opens(), first := ana.writes())
    await desk.solve(ana.conversation_id, request_id=request_id)
    before = await told(desk)

    await desk.apply(first)
    await desk.solve(ana.conversation_id, request_id=request_id)
    await desk.move(ana.conversation_id, Folder.SOLVED)

    assert await told(desk) == before


async def test_many_at_once_on_one_workspace_wait_and_none_is_lost(desk: Desk) -> None:
    customers = [a_customer() for _ in range(12)]
    await desk.apply(*[customer.writes() for customer in customers])

    async with asyncio.TaskGroup() as group:
        for customer in customers[:8]:
            group.create_task(desk.solve(customer.conversation_id))
            group.create_task(desk.mark_read(customer.conversation_id, 1))
        group.create_task(desk.apply(*[customer.writes() for customer in customers[4:]]))

    assert await desk.drift() == 0


async def spoil(desk: Desk) -> None:
    """Somebody changes rows by hand."""
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "UPDATE counters SET unread_count = unread_count + 1, "
            "waiting_count = waiting_count + 1 WHERE kind = 'folder'"
        )
        await transaction.raw.execute("DELETE FROM counters WHERE kind = 'channel'")


async def test_a_drift_is_measured_alarmed_and_mended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    right = await desk.counters()
    await spoil(desk)
    measured = metrics.COUNTER_DRIFT._value.get()

    alarms: list[tuple[str, dict[str, object]]] = []
    log = SimpleNamespace(error=lambda event, **fields: alarms.append((event, fields)))
    monkeypatch.setattr(counters, "log", log)

    drift = await desk.drift()

    assert drift == 2 + 2
    assert metrics.COUNTER_DRIFT._value.get() - measured == drift
    [(event, alarm)] = alarms
    assert (event, alarm["workspace_id"]) == ("counters_drifted", desk.workspace_id)
    assert (alarm["counter_count"], alarm["drift_conversations"]) == (2, 4)
    assert await desk.counters() == right
    assert await desk.drift() == 0
    # Whoever watches is told of what was mended, under a higher version.
    folder = [one for one in (await told(desk))[-1].counters if not one.channel_id]
    assert [(one.unread_count, one.version) for one in folder] == [(1, 2)]


async def test_two_who_find_the_same_drift_mend_it_once(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    right = await desk.counters()
    await spoil(desk)

    found = await asyncio.gather(*[desk.drift() for _ in range(4)])

    assert sorted(found) == [0, 0, 0, 4]
    assert await desk.counters() == right


@pytest.mark.parametrize("size", [1, 2, 5, 12, 13])
async def test_counting_range_by_range_counts_every_conversation_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    customers = [a_customer() for _ in range(12)]
    await desk.apply(*[customer.writes() for customer in customers])
    for customer in customers[::3]:
        await desk.tag(customer.conversation_id)
    right = await desk.counters()
    monkeypatch.setattr(stored, "RANGE", size)

    assert await desk.drift() == 0
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute("DELETE FROM counters")

    assert await desk.drift() == 2 * (12 + 12 + 4)
    assert await desk.counters() == right


async def test_what_happens_while_ranges_are_counted_is_no_drift(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = [a_customer(channel_id=new_id()) for _ in range(20)]
    await desk.apply(*[customer.writes() for customer in customers])
    monkeypatch.setattr(stored, "RANGE", 1)
    solving = [customer.conversation_id for customer in customers]
    fetches = 0

    class Meanwhile:
        """A connection on which somebody gets in before each part."""

        def __init__(self, raw: asyncpg.Connection) -> None:
            self.execute, self._raw = raw.execute, raw

        async def fetch(self, statement: str) -> list[asyncpg.Record]:
            nonlocal fetches
            fetches += 1
            if solving:
                await desk.solve(solving.pop())
                await desk.solve(solving.pop(0))
            found: list[asyncpg.Record] = await self._raw.fetch(statement)
            return found

    async with desk.worker.begin(desk.workspace_id) as transaction:
        raw: Any = Meanwhile(transaction.raw)
        missing = await stored.drift(replace(transaction, raw=raw))

    assert fetches > 2
    assert missing == {}


@pytest.mark.parametrize("folder", Folder)
async def test_counters_stand_for_what_a_list_of_that_filter_shows(
    desk: Desk, folder: Folder
) -> None:
    channel_id = new_id()
    for number in range(6):
        customer = a_customer(channel_id=channel_id if number % 2 else None)
        await desk.apply(customer.writes())
        if number % 3:
            await desk.tag(customer.conversation_id)
        if number % 2:
            await desk.apply(customer.is_handed_over())
        if number > 2:
            await desk.mark_read(customer.conversation_id, 1)
        await desk.move(customer.conversation_id, list(Folder)[number % 4])

    counters = await desk.counters()

    for key, filters in (
        (CounterKey("folder", ALL, folder.value), {}),
        (CounterKey("channel", channel_id, folder.value), {"channel_id": channel_id}),
        (CounterKey("tag", PRIORITY.id, folder.value), {"tags": ("priority",)}),
    ):
        every = (await desk.page(folder, **filters)).conversations
        unread = (await desk.page(folder, unread_only=True, **filters)).conversations
        waiting = (await desk.page(folder, waiting_only=True, **filters)).conversations
        shown = Tally(len(every), len(unread), len(waiting))
        assert counters.get(key, Tally(0, 0)) == shown


async def test_counters_begin_with_what_a_released_database_has(
    servers: TestServers, tmp_path: Path
) -> None:
    released = tmp_path / "migrations"
    later = shutil.ignore_patterns("000[3-9]_*", "00[1-9]?_*", "__pycache__")
    shutil.copytree(folder_of("conversation"), released, ignore=later)

    def migrate_at_first(owner_url: str) -> None:
        asyncio.run(migrate(owner_url, "conversation", released))

    workspace_id, channel_id = WorkspaceId(new_id()), new_id()
    with fresh_database(servers, "conversation", migrate_at_first) as urls:
        worker = Database(urls.worker)
        async with worker.begin(workspace_id) as transaction:
            await transaction.raw.execute(
                "INSERT INTO contacts VALUES ($1, $1, 'Ana', now(), 1)", workspace_id
            )
            await transaction.raw.execute(OLD_CONVERSATIONS, workspace_id, channel_id)

        await migrate(urls.owner, "conversation")

        async with worker.begin(workspace_id) as transaction:
            counted = {
                (counter.kind, counter.subject_id, counter.folder): counter.tally
                for counter in await stored.every(transaction)
            }
            assert await stored.drift(transaction) == {}
        await worker.close()
    assert counted == {
        (CounterKind.FOLDER, ALL, Folder.OPEN): Tally(6, 2),
        (CounterKind.FOLDER, ALL, Folder.SOLVED): Tally(3, 1),
        (CounterKind.CHANNEL, channel_id, Folder.OPEN): Tally(6, 2),
        (CounterKind.CHANNEL, channel_id, Folder.SOLVED): Tally(3, 1),
    }


OLD_HANDOVERS = """
UPDATE conversations SET waiting_since = now(), tag_ids = ARRAY[$2::uuid], folder = 'open'
WHERE workspace_id = $1 AND id IN (md5('conversation1')::uuid, md5('conversation2')::uuid)
"""
OLD_COUNTERS = """
INSERT INTO counters
SELECT $1, kind, subject_id, folder, count(*),
       count(*) FILTER (WHERE inbound_count > read_ordinal), 7
FROM conversations, LATERAL (
    VALUES ('folder', '00000000-0000-0000-0000-000000000000'::uuid), ('channel', channel_id)
) AS counted (kind, subject_id) WHERE workspace_id = $1 GROUP BY kind, subject_id, folder
"""


async def test_what_waited_when_a_released_database_was_migrated_is_counted(
    servers: TestServers, tmp_path: Path
) -> None:
    released = tmp_path / "migrations"
    later = shutil.ignore_patterns("0009_*", "001?_*", "__pycache__")
    shutil.copytree(folder_of("conversation"), released, ignore=later)

    def migrate_at_first(owner_url: str) -> None:
        asyncio.run(migrate(owner_url, "conversation", released))

    workspace_id, channel_id, deleted = WorkspaceId(new_id()), new_id(), new_id()
    with fresh_database(servers, "conversation", migrate_at_first) as urls:
        worker = Database(urls.worker)
        async with worker.begin(workspace_id) as transaction:
            raw = transaction.raw
            await raw.execute(
                "INSERT INTO contacts (workspace_id, id, display_name, create_time, version) "
                "VALUES ($1, $1, 'Ana', now(), 1)",
                workspace_id,
            )
            await raw.execute(OLD_CONVERSATIONS, workspace_id, channel_id)
            await raw.execute(OLD_COUNTERS, workspace_id)
            await raw.execute(OLD_HANDOVERS, workspace_id, deleted)
            await raw.execute(
                "INSERT INTO tags VALUES ($1, $2, '', '', 'gray', now(), true, 2)",
                workspace_id,
                deleted,
            )

        await migrate(urls.owner, "conversation")

        async with worker.begin(workspace_id) as transaction:
            counted = {
                (one.kind, one.folder): (one.tally, one.version)
                for one in await stored.every(transaction)
            }
            assert await stored.drift(transaction) == {}
        await worker.close()
    assert counted == {
        (CounterKind.FOLDER, Folder.OPEN): (Tally(6, 2, 2), 8),
        (CounterKind.FOLDER, Folder.SOLVED): (Tally(3, 1, 0), 7),
        (CounterKind.CHANNEL, Folder.OPEN): (Tally(6, 2, 2), 8),
        (CounterKind.CHANNEL, Folder.SOLVED): (Tally(3, 1, 0), 7),
    }
