"""The index of what messages say: exact whatever befalls its reader; an erase leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from chassis import sequencer
from chassis.database import Database, DatabaseUnavailable, Transaction
from chassis.ids import WorkspaceId, new_id
from services.messaging.actions import text_index
from services.messaging.actions.text_index import Step, forget_texts
from services.messaging.store import text_index as store
from services.messaging.text_indexer import POLL, STAND_BY, TextIndexer
from tests.fakes import FakeClock
from tests.service.messaging.desk import Desk
from tests.service.messaging.searching import Talk, found, index, number_events, what_is_wrong

TEXTS = ("hola, ¿qué tal?", "el pedido 4512-99", "hola otra vez", "🎉", "Größe M, größe L")
WRITING = ("add", "add_endings", "move", "not_indexed")
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
KILL = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.fixture
async def talk(desk: Desk, clock: FakeClock, worker: Database) -> Talk:
    await index(worker)  # what other tests of this database left behind
    return Talk(desk, clock, await desk.connect())


async def unindexed(talk: Talk, *texts: str) -> str:
    """People wrote, and their events are numbered, but nobody has read along yet."""
    for text in texts:
        stored = await talk.desk.customer_writes(talk.channel_id, text)
    await number_events(talk.desk.means.worker)
    return stored.message.conversation_id


async def stand(worker: Database) -> store.IndexStand:
    async with worker.begin() as transaction:
        return await store.read(transaction)


async def forget_log(worker: Database) -> None:
    """What the relay does with events that are older than a week."""
    async with worker.begin() as transaction:
        await transaction.raw.execute("DELETE FROM events")


async def test_the_index_holds_exactly_what_was_said(talk: Talk) -> None:
    await unindexed(talk, *TEXTS)

    steps = await index(talk.desk.means.worker)

    assert steps == [Step.FOLLOWED]
    assert await what_is_wrong(talk.desk.means.worker, talk.desk.workspace_id) == []


async def test_events_of_any_number_of_workspaces_make_one_batch(
    talk: Talk, clock: FakeClock, worker: Database
) -> None:
    other = Desk(WorkspaceId(new_id()), talk.desk.means, talk.desk.server)
    await unindexed(talk, *TEXTS)
    await unindexed(Talk(other, clock, await other.connect()), *TEXTS)

    steps = await index(worker)

    assert steps == [Step.FOLLOWED]
    for desk in (talk.desk, other):
        assert await what_is_wrong(worker, desk.workspace_id) == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("writing", WRITING)
async def test_a_reader_killed_before_its_commit_repeats_nothing_and_misses_nothing(
    talk: Talk, worker: Database, monkeypatch: pytest.MonkeyPatch, writing: str, moment: str
) -> None:
    await unindexed(talk, *TEXTS)
    before = await stand(worker)

    with monkeypatch.context() as patched:
        patched.setattr(store, writing, killed(getattr(store, writing), moment))
        with pytest.raises(DatabaseUnavailable):
            await text_index.step(worker)
    after_kill = await stand(worker)
    wrong_after_kill = await what_is_wrong(worker, talk.desk.workspace_id)
    await index(worker)

    assert after_kill == before
    assert "texts" in wrong_after_kill  # nothing of the batch is there
    assert await what_is_wrong(worker, talk.desk.workspace_id) == []


async def test_a_place_that_moves_on_by_itself_would_miss_what_a_kill_takes(
    talk: Talk, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the place in a transaction of its own, ahead of the effect."""
    await unindexed(talk, *TEXTS)
    honest = store.add

    async def place_first(transaction: Transaction, said: Any) -> Any:
        async with worker.begin() as hasty:
            log = await sequencer.stand(hasty.raw)
            await hasty.raw.execute("SET LOCAL lock_timeout = '2s'")
            await transaction.raw.execute("ROLLBACK")
            await store.move(hasty, log.last_gpos, talk.clock.now())
        await transaction.raw.execute(KILL)
        return await honest(transaction, said)

    with monkeypatch.context() as patched:
        patched.setattr(store, "add", place_first)
        with pytest.raises(DatabaseUnavailable):
            await text_index.step(worker)
    await index(worker)

    assert "texts" in await what_is_wrong(worker, talk.desk.workspace_id)


