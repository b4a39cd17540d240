"""How PostgreSQL searches, row security included: by its indexes, and no further than it must."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.messaging.actions import text_index
from services.messaging.actions.search import BEGINNING_OF_TIME, END_OF_TIME, LOWEST_ID
from services.messaging.actions.text_index import HIGHEST_ID, Step
from services.messaging.model.search import Look, SearchQuery
from services.messaging.store.search import (
    KNOWN,
    LAST_CHARACTER,
    WITH_PART,
    find_statement,
)
from services.messaging.store.text_index import MESSAGES_BEFORE, NOT_INDEXED, messages_before
from suite.databases import DatabaseUrls, connected
from suite.testing import TestServers, fresh_database

BUSY, NEIGHBOUR = WorkspaceId(new_id()), WorkspaceId(new_id())
CHANNEL, CONVERSATION = new_id(), new_id()
ROWS = 6_000
LIMIT, LOOK_AT = 21, 512
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
FILL_THREADS = """
INSERT INTO threads VALUES ($1, $2, $3, 'simulator', 'ana', 'Ana', 'manual', 1, $4, $4, now(),
    now(), 1)
"""
FILL_MESSAGES = """
INSERT INTO messages (workspace_id, conversation_id, seq, id, client_message_id, direction,
    author_kind, author_id, author_display_name, text, attempt_count, inbound_ordinal,
    create_time, version)
SELECT $1, $2, n, gen_random_uuid(), gen_random_uuid(), 'inbound', 'customer', '', '',
    'common w' || n % 97 || ' rare' || n % 1000 || ' only' || n, 0, n,
    $4::timestamptz + n * interval '1 second', 1
FROM generate_series(1, $3::bigint) n
"""
WALK_EVERYTHING = """
UPDATE text_index SET log_epoch = (SELECT log_epoch FROM log_state),
    walk_workspace_id = '00000000-0000-0000-0000-000000000000',
    walk_message_id = '00000000-0000-0000-0000-000000000000'
