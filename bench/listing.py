"""The inbox list at several sizes, by every filter, against the bare rows; and the counters.

    PYTHONPATH=gen python -m bench.listing [--conversations 10000 100000 1000000] [--queries 200]

One workspace has that many conversations, ten neighbours a fiftieth each. Every filter is asked of
the folder Solved, which holds most, through the action behind ListConversations: row security on,
50 on a page, one after the other, the first page and pages from anywhere. The limit is a prepared
statement of a superuser that reads 51 conversations by their ids and nothing of their contacts.
CPU is of this process and PostgreSQL together: it says on a busy machine too what a list costs.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import asyncpg
import uvloop

from bench.database import Ask, Asked, Server, database_alone, timed
from bench.inbox import COLD, HOT, MEMBER, OWN, Inbox, tag_id
from bench.report import Progress, machine
from chassis.auth import Caller, Role
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.ids import new_id
from services.conversation.actions import counters, folders, inbox
from services.conversation.actions.inbox import ListQuery
from services.conversation.actions.means import Means
from services.conversation.model.conversation import Folder
from services.conversation.model.counters import ALL, CounterKey, Tally
from services.conversation.model.thread import ChannelKind
from services.conversation.store import counters as counter_store
from services.conversation.store.listing import Place
from tests.service.conversation.members import KnownMembers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = 50
SHARES = (0.5, 0.95, 0.99)
SAMPLE = 2_000
RAW = "SELECT * FROM conversations WHERE workspace_id = $1 AND id = ANY ($2::uuid[])"
ANYWHERE = f"""
SELECT id::text, last_activity_time FROM conversations
WHERE workspace_id = $1 AND folder = 'solved' ORDER BY random() LIMIT {SAMPLE}
"""
UNREAD: dict[str, Any] = {"unread_only": True}
HOT_CHANNEL: dict[str, Any] = {"channel_id": HOT.id}
COLD_CHANNEL: dict[str, Any] = {"channel_id": COLD.id}
USUAL_KIND: dict[str, Any] = {"channel_kind": HOT.kind}
RARE_KIND: dict[str, Any] = {"channel_kind": COLD.kind}


def _tagged(*keys: str) -> dict[str, Any]:
    return {"tags": tuple(tag_id(key) for key in keys)}


STAR = _tagged("priority")
FILTERS: dict[str, dict[str, Any]] = {
    "the folder": {},
    "the folder Open": {"folder": Folder.OPEN},
    "unread": UNREAD,
    "a busy channel": HOT_CHANNEL,
    "a busy channel, unread": HOT_CHANNEL | UNREAD,
    "a quiet channel": COLD_CHANNEL,
    "a kind of channel": USUAL_KIND,
    "a kind of channel, unread": USUAL_KIND | UNREAD,
    "the star": STAR,
    "the star, unread": STAR | UNREAD,
    "a common tag": _tagged("billing"),
    "a rare tag": _tagged("press"),
    "what waits, in Open": {"folder": Folder.OPEN, "waiting_only": True},
    "one member's": {"assignee_id": MEMBER},
    "one member's, unread": {"assignee_id": MEMBER} | UNREAD,
    "nobody's": {"unassigned_only": True},
    "one member's, a common tag": {"assignee_id": MEMBER} | _tagged("billing"),
    "nobody's, a common tag": {"unassigned_only": True} | _tagged("billing"),
    "the star, a busy channel": STAR | HOT_CHANNEL,
    "a common tag, a quiet channel": _tagged("billing") | COLD_CHANNEL,
    "a common tag, a quiet channel, unread": _tagged("billing") | COLD_CHANNEL | UNREAD,
    "a common tag, a rare kind of channel": _tagged("billing") | RARE_KIND,
    "the star, a common tag": _tagged("priority", "billing"),
    "a rare tag, a common tag": _tagged("press", "billing"),
    "two common tags that hardly meet": _tagged("billing", "complaint"),
    "the same, unread, a busy channel": _tagged("billing", "complaint") | HOT_CHANNEL | UNREAD,
    "a busy channel, a kind it is not": HOT_CHANNEL | {"channel_kind": ChannelKind.TELEGRAM},
}
"""What is asked; in Solved, where it does not say otherwise."""


@dataclass(frozen=True)
class Team:
    """Who asks, and with what."""

    server: Server
    superuser: asyncpg.Connection
    means: Means
    worker: Database
    member: Caller
    anywhere: list[tuple[str, Place]]
    """Conversations of Solved by lot."""
    dice: random.Random

    def conversation_id(self) -> str:
        return self.dice.choice(self.anywhere)[0]

    def place(self) -> Place:
        return self.dice.choice(self.anywhere)[1]


@asynccontextmanager
async def team(server: Server) -> AsyncIterator[Team]:
    superuser = await asyncpg.connect(server.superuser_url)
    app, worker = Database(server.urls.app), Database(server.urls.worker)
    found = await superuser.fetch(ANYWHERE, OWN)
    yield Team(
        server,
        superuser,
        Means(app, SystemClock(), lambda: None, KnownMembers()),
        worker,
        Caller(new_id(), Role.AGENT, OWN, display_name="Bea"),
        [(row["id"], Place(row["last_activity_time"], row["id"])) for row in found],
        random.Random(7),
    )
    for database in (app, worker):
        await database.close()
    await superuser.close()


def questions(team: Team) -> Iterator[tuple[str, Ask]]:
    """Each kind of list twice, and one conversation."""

    def first(query: ListQuery) -> Ask:
        return lambda: inbox.list_conversations(team.means, team.member, query)

    def deep(query: ListQuery) -> Ask:
        return lambda: inbox.list_conversations(
            team.means, team.member, replace(query, after=team.place())
        )

    for name, filters in FILTERS.items():
        query = replace(ListQuery(PAGE, Folder.SOLVED), **filters)
        yield name, first(query)
        yield f"{name}, from anywhere", deep(query)
    yield (
        "one conversation",
        lambda: inbox.get_conversation(team.means, team.member, team.conversation_id()),
    )


async def limit(team: Team, queries: int) -> Asked:
    """As many conversations as a page, from anywhere, by primary key."""
    statement = await team.superuser.prepare(RAW)

    async def ask() -> None:
        ids = [one for one, _ in team.dice.sample(team.anywhere, PAGE + 1)]
        await statement.fetch(OWN, ids)

    return await timed(team.server, ask, queries)


def countings(team: Team) -> Iterator[tuple[str, Ask]]:
    """What counters cost where they change and where they are read."""
    keys = [
        CounterKey("channel", HOT.id, "solved"),
        CounterKey("folder", ALL, "solved"),
        CounterKey("tag", tag_id("priority"), "solved"),
    ]

    async def add() -> None:
        async with team.worker.begin(OWN) as transaction:
            await counter_store.add(transaction, dict.fromkeys(keys, Tally(0, 0)))

    async def move() -> None:
        conversation_id = team.conversation_id()
        for folder in (Folder.ARCHIVED, Folder.SOLVED):
            await folders.move_conversation(
                team.means,
                team.member,
                conversation_id,
                folder,
                request_id=new_id(),
                expected_version=0,
                seen_inbound_count=0,
            )

    yield "counters read", lambda: counters.get_counters(team.means, team.member)
    yield "three counters changed, a commit", add
    yield "a conversation moved and moved back, two commits", move


async def measure(server: Server, conversations: int, queries: int, progress: Progress) -> None:
    """Ask everything at the size that is there."""
    async with team(server) as asking:
        checked = await timed(
            server, lambda: counters.check_counters(asking.means, asking.worker, OWN), 3
        )
        progress.say(f"counters checked in {checked.millis(0.5):,.0f} ms")
        raw = await limit(asking, queries)
        print(f"\n### {conversations:,} conversations\n")
        print("| asked for | p50, p95, p99 ms | CPU p50, p95, p99 ms | CPU p95 over the limit's |")
        print("|---|---|---|---|")
        _tell("the limit: 51 by primary key, bare", raw, raw)
        for name, ask in (*questions(asking), *countings(asking)):
            asked = await timed(server, ask, queries)
            _tell(name, asked, raw)
            progress.say(f"{name}: p95 {asked.millis(0.95):.1f} ms, {len(asked.ages)} asked")
        _tell("all counters compared with what they count", checked, raw)


async def grow(server: Server, town: Inbox, conversations: int) -> None:
    """Write conversations, and their counters as the self-check counts them."""
    superuser = await asyncpg.connect(server.superuser_url)
    await town.grow(superuser, conversations)
    await superuser.close()
    worker = Database(server.urls.worker)
    for workspace_id in (OWN, *town.neighbours):
        async with worker.begin(workspace_id) as transaction:
            await counter_store.add(transaction, await counter_store.drift(transaction))
    await worker.close()


def _tell(name: str, asked: Asked, raw: Asked) -> None:
    ages = ", ".join(f"{asked.millis(share):.1f}" for share in SHARES)
    cpus = ", ".join(f"{asked.cpu_millis(share):.1f}" for share in SHARES)
    over = asked.cpu_millis(0.95) / raw.cpu_millis(0.95)
    print(f"| {name} | {ages} | {cpus} | {over:.1f} |", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--conversations", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
    )
    arguments.add_argument("--queries", type=int, default=200)
    given = arguments.parse_args()
    progress, town = Progress(), Inbox()
    print(machine(), file=sys.stderr)
    with database_alone("conversation") as server:
        for conversations in sorted(given.conversations):
            progress.say(f"writing {conversations:,} conversations")
            uvloop.run(grow(server, town, conversations))
            progress.say("asking")
            uvloop.run(measure(server, conversations, given.queries, progress))


if __name__ == "__main__":
    main()
