"""Search by what messages say, at several sizes, against the bare index.

    PYTHONPATH=gen python -m bench.search [--messages 10000 100000 1000000] [--queries 200]

One workspace holds four fifths of the messages, twenty neighbours the rest. Messages are copied in,
the indexer walks through them, then each kind of question is asked many times through the action
behind SearchMessages: row security on, one after the other. The limit is a prepared statement of a
superuser that reads the 21 newest messages of one word by primary key.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time
from uuid import UUID, uuid4  # noqa: TID251 - ids of a benchmark

import asyncpg
import uvloop

from bench.database import Ask, Asked, Server, cpu_seconds, database_alone, timed
from bench.small_talk import SmallTalk
from chassis.database import Database
from chassis.ids import WorkspaceId
from services.messaging.actions import text_index
from services.messaging.actions.search import search_messages
from services.messaging.actions.text_index import Step
from services.messaging.model.search import SearchQuery, words_sought

NEIGHBOURS = 20
OWN_SHARE = 0.8
MESSAGES_PER_CONVERSATION = 100
PAGE = 20
COPY_STEP = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=7)
INDEX_TABLES = ("message_texts", "message_words", "words", "word_endings")
ADD_THREADS = """
INSERT INTO threads SELECT $1, id, $3, 'simulator', id::text, 'Ana', 'manual', 1, 0, 0, now(),
    now(), 1
FROM unnest($2::uuid[]) AS n(id)
"""
WALK_EVERYTHING = """
UPDATE text_index SET log_epoch = (SELECT log_epoch FROM log_state),
    walk_workspace_id = '00000000-0000-0000-0000-000000000000',
    walk_message_id = '00000000-0000-0000-0000-000000000000'
"""
SIZES = f"""
SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
WHERE relname IN ({", ".join(f"'{table}'" for table in INDEX_TABLES)})
"""
RAW = """
SELECT m.id, m.conversation_id, m.seq, m.text, m.create_time FROM (
    SELECT create_time, message_id FROM message_words WHERE workspace_id = $1 AND word = $2
    ORDER BY create_time DESC, message_id DESC LIMIT 21) w