def killed(honest: Callable[..., Awaitable[Any]], moment: str) -> Callable[..., Awaitable[Any]]:
    """The same, but its connection dies before or after."""

    async def call(transaction: Transaction, *arguments: Any, **more: Any) -> Any:
        if moment == "after":
            await honest(transaction, *arguments, **more)
        await transaction.raw.execute(KILL)

    return call


async def test_two_readers_at_once_add_everything_once(talk: Talk, worker: Database) -> None:
    await unindexed(talk, *[f"mensaje {number}" for number in range(40)])

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(index(worker))

    assert await what_is_wrong(worker, talk.desk.workspace_id) == []


async def test_when_the_log_is_gone_every_message_is_looked_at(
    talk: Talk, worker: Database
) -> None:
    await unindexed(talk, *TEXTS)
    await forget_log(worker)

    steps = await index(worker)

    assert steps[0] is Step.WALK_BEGAN
    assert steps[-1] is Step.WALK_ENDED
    assert await what_is_wrong(worker, talk.desk.workspace_id) == []


async def test_another_life_of_the_log_is_met_by_a_walk_that_doubles_nothing(
    talk: Talk, worker: Database
) -> None:
    await talk.hears(*TEXTS)
    async with worker.begin() as transaction:
        await transaction.raw.execute("UPDATE log_state SET log_epoch = $1", new_id())
    await unindexed(talk, "después")

    steps = await index(worker)

    assert steps[0] is Step.WALK_BEGAN
    assert await what_is_wrong(worker, talk.desk.workspace_id) == []


async def test_a_walk_goes_on_where_it_was_interrupted_and_new_messages_do_not_wait_for_it(
    talk: Talk, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_index, "MAX_BATCH", 3)
    await unindexed(talk, *[f"antiguo {number}" for number in range(7)])
    await forget_log(worker)
    walked: list[str] = []
    honest = store.messages_before

    async def noted(transaction: Transaction, message_id: str, *, limit: int) -> list[str]:
        ids = await honest(transaction, message_id, limit=limit)
        if transaction.workspace_id == talk.desk.workspace_id:
            walked.extend(ids)
        return ids

    monkeypatch.setattr(store, "messages_before", noted)
    while not walked:
        await text_index.step(worker)
    await unindexed(talk, "nuevo")
    await text_index.step(worker)

    assert await found(talk.desk, "nuevo") == ["nuevo"]
    assert await found(talk.desk, "antiguo") == ["antiguo 6", "antiguo 5", "antiguo 4"]
    with monkeypatch.context() as patched:
        patched.setattr(store, "walk_on", killed(store.walk_on, "after"))
        with pytest.raises(DatabaseUnavailable):
            await text_index.step(worker)
    await index(worker)
    assert await what_is_wrong(worker, talk.desk.workspace_id) == []
    # The part that was killed was walked twice, and nothing else was.
    assert len(walked) == 7 + 3


async def test_what_is_erased_leaves_no_word_behind_and_does_not_come_back(
    talk: Talk, worker: Database
) -> None:
    kept = await talk.hears("hola, soy Berta", customer="berta")
    erased = await talk.hears("hola, soy Fulgencio", "mi pedido 4512", customer="fulgencio")
    await talk.desk.customer_writes(talk.channel_id, "Fulgencio otra vez", customer="fulgencio")
    await number_events(worker)

    async with worker.begin(talk.desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "UPDATE messages SET text = '' WHERE conversation_id = $1", erased
        )
        assert await forget_texts(transaction, [erased]) == 2
        assert await forget_texts(transaction, [erased]) == 0
    await index(worker)

    assert await found(talk.desk, "fulgencio") == []
    assert await found(talk.desk, "hola") == ["hola, soy Berta"]
    assert await what_is_wrong(worker, talk.desk.workspace_id) == []
    assert await rows_with(worker, talk.desk, "fulgencio") == 0
    assert kept != erased


