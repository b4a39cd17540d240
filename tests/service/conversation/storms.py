"""Random work on one inbox: messages late, twice and out of order, several tabs at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from chassis.errors import Aborted, AlreadyExists, Conflict, NotFound, OutOfRange
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.model.conversation import Folder
from services.conversation.model.thread import Mode, ThreadFacts
from tests.service.conversation.desk import Customer, Desk, a_customer

Work = Callable[[], Awaitable[object]]

REFUSALS = (Aborted, AlreadyExists, Conflict, NotFound, OutOfRange)
"""What the rules may say; a deadlock is none of these."""
MAX_RUN = 20
"""Facts projected in one transaction."""
KEPT_FACTS = 200
"""How far back a fact may be repeated."""


@dataclass
class Storm:
    """So many operations on a few conversations, all following from a seed."""

    desk: Desk
    seed: int
    operations: int
    tabs: int
    done: int = 0
    customers: list[Customer] = field(default_factory=list)
    facts: list[ThreadFacts] = field(default_factory=list)
    tag_keys: list[str] = field(default_factory=lambda: ["priority"])

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    async def rage(self) -> None:
        """Do it all; whatever the rules refuse is refused."""
        channels = [new_id() for _ in range(2)]
        self.customers = [
            a_customer(channel_id=self.random.choice(channels))
            for _ in range(self.random.randint(1, 6))
        ]
        self.facts = [customer.opens() for customer in self.customers]
        await self.desk.apply(*self.facts)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._project())
            for _ in range(self.tabs):
                group.create_task(self._work())

    def _goes_on(self, count: int = 1) -> bool:
        self.done += count
        return self.done <= self.operations

    async def _project(self) -> None:
        """The one reader: new facts, old ones again, in any order."""
        while self._goes_on(size := self.random.randint(1, MAX_RUN)):
            run = [self._happens() for _ in range(size)]
            run += self.random.choices(self.facts[-KEPT_FACTS:], k=self.random.randint(0, 5))
            self.facts += run
            self.random.shuffle(run)
            await self.desk.apply(*run)

    def _happens(self) -> ThreadFacts:
        customer = self.random.choice(self.customers)
        match self.random.randrange(8):
            case 0:
                return customer.is_answered()
            case 1:
                return customer.is_switched(self.random.choice(list(Mode)))
            case 2:
                return customer.is_handed_over()
            case 3:
                return customer.is_taken_by(new_id())
            case _:
                return customer.writes()

    async def _work(self) -> None:
        """One tab: what a person does, sometimes twice."""
        while self._goes_on():
            work, repeats = self._something(), self.random.choice([1, 1, 1, 2])
            for _ in range(repeats):
                # A conflict, a tag that has gone: a person would be told.
                with suppress(*REFUSALS):
                    await work()

    def _something(self) -> Work:
        random, desk, request_id = self.random, self.desk, new_id()
        customer = random.choice(self.customers)
        conversation_id = customer.conversation_id
        inbound_count = customer.thread.inbound_count
        key = random.choice(self.tag_keys)
        match random.randrange(12):
            case 0 | 1 | 2:
                folder = random.choice(list(Folder))
                return lambda: desk.move(conversation_id, folder, request_id=request_id)
            case 3 | 4 | 5:
                ordinal = max(0, inbound_count + random.randint(-2, 2))
                return lambda: desk.mark_read(conversation_id, ordinal)
            case 6:
                ordinal = random.randint(1, max(1, inbound_count))
                return lambda: self._mark_unread(conversation_id, ordinal)
            case 7 | 8:
                return lambda: desk.tag(conversation_id, key, request_id=request_id)
            case 9:
                return lambda: desk.untag(conversation_id, key, request_id=request_id)
            case 10:
                name = f"tag-{random.randrange(4)}"
                self.tag_keys = [*{*self.tag_keys, name}]
                return lambda: desk.create_tag(name, request_id=request_id)
            case _ if random.random() < 0.3:
                return lambda: desk.delete_tag(key, request_id=request_id)
            case _:
                is_kept = random.random() < 0.5
                return lambda: desk.choose(reopens_on_inbound=is_kept)

    async def _mark_unread(self, conversation_id: str, ordinal: int) -> object:
        version = (await self.desk.get(conversation_id)).version
        return await self.desk.mark_unread(conversation_id, ordinal, expected_version=version)


async def rows_by_tag_are_wrong(desk: Desk) -> int:
    """How many rows of living tags differ from what the conversations say of themselves."""
    async with desk.worker.begin(desk.workspace_id) as transaction:
        return int(await transaction.raw.fetchval(WRONG_ROWS))


async def told_counters(desk: Desk) -> dict[tuple[int, str, str], tuple[int, int, int]]:
    """What somebody who heard every event believes of the counters of living tags."""
    newest: dict[tuple[int, str, str], conversation_v1.Counter] = {}
    for event in await desk.frames():
        if isinstance(event, conversation_v1.CountersChanged):
            for counter in event.counters:
                name = (counter.folder, counter.channel_id, counter.tag_id)
                if name not in newest or counter.version > newest[name].version:
                    newest[name] = counter
    living = {"", *(tag.id for tag in await desk.tags())}
    return {
        name: (counter.conversation_count, counter.unread_count, counter.waiting_count)
        for name, counter in newest.items()
        if counter.conversation_count and counter.tag_id in living
    }


WRONG_ROWS = """
WITH said AS (
    SELECT id AS conversation_id, tag_id, channel_id, channel_kind, folder, last_activity_time,
           inbound_count > read_ordinal AS is_unread
    FROM conversations CROSS JOIN LATERAL unnest(tag_ids) AS tag_id
), kept AS (
    SELECT conversation_id, tag_id, channel_id, channel_kind, folder, last_activity_time, is_unread
    FROM conversation_tags
)
SELECT count(*) FROM (
    (TABLE said EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE said)
) AS wrong
WHERE tag_id NOT IN (SELECT id FROM tags WHERE is_deleted)
"""
