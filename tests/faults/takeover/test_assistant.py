"""T17 with the assistant itself: its turns on one side, whoever takes over on the other.

Two workers answer through the real messaging. Events reach them late, leases run out under them,
and between any two of their steps people may take over, and time may give the AI back.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from google.protobuf.message import Message as ProtoMessage

from chassis import sequencer
from chassis.auth import Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.rpc.channel import Metadata
from inbox.messaging import v1
from services.assistant.actions.ports import Place
from services.assistant.consumers import take_in
from services.assistant.model.turns import ANSWERING, Handover, HandoverReason, Outcome, Turn
from services.assistant.neighbours import BotTokens, GrpcMessaging
from services.assistant.providers.port import Answer, Question, Toolbox
from services.messaging.actions.resume import resume_next
from services.messaging.events import PUBLISHES
from services.messaging.model import draft as draft_rules
from services.messaging.model.channel import ChannelId, ChannelKind
from suite.databases import DatabaseUrls
from suite.testing import fresh_database, test_servers
from tests.fakes import FakeClock
from tests.faults.takeover.test_messaging import LONG_AFTER, leaks, surely
from tests.service.assistant.desk import Desk as Assistant
from tests.service.assistant.desk import Scripted
from tests.service.messaging.desk import Desk, open_desk
from tests.service.messaging.searching import number_events

IS_FULL = os.environ.get("INBOX_TEST_FULL") == "1"
SCHEDULES = 10_000 if IS_FULL else 400
CONVERSATIONS = 8
WORKERS = 2
TICK = timedelta(milliseconds=500)
SETTLED_WITHIN_SECONDS = 60.0
WHOLE_TURN_AT_MOST = 2.0
AI, MANUAL = v1.CONVERSATION_MODE_AI, v1.CONVERSATION_MODE_MANUAL

pytestmark = pytest.mark.timeout(3_000 if IS_FULL else 300)


class Bot(BotTokens):
    """Identity's part: a bot of this workspace."""

    def __init__(self, desk: Desk) -> None:
        self._bot = desk.server.tokens.metadata(
            Role.BOT, desk.workspace_id, display_name="Assistant"
        )

    async def metadata(self, place: Place) -> Metadata:
        return self._bot

    def drop(self, place: Place) -> None:
        raise AssertionError("messaging refused a good token")


@dataclass
class Race:
    """What chance makes of customers, people and the time, against workers that never rest."""

    desk: Desk
    assistant: Assistant
    clock: FakeClock
    chance: random.Random
    told: list[ProtoMessage] = field(default_factory=list)
    """Messaging's events in the order of the log, as far as the assistant has heard them."""
    heard_gpos: int = 0
    channels: dict[str, ChannelId] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)
    """When the AI was last asked, by conversation."""
    whole_turn: float = 0.3
    """As many seconds as the slowest turn took from its question to what all have heard of it."""
    is_over: bool = False

    async def run(self, schedules: int) -> None:
        """Play, then let the AI have everything and wait until nothing is owed any more."""
        self.assistant.messaging = GrpcMessaging(  # type: ignore[assignment]
            self.desk.server.channel_with(()), Bot(self.desk)
        )
        self.assistant.providers = Scripted(self.say)
        for number in range(CONVERSATIONS):
            channel_id = await self.desk.connect(ChannelKind.WEB_CHAT)
            first = await self.write(channel_id, f"customer {number}")
            self.channels[first] = channel_id
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self.answer())
            group.create_task(self.hear())
            async with asyncio.TaskGroup() as playing:
                for conversation_id in self.channels:
                    playing.create_task(self.play(conversation_id, schedules // CONVERSATIONS))
            await self.settle()
            # They end after their step: cancelled, they might leave a half-opened connection.
            self.is_over = True
        heard = -1
        while self.heard_gpos > heard:
            heard = self.heard_gpos
            await self.hear_once()

    async def play(self, conversation_id: str, schedules: int) -> None:
        for _ in range(schedules):
            works = [self.write_now_and_then(conversation_id), self.take_over(conversation_id)]
            if self.chance.random() < 0.4:
                works.append(self.let_time_pass())
            await self.switch(conversation_id, AI)
            self.clock.advance(TICK * self.chance.randrange(10))
            self.chance.shuffle(works)
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(work)

    async def write_now_and_then(self, conversation_id: str) -> None:
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            await self.dawdle()
            await self.write(self.channels[conversation_id], "and this?")

    async def write(self, channel_id: ChannelId, text: str) -> str:
        stored = await self.desk.customer_writes(channel_id, text, kind=ChannelKind.WEB_CHAT)
        return stored.message.conversation_id

    async def take_over(self, conversation_id: str) -> None:
        # From at once to long enough for a whole turn, as turns go here and now.
        await asyncio.sleep(self.chance.choice((0, 0.1, 0.2, 0.4, 1)) * self.whole_turn)
        await self.switch(conversation_id, MANUAL)

    async def let_time_pass(self) -> None:
        await self.dawdle()
        later = self.clock.now() + LONG_AFTER
        await surely(lambda: resume_next(self.desk.means.worker, now=later))

    async def switch(self, conversation_id: str, mode: v1.ConversationMode.ValueType) -> None:
        await surely(lambda: self.desk.hand_over(conversation_id, mode))

    async def say(self, question: Question, toolbox: Toolbox) -> Answer:
        self.asked_at[question.conversation_id] = time.monotonic()
        await self.dawdle()
        if self.chance.random() < 0.2:
            return Answer(handover=Handover(HandoverReason.UNSURE))
        return Answer(f"{len(question.unanswered)} answers")

    async def answer(self) -> None:
        """One worker that is stopped for a moment between any two steps."""

        async def hook(_: str) -> None:
            await self.dawdle()

        worker = self.assistant.a_worker(hook=hook)
        while not self.is_over:
            await worker.run_once()
            await asyncio.sleep(0.002)

    async def hear(self) -> None:
        """The consumer, which is late."""
        while not self.is_over:
            await self.hear_once()
            await asyncio.sleep(self.chance.choice((0.001, 0.005, 0.02)))

    async def hear_once(self) -> None:
        workspace_id = self.desk.workspace_id
        await number_events(self.desk.means.worker)
        async with self.desk.means.worker.begin() as transaction:
            events = await sequencer.read(transaction.raw, self.heard_gpos + 1)
        if not events:
            return
        self.heard_gpos = events[-1].gpos
        ours = [event for event in events if event.workspace_id == workspace_id]
        told = [PUBLISHES[event.event].FromString(event.payload) for event in ours]
        self.told += told
        for conversation_id in said_by_ai(told):
            took = time.monotonic() - self.asked_at[conversation_id]
            self.whole_turn = max(self.whole_turn, min(took, WHOLE_TURN_AT_MOST))
        async with self.assistant.worker.database.begin(workspace_id) as transaction:
            await take_in(transaction, ours)

    async def settle(self) -> None:
        """The AI has them all, for good, until it owes nothing."""
        async with asyncio.timeout(SETTLED_WITHIN_SECONDS):
            while not await self.is_settled():
                for conversation_id in self.channels:
                    await self.switch(conversation_id, AI)
                self.clock.advance(timedelta(seconds=20))
                await asyncio.sleep(0.05)

    async def is_settled(self) -> bool:
        turns = await self.turns()
        for conversation_id in self.channels:
            thread = await self.desk.thread(conversation_id)
            answered = max((one.seen_ordinal for one in turns[conversation_id]), default=0)
            if answered < thread.inbound_count:
                return False
        return True

    async def turns(self) -> dict[str, list[Turn]]:
        """Those that answered something, by conversation, in order."""
        found: dict[str, list[Turn]] = defaultdict(list)
        for turn in await self.assistant.turns():
            if turn.outcome in ANSWERING:
                found[turn.conversation_id].append(turn)
        return found

    async def dawdle(self) -> None:
        for _ in range(self.chance.randrange(6)):
            await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.003)))


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, DatabaseUrls]]:
    with (
        test_servers() as servers,
        fresh_database(servers, "messaging") as messaging,
        fresh_database(servers, "assistant") as assistant,
    ):
        yield {"messaging": messaging, "assistant": assistant}