async def rows_with(worker: Database, desk: Desk, word: str) -> int:
    """How many rows of the index hold a word or an end of it."""
    count = 0
    async with worker.begin(desk.workspace_id) as transaction:
        for table in ("message_texts", "message_words", "words", "word_endings"):
            count += await transaction.raw.fetchval(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || $1 || '%'", word
            )
    return count


async def test_an_erase_waits_for_the_batch_that_is_under_way_and_takes_it_out_again(
    talk: Talk, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await unindexed(talk, "un secreto")
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    honest = store.add

    async def slow(transaction: Transaction, said: Any) -> Any:
        has_read.set()
        await may_go_on.wait()
        return await honest(transaction, said)

    async def erase() -> None:
        async with worker.begin(talk.desk.workspace_id) as transaction:
            await transaction.raw.execute(
                "UPDATE messages SET text = '' WHERE conversation_id = $1", conversation_id
            )
            await forget_texts(transaction, [conversation_id])

    monkeypatch.setattr(store, "add", slow)
    async with asyncio.TaskGroup() as group:
        group.create_task(text_index.step(worker))
        await has_read.wait()
        erasing = group.create_task(erase())
        await until_somebody_waits_for_a_lock(worker)
        assert not erasing.done()
        may_go_on.set()

    assert await rows_with(worker, talk.desk, "secreto") == 0


async def until_somebody_waits_for_a_lock(worker: Database) -> None:
    async with asyncio.timeout(10), worker.begin() as transaction:
        while not await transaction.raw.fetchval(WAITING):
            await transaction.raw.execute("SELECT pg_stat_clear_snapshot()")


async def test_a_text_overwritten_behind_the_indexs_back_is_not_shown(
    talk: Talk, worker: Database
) -> None:
    conversation_id = await talk.hears("un secreto")
    async with worker.begin(talk.desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "UPDATE messages SET text = 'nada' WHERE conversation_id = $1", conversation_id
        )

    assert await found(talk.desk, "secreto") == []


async def test_requests_may_not_write_the_index(talk: Talk) -> None:
    await talk.hears("hola")

    for table in ("message_texts", "message_words", "words", "word_endings"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with talk.desk.means.app.begin(talk.desk.workspace_id) as transaction:
                await transaction.raw.execute(f"DELETE FROM {table}")


async def test_one_indexer_works_and_the_next_takes_over(
    talk: Talk, worker: Database, clock: FakeClock
) -> None:
    first, second = TextIndexer(worker, clock), TextIndexer(worker, clock)
    async with asyncio.TaskGroup() as group:
        leading = group.create_task(first.run())
        await sleepers(clock, 1)
        standing_by = group.create_task(second.run())
        await sleepers(clock, 2)

        await unindexed(talk, "uno")
        clock.advance(POLL)
        await until_found(talk, "uno")
        leading.cancel()
        await unindexed(talk, "dos")
        async with asyncio.timeout(10):
            while "dos" not in await found(talk.desk, "dos"):
                clock.advance(STAND_BY)
                await asyncio.sleep(0.02)
        standing_by.cancel()


async def until_found(talk: Talk, word: str) -> None:
    async with asyncio.timeout(10):
        while word not in await found(talk.desk, word):
            await asyncio.sleep(0.02)


async def sleepers(clock: FakeClock, count: int) -> None:
    async with asyncio.timeout(10):
        while clock.sleeper_count < count:
            await asyncio.sleep(0.02)


async def test_nothing_is_written_while_there_is_nothing_to_do(
    talk: Talk, worker: Database
) -> None:
    await talk.hears("hola")
    async with worker.begin() as transaction:
        before = await transaction.raw.fetchval("SELECT xmin || '/' || xmax FROM text_index")

    progress = await text_index.step(worker)

    async with worker.begin() as transaction:
        after = await transaction.raw.fetchval("SELECT xmin || '/' || xmax FROM text_index")
    assert progress.step is Step.NOTHING
    assert before == after