"""
ONE_WORD = Look(["common"], [["common"]], None)
TWO_WORDS = Look(["rare7"], [["common"], ["rare7"]], None)
MANY_WORDS = Look(
    [f"rare{number}" for number in range(64)],
    [[f"rare{number}" for number in range(64)]],
    [["rare"]],
)
ANYWHERE = SearchQuery(["common"])
IN_CONVERSATION = SearchQuery(["common"], conversation_id=CONVERSATION)
ON_CHANNEL = SearchQuery(["common"], channel_id=CHANNEL)


@pytest.fixture(scope="module")
def busy_urls(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "messaging") as urls:
        yield urls


@pytest.fixture
async def busy(busy_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """Two workspaces that said the same often, seen by the role that serves requests."""
    worker = Database(busy_urls.worker)
    async with worker.begin() as transaction:
        is_filled = await transaction.raw.fetchval("SELECT count(*) FROM log_workspaces")
    if not is_filled:
        for workspace_id in (BUSY, NEIGHBOUR):
            async with worker.begin(workspace_id) as transaction:
                run = transaction.raw.execute
                await run("INSERT INTO log_workspaces VALUES ($1)", workspace_id)
                await run(FILL_THREADS, workspace_id, CONVERSATION, CHANNEL, ROWS)
                await run(FILL_MESSAGES, workspace_id, CONVERSATION, ROWS, NOON)
        async with worker.begin() as transaction:
            await transaction.raw.execute(WALK_EVERYTHING)
        while (await text_index.step(worker)).step is not Step.NOTHING:
            pass
        async with connected(busy_urls.owner) as owner:
            await owner.execute("VACUUM ANALYZE")
    await worker.close()
    database = Database(busy_urls.app)
    yield database
    await database.close()


async def explained(
    database: Database, plan: str, statement: str, values: Sequence[object]
) -> tuple[int, str]:
    """How many rows come, and how PostgreSQL found them."""
    async with database.begin(BUSY) as transaction:
        rows = await transaction.raw.fetch(statement, *values)
        await transaction.raw.execute(f"SET LOCAL plan_cache_mode = {plan}")
        lines = await transaction.raw.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {statement}",
            *values,
        )
    return len(rows), "\n".join(line[0] for line in lines)


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("query", "look", "index", "count"),
    [
        (ANYWHERE, ONE_WORD, "Index Only Scan Backward using pk_message_words", LIMIT),
        (ANYWHERE, TWO_WORDS, "Index Only Scan Backward using pk_message_words", 6),
        (ANYWHERE, MANY_WORDS, "Index Only Scan Backward using pk_message_words", LIMIT),
        (ON_CHANNEL, ONE_WORD, "Index Only Scan Backward using pk_message_words", LIMIT),
        (
            IN_CONVERSATION,
            ONE_WORD,
            "Scan Backward using ix_message_texts_conversation_id",
            LIMIT,
        ),
    ],
    ids=["one word", "two words", "many words", "on a channel", "in a conversation"],
)
async def test_the_newest_messages_of_a_word_are_read_from_its_index_and_no_others(
    busy: Database, plan: str, query: SearchQuery, look: Look, index: str, count: int
) -> None:
    statement, values = find_statement(query, look)
    list_limit = LOOK_AT if query.conversation_id else LOOK_AT // len(look.drivers)
    place = (BUSY, BEGINNING_OF_TIME, END_OF_TIME, LOWEST_ID, list_limit, LIMIT)

    found, text = await explained(busy, plan, statement, [*place, *values])

    assert found == count
    assert index in text
    assert "Seq Scan" not in text
    assert "Bitmap" not in text
    assert most_rows(text) <= LOOK_AT
    # All of them fit, so no more is looked up than is shown.
    assert times(text, "pk_message_texts") == times(text, "pk_messages") == count


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (KNOWN, (["common", "rare7", "absent"], 64), "pk_words"),
        (WITH_PART, ("rar", "rar" + LAST_CHARACTER, 1000, False, 64), "pk_words"),
        (WITH_PART, ("are1", "are1" + LAST_CHARACTER, 1000, True, 64), "pk_word_endings"),
    ],
    ids=["words", "beginnings", "parts"],
)
async def test_words_of_a_workspace_are_found_by_an_index(
    busy: Database, plan: str, statement: str, values: Sequence[object], index: str
) -> None:
    count, text = await explained(busy, plan, statement, [BUSY, *values])

    assert count
    assert f"using {index}" in text or f"on {index}" in text
    assert "Seq Scan" not in text
    assert most_rows(text) <= 1000


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_a_walk_reads_no_more_than_its_next_step(busy: Database, plan: str) -> None:
    count, text = await explained(busy, plan, MESSAGES_BEFORE, [BUSY, HIGHEST_ID, 500])

    assert count == 500
    assert "Scan Backward using uq_messages_id" in text
    assert most_rows(text) == 500


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_messages_to_be_added_are_looked_up_one_by_one(busy: Database, plan: str) -> None:
    async with busy.begin(BUSY) as transaction:
        ids = await messages_before(transaction, HIGHEST_ID, limit=100)
    values = [[BUSY] * len(ids), ids, ["inbound", "outbound"], ["system"]]

    count, text = await explained(busy, plan, NOT_INDEXED, values)

    assert count == 0
    assert "Seq Scan on messages" not in text
    assert "Seq Scan on message_texts" not in text
    assert most_rows(text) <= 100


async def test_a_time_is_a_place_in_the_index(busy: Database) -> None:
    statement, values = find_statement(ANYWHERE, ONE_WORD)
    since, until = NOON + timedelta(seconds=1000), NOON + timedelta(seconds=1010)

    count, text = await explained(
        busy,
        "force_generic_plan",
        statement,
        [BUSY, since, until, LOWEST_ID, LOOK_AT, LIMIT, *values],
    )

    assert count == 10
    assert most_rows(text) <= 10


def times(text: str, index: str) -> int:
    """How often something was looked up by an index."""
    (loops,) = re.findall(rf"using {index} on .*loops=(\d+)", text)
    return int(loops)


def most_rows(text: str) -> float:
    """The most rows that any step of a plan read, those it threw away included."""
    read = [
        float(rows) * float(loops)
        for rows, loops in re.findall(r"actual rows=([\d.]+) loops=(\d+)", text)
    ]
    thrown_away = [float(rows) for rows in re.findall(r"Rows Removed by \w+(?: \w+)*: (\d+)", text)]
    return max([*read, *thrown_away])