@pytest.fixture
async def race(urls: dict[str, DatabaseUrls]) -> AsyncIterator[Race]:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    clock, workspace_id = FakeClock(), WorkspaceId(new_id())
    async with AsyncExitStack() as stack:
        databases: dict[str, Database] = {}
        for name, of in urls.items():
            for role, url in (("app", of.app), ("worker", of.worker)):
                databases[f"{name} {role}"] = database = Database(url)
                stack.push_async_callback(database.close)
        desk = await stack.enter_async_context(
            open_desk(
                databases["messaging app"], databases["messaging worker"], clock, workspace_id
            )
        )
        assistant = Assistant(
            databases["assistant app"], databases["assistant worker"], clock, workspace_id
        )
        yield Race(
            desk, assistant, clock, random.Random(seed), heard_gpos=await newest(desk.means.worker)
        )


async def newest(worker: Database) -> int:
    """Where the log of the module's earlier tests ends."""
    await number_events(worker)
    async with worker.begin() as transaction:
        return (await sequencer.stand(transaction.raw)).last_gpos


async def test_whoever_takes_over_no_turn_is_heard_after_it_and_each_question_is_answered_once(
    race: Race,
) -> None:
    await race.run(SCHEDULES)

    outcomes = Counter(turn.outcome for turn in await race.assistant.turns())
    print(f"T17 turns {dict(outcomes)}")
    assert leaks(race.told) == 0
    # Both sides won now and then.
    assert outcomes[Outcome.REPLIED] > 0
    assert outcomes[Outcome.TAKEN_OVER] > 0
    assert outcomes[Outcome.HANDED_OVER] > 0
    said = said_by_ai(race.told)
    for conversation_id, turns in (await race.turns()).items():
        begins = [1, *(turn.seen_ordinal + 1 for turn in turns)]
        assert [turn.number for turn in turns] == begins[:-1], "no gap, and nothing twice"
        assert said[conversation_id] == [turn.client_message_id for turn in turns]


async def test_negative_control_without_the_fence_a_turn_is_heard_after_the_takeover(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_rules, "refuse_unless_ai_may_write", lambda thread, epoch: None)

    await race.run(20 * CONVERSATIONS)

    assert leaks(race.told) > 0


def said_by_ai(events: list[ProtoMessage]) -> dict[str, list[str]]:
    """The ids of the AI's messages, by conversation, in order."""
    said: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if isinstance(event, v1.MessageCreated) and event.message.author.kind == v1.AUTHOR_KIND_AI:
            said[event.message.conversation_id].append(event.message.client_message_id)
    return said
