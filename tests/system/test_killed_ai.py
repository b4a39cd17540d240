"""kill -9 when the AI is to come back, or in the midst of its answer: it happens once anyway.

The moment of each kill is made by locks: a statement that waits for one is where the process is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.auth import Role
from chassis.ids import new_id
from inbox.assistant import v1 as assistant_v1
from inbox.messaging import v1 as messaging_v1
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers, test_servers
from tests.system.apart import Apart
from tests.system.services import Services, fresh_databases, ready, running_services
from tests.system.shop import WITHIN_SECONDS, Customer, a_shop
from tests.system.tenants import Stubs, Tenant

MOMENTS = 3 if os.environ.get("INBOX_TEST_FULL") == "1" else 1
"""The worst one in the short form, all in `./dev faults T17`."""
RESUMES_AFTER = timedelta(seconds=4)
LATE_BY_AT_MOST = timedelta(seconds=2)
QUESTION = "What are your opening hours?"
THREAD = "SELECT FROM threads WHERE conversation_id = $1 FOR UPDATE"
DUTY = "SELECT FROM duties WHERE conversation_id = $1 FOR UPDATE"
DECIDED = "SELECT count(*) FROM turns WHERE decision IS NOT NULL"
FORGETFUL = """
import os, signal
from dataclasses import replace
from services.messaging.actions import resume
from services.messaging.store import threads, timers

threads.DROP_TIMER = "SELECT WHERE $1::uuid = $2::uuid"
lock, resume_next = timers.lock_thread_if_free, resume.resume_next

async def lock_as_if_armed(transaction, conversation_id):
    thread = await lock(transaction, conversation_id)
    return thread and replace(thread, manual_until=thread.create_time)

async def resume_and_die(database, *, now):
    if await resume_next(database, now=now):
        os.kill(os.getpid(), signal.SIGKILL)
    return False

timers.lock_thread_if_free = lock_as_if_armed
resume.resume_next = resume_and_die
"""
"""The timer does not go in the transaction of its switch, and nobody looks whether it still holds;
and the process dies each time after the one and before the other."""
NAMELESS = """
from chassis.ids import new_id
from services.assistant.model.turns import Turn

Turn.client_message_id = property(lambda turn: new_id())
"""
"""What is sent has an id of the moment instead of the turn's."""


@pytest.fixture(scope="module")
def servers() -> Iterator[TestServers]:
    with test_servers() as servers:
        yield servers


@pytest.fixture
def urls(servers: TestServers) -> Iterator[dict[str, DatabaseUrls]]:
    with fresh_databases(servers) as urls:
        yield urls