JOIN messages m ON m.workspace_id = $1 AND m.id = w.message_id
"""
COLUMNS = (
    "workspace_id", "conversation_id", "seq", "id", "client_message_id", "direction",
    "author_kind", "author_id", "author_display_name", "text", "attempt_count",
    "inbound_ordinal", "create_time", "version",
)  # fmt: skip


@dataclass
class Tenant:
    """A workspace and where its conversations have come."""

    id: UUID
    channel_id: UUID = field(default_factory=uuid4)
    conversations: list[UUID] = field(default_factory=list)
    seqs: dict[UUID, int] = field(default_factory=dict)

    def next_place(self, talk: SmallTalk) -> tuple[UUID, int]:
        conversation_id = talk.dice.choice(self.conversations)
        self.seqs[conversation_id] = self.seqs.get(conversation_id, 0) + 1
        return conversation_id, self.seqs[conversation_id]


@dataclass
class Town:
    """Everybody who talks."""

    server: Server
    talk: SmallTalk = field(default_factory=lambda: SmallTalk(7))
    own: Tenant = field(default_factory=lambda: Tenant(uuid4()))
    neighbours: list[Tenant] = field(
        default_factory=lambda: [Tenant(uuid4()) for _ in range(NEIGHBOURS)]
    )
    count: int = 0

    async def grow(self, connection: asyncpg.Connection, upto: int) -> None:
        """Copy messages in, as if they had been said one after the other."""
        for tenant in (self.own, *self.neighbours):
            share = OWN_SHARE if tenant is self.own else (1 - OWN_SHARE) / NEIGHBOURS
            wanted = max(1, int(upto * share / MESSAGES_PER_CONVERSATION))
            fresh = [uuid4() for _ in range(wanted - len(tenant.conversations))]
            tenant.conversations += fresh
            await connection.execute(ADD_THREADS, tenant.id, fresh, tenant.channel_id)
            await connection.execute(
                "INSERT INTO log_workspaces VALUES ($1) ON CONFLICT DO NOTHING", tenant.id
            )
        while self.count < upto:
            rows = [self._message() for _ in range(min(COPY_STEP, upto - self.count))]
            await connection.copy_records_to_table("messages", records=rows, columns=COLUMNS)

    def _message(self) -> tuple[object, ...]:
        is_own = self.talk.dice.random() < OWN_SHARE
        tenant = self.own if is_own else self.talk.dice.choice(self.neighbours)
        conversation_id, seq = tenant.next_place(self.talk)
        said_at = START + self.count * APART
        self.count += 1
        millis = int(said_at.timestamp() * 1000)
        ordered = UUID(int=millis << 80 | 7 << 76 | 2 << 62 | self.talk.dice.getrandbits(62))
        direction, author = self.talk.dice.choice((("inbound", "customer"), ("outbound", "member")))
        return (
            tenant.id, conversation_id, seq, ordered, uuid4(), direction, author, "", "",
            self.talk.text(), 0, seq, said_at, 1,
        )  # fmt: skip


async def measure(town: Town, messages: int, queries: int) -> None:
    """Grow to a size, index, and ask everything there."""
    before = town.count
    superuser = await asyncpg.connect(town.server.superuser_url)
    worker, app = Database(town.server.urls.worker), Database(town.server.urls.app)
    await town.grow(superuser, messages)
    await superuser.execute("ANALYZE messages, threads")
    await superuser.execute(WALK_EVERYTHING)
    await _index(town, worker, messages - before)
    await superuser.execute("VACUUM ANALYZE", timeout=1200)
    size = await superuser.fetchval(SIZES)
    print(f"  index: {size / 2**20:,.0f} MiB, {size / messages:,.0f} bytes a message")
    raw = await _raw(town, superuser, queries)
    print("  | asked for | p50 ms | p95 ms | p95 over the limit's | CPU ms here, in PostgreSQL |")
    print("  |---|---|---|---|---|")
    for name, ask in questions(town, app).items():
        _tell(name, await timed(town.server, ask, queries), raw)
    _tell("the limit: one word, bare", raw, raw)
    await superuser.close()
    await worker.close()
    await app.close()


async def _index(town: Town, worker: Database, count: int) -> None:
    began, own, theirs = perf_counter(), process_time(), cpu_seconds(town.server.postmaster)
    while (await text_index.step(worker)).step is not Step.NOTHING:
        pass
    took, own = perf_counter() - began, process_time() - own
    theirs = cpu_seconds(town.server.postmaster) - theirs
    print(
        f"  walk: {count / took:,.0f} messages/s; CPU a message: {own / count * 1e6:.0f} µs here, "
        f"{theirs / count * 1e6:.0f} µs in PostgreSQL"
    )


def questions(town: Town, app: Database) -> dict[str, Ask]:
    """Each kind of question; every call asks another one of its kind."""
    talk = town.talk

    def ask(make: Callable[[], str], tenant: Tenant, **where: str) -> Ask:
        async def call() -> None:
            query = SearchQuery(words_sought(make()), **where)  # type: ignore[arg-type]
            await search_messages(
                app, WorkspaceId(str(tenant.id)), query, after=None, page_size=PAGE
            )

        return call

    busiest = str(max(town.own.seqs, key=lambda one: town.own.seqs[one]))
    own = town.own

    def usual() -> str:
        return talk.word(50, 2_000)

    return {
        "a very common word": ask(lambda: talk.word(0, 20), own),
        "a usual word": ask(usual, own),
        "a rare word": ask(lambda: talk.word(5_000, 40_000), own),
        "two usual words": ask(lambda: f"{usual()} {usual()}", own),
        "a common and a rare word": ask(
            lambda: f"{talk.word(0, 20)} {talk.word(5_000, 40_000)}", own
        ),
        "the beginning of a word": ask(lambda: talk.word(2_000, 40_000)[:4], own),
        "the end of a word": ask(lambda: talk.word(2_000, 40_000)[-4:], own),
        "a word with a typo": ask(lambda: talk.typo(talk.word(2_000, 20_000)), own),
        "nothing that was ever said": ask(lambda: f"xyz{talk.dice.randrange(10**9)}", own),
        "a usual word in a conversation": ask(usual, own, conversation_id=busiest),
        "a usual word, small neighbour": ask(usual, town.neighbours[0]),
    }


async def _raw(town: Town, connection: asyncpg.Connection, count: int) -> Asked:
    statement = await connection.prepare(RAW)

    async def ask() -> None:
        (word,) = words_sought(town.talk.word(50, 2_000))
        await statement.fetch(town.own.id, word)

    return await timed(town.server, ask, count)


def _tell(name: str, asked: Asked, raw: Asked) -> None:
    print(
        f"  | {name} | {asked.millis(0.5):.1f} | {asked.millis(0.95):.1f} "
        f"| {asked.millis(0.95) / raw.millis(0.95):.1f} "
        f"| {asked.own_cpu * 1e3:.1f}, {asked.their_cpu * 1e3:.1f} |",
        flush=True,
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments.add_argument("--queries", type=int, default=200)
    given = arguments.parse_args()
    with database_alone("messaging") as server:
        town = Town(server)
        for messages in sorted(given.messages):
            print(f"{messages:,} messages:", flush=True)
            uvloop.run(measure(town, messages, given.queries))


if __name__ == "__main__":
    main()