class Stage:
    """The shop, its customer, its owner; one service that is going to be killed; its databases."""

    def __init__(self, services: Services, servers: TestServers, shop: Tenant) -> None:
        assert services.apart is not None
        self.services, self.servers, self.shop = services, servers, shop
        self.apart: Apart = services.apart
        self.stubs = Stubs(services)
        self.owner = shop.callers[Role.OWNER]
        self.ana = Customer(self.stubs)

    async def ana_arrives(self) -> None:
        """Somebody new at the chat box."""
        self.ana = Customer(self.stubs)
        await self.ana.arrive(self.shop.channel_id)

    @asynccontextmanager
    async def database(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        """As a superuser, who sees and locks everything."""
        url = with_database(self.servers.database_url, self.services.urls[service].name)
        async with connected(url) as connection:
            yield connection

    @asynccontextmanager
    async def held(self, service: str, lock: str, *arguments: Any) -> AsyncIterator[None]:
        """A lock for the length of a block: whoever needs it waits in the middle of its work."""
        async with self.database(service) as connection, connection.transaction():
            await connection.execute(lock, *arguments)
            yield

    async def until_somebody_waits(self, service: str) -> None:
        """Until a statement in this database waits for a lock."""
        waiting = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        async with self.database(service) as connection:
            await until(lambda: connection.fetchval(waiting))

    async def start_again(self, sabotage: str = "") -> datetime:
        """The killed service comes back; when it was ready."""
        self.apart.sabotage = sabotage
        self.apart.start()
        await ready(self.services.channels[self.apart.module.rpartition(".")[2]])
        return datetime.now(UTC)

    async def has_taken_over(self) -> messaging_v1.Thread:
        """Ana was answered by the AI; then a person took over; she has written twice since."""
        span = Duration()
        span.FromTimedelta(RESUMES_AFTER)
        await self.stubs.messaging.UpdateMessagingSettings(
            messaging_v1.UpdateMessagingSettingsRequest(resume_ai_after=span), metadata=self.owner
        )
        await self.ana_arrives()
        await self.ana.writes(QUESTION)
        await self.ana.is_answered(1)
        await self.ana.writes("How much is shipping?")
        taken = await self.stubs.messaging.SetMode(
            messaging_v1.SetModeRequest(
                conversation_id=self.ana.conversation_id,
                mode=messaging_v1.CONVERSATION_MODE_MANUAL,
                request_id=new_id(),
            ),
            metadata=self.owner,
        )
        await self.ana.writes("Do you deliver to Portugal?")
        thread: messaging_v1.Thread = taken.thread
        return thread

    async def history(self) -> list[messaging_v1.Message]:
        listed = await self.stubs.messaging.ListMessages(
            messaging_v1.ListMessagesRequest(
                conversation_id=self.ana.conversation_id, page_size=200
            ),
            metadata=self.owner,
        )
        return list(listed.messages)

    async def resumed_times(self) -> list[datetime]:
        """When the AI came back, each time it did."""
        return [
            one.create_time.ToDatetime(UTC)
            for one in await self.history()
            if one.system_note.HasField("ai_resumed")
        ]

    async def is_back_once(self) -> datetime:
        """The AI came back, answered what had been asked meanwhile, and goes on; all of it once."""
        await until(self.resumed_times)
        # Behind the answer to this there would be whatever was done twice.
        assert len(await self.ana.is_answered(2)) == 2
        await self.ana.writes("thank you")
        assert (await self.ana.is_answered(3))[2:] == ["You are welcome!"]
        [at] = await self.resumed_times()
        return at

    async def until_decided(self) -> None:
        """Until the assistant has written down what it is going to say."""
        async with self.database("assistant") as connection:
            await until(lambda: connection.fetchval(DECIDED))

    async def has_replied(self, numbers: list[int]) -> bool:
        """Whether the turns of these numbers are all there were, and each ended in a reply."""
        listed = await self.stubs.assistant.ListTurns(
            assistant_v1.ListTurnsRequest(conversation_id=self.ana.conversation_id),
            metadata=self.owner,
        )
        assert {one.outcome for one in listed.turns} <= {assistant_v1.TURN_OUTCOME_REPLIED}
        return sorted(one.number for one in listed.turns) == numbers

    async def lease_runs_out(self) -> None:
        """Nobody else may work on a turn while its dead worker's lease lasts."""
        async with self.database("assistant") as connection:
            await connection.execute("UPDATE duties SET lease_until = now()")


async def until(holds: Any) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not await holds():
            await asyncio.sleep(0.02)


async def is_past(time: datetime) -> bool:
    return datetime.now(UTC) > time


@asynccontextmanager
async def a_stage(
    urls: dict[str, DatabaseUrls],
    servers: TestServers,
    folder: Path,
    apart: str,
    sabotage: str = "",
) -> AsyncIterator[Stage]:
    async with running_services(urls, servers, folder, apart=apart, sabotage=sabotage) as services:
        yield Stage(services, servers, await a_shop(services, folder))


async def test_a_messaging_killed_around_the_time_lets_the_ai_resume_once(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> None:
    async with a_stage(urls, servers, tmp_path, "messaging") as stage:
        moments = (in_the_midst_of_resuming, while_the_time_runs, the_moment_it_has_resumed)
        for die in moments[:MOMENTS]:
            taken = await stage.has_taken_over()

            await die(stage, taken)
            back = await stage.start_again()

            assert await stage.is_back_once() < back + LATE_BY_AT_MOST, die.__name__


async def while_the_time_runs(stage: Stage, taken: messaging_v1.Thread) -> None:
    """And it stays away until the time is over."""
    due = taken.manual_until.ToDatetime(UTC)
    stage.apart.kill()
    assert not await is_past(due)
    await until(lambda: is_past(due))


async def in_the_midst_of_resuming(stage: Stage, taken: messaging_v1.Thread) -> None:
    """Its transaction has the timer and the thread, and comes to no end."""
    async with stage.held("messaging", "LOCK TABLE audit_entries IN SHARE MODE"):
        await stage.until_somebody_waits("messaging")
        stage.apart.kill()


async def the_moment_it_has_resumed(stage: Stage, taken: messaging_v1.Thread) -> None:
    """The commit is the last thing it did."""
    switched = "SELECT count(*) FROM threads WHERE conversation_id = $1 AND mode_epoch > $2"
    async with stage.database("messaging") as connection:
        await until(lambda: connection.fetchval(switched, taken.conversation_id, taken.mode_epoch))
    stage.apart.kill()


async def test_negative_control_a_timer_beside_its_switch_resumes_once_for_each_life(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> None:
    async with a_stage(urls, servers, tmp_path, "messaging", FORGETFUL) as stage:
        await stage.has_taken_over()
        await until_dead(stage.apart)
        stage.apart.start()
        await until_dead(stage.apart)

        await stage.start_again()

        assert len(await stage.resumed_times()) == 2


async def until_dead(apart: Apart) -> None:
    async def is_dead() -> bool:
        return apart.is_dead

    await until(is_dead)


async def test_an_assistant_killed_at_any_step_of_its_turn_answers_once(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> None:
    async with a_stage(urls, servers, tmp_path, "assistant") as stage:
        moments = (with_the_decision_made, with_the_answer_sent, while_the_provider_writes)
        for die in moments[:MOMENTS]:
            await stage.ana_arrives()

            await die(stage)
            await stage.start_again()
            await stage.lease_runs_out()

            await stage.ana.is_answered(1)
            # Behind the answer to this there would be whatever was said twice.
            await stage.ana.writes("thank you")
            answer, thanks = await stage.ana.is_answered(2)
            assert answer.endswith("Source: Opening hours and address"), die.__name__
            assert thanks == "You are welcome!", die.__name__
            await until(lambda: stage.has_replied([1, 2]))


async def test_negative_control_without_the_turns_own_id_a_killed_assistant_says_it_twice(
    urls: dict[str, DatabaseUrls], servers: TestServers, tmp_path: Path
) -> None:
    async with a_stage(urls, servers, tmp_path, "assistant", NAMELESS) as stage:
        await stage.ana_arrives()
        await with_the_answer_sent(stage)
        await stage.start_again(NAMELESS)
        await stage.lease_runs_out()

        first, again = await stage.ana.is_answered(2)
        assert first == again


async def while_the_provider_writes(stage: Stage) -> None:
    """It has not found its article yet."""
    async with stage.held("assistant", "LOCK TABLE articles IN ACCESS EXCLUSIVE MODE"):
        await stage.ana.writes(QUESTION)
        await stage.until_somebody_waits("assistant")
        stage.apart.kill()


async def with_the_decision_made(stage: Stage) -> None:
    """What it is going to say is written down; the conversation cannot take it yet."""
    await stage.ana.writes(QUESTION)
    async with stage.held("messaging", THREAD, stage.ana.conversation_id):
        await stage.until_decided()
        stage.apart.kill()


async def with_the_answer_sent(stage: Stage) -> None:
    """The customer has it, and the turn is not closed."""
    await stage.ana.writes(QUESTION)
    async with AsyncExitStack() as duty:
        async with stage.held("messaging", THREAD, stage.ana.conversation_id):
            await stage.until_decided()
            await duty.enter_async_context(stage.held("assistant", DUTY, stage.ana.conversation_id))
        await stage.ana.is_answered(1)
        await stage.until_somebody_waits("assistant")
        stage.apart.kill()
