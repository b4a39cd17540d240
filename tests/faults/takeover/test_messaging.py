"""T17: whoever takes over, nothing of the AI is accepted, or begins to be sent, after it (I15)."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest
from google.protobuf.message import Message as ProtoMessage

from chassis.auth import Caller, Role
from chassis.database import Database
from chassis.errors import Fault, Unavailable
from chassis.ids import WorkspaceId, new_id
from inbox.messaging import v1
from services.messaging.actions.echo import take_in_echo
from services.messaging.actions.mode import hand_over, set_mode
from services.messaging.actions.resume import resume_next
from services.messaging.channels.port import EchoedText
from services.messaging.model import draft as draft_rules
from services.messaging.model.draft import Draft, Opening
from services.messaging.model.handover import HandoverReason
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.thread import ConversationId, ConversationMode, Thread
from suite.databases import DatabaseUrls
from suite.testing import fresh_database, test_servers
from tests.fakes import FakeClock
from tests.service.messaging.desk import (
    WITHIN,
    Desk,
    assert_events_tell_everything,
    open_desk,
)

IS_FULL = os.environ.get("INBOX_TEST_FULL") == "1"
SCHEDULES = 10_000 if IS_FULL else 1_000
CONVERSATIONS = 8
T = TypeVar("T")
LONG_AFTER = timedelta(days=1)
MARIA = Author(AuthorKind.MEMBER, "maria", "María")
BOT = Author(AuthorKind.AI, "bot", "Assistant")


pytestmark = pytest.mark.timeout(3_000 if IS_FULL else 300)


@pytest.fixture(scope="module")
def urls() -> Iterator[DatabaseUrls]:
    with test_servers() as servers, fresh_database(servers, "messaging") as urls:
        yield urls


@pytest.fixture
async def desk(urls: DatabaseUrls) -> AsyncIterator[Desk]:
    app, worker = Database(urls.app), Database(urls.worker)
    async with open_desk(app, worker, FakeClock(), WorkspaceId(new_id())) as running:
        yield running
    await app.close()
    await worker.close()


@dataclass
class Race:
    """What chance makes of AI sends against everything that ends the AI's turn."""

    desk: Desk
    chance: random.Random
    reasons: Counter[str] = field(default_factory=Counter)
    ended_by: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    unanswered: int = 0
    accepted_late: int = 0

    async def run(self, conversation_id: str, schedules: int) -> None:
        for _ in range(schedules):
            await self.schedule(conversation_id)

    async def schedule(self, conversation_id: str) -> None:
        """The AI has it and sends three messages; people come in one way or two at some point.

        Now and then the time of what people have is up as well, and the AI has it again, under
        another epoch than the one those three messages believe in.
        """
        thread = await self.switch(conversation_id, ConversationMode.AI)
        over = asyncio.Event()
        ends = self.chance.sample(
            [self.take_over, self.hand_over, self.answer_from_phone], self.chance.choice((1, 1, 2))
        )
        works = [self.end(end, thread, over) for end in ends]
        works += [self.send(thread, over) for _ in range(3)]
        if self.chance.random() < 0.3:
            works.append(self.let_time_pass())
        self.chance.shuffle(works)
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)

    async def end(
        self, end: Callable[[Thread], Awaitable[None]], thread: Thread, over: asyncio.Event
    ) -> None:
        await self.dawdle()
        try:
            await surely(lambda: end(thread))
        except Fault as fault:
            # Somebody else had come first: either way the AI's turn is over.
            self.reasons[fault.reason] += 1
        else:
            self.ended_by[end.__name__] += 1
        over.set()

    async def take_over(self, thread: Thread) -> None:
        await self.switch(thread.conversation_id, ConversationMode.MANUAL)

    async def hand_over(self, thread: Thread) -> None:
        await hand_over(
            self.desk.means.app,
            self.desk.means.clock,
            self.desk.workspace_id,
            conversation_id=thread.conversation_id,
            request_id=new_id(),
            mode_epoch=thread.mode_epoch,
            reason=HandoverReason.UNSURE,
            summary="",
            fields=(),
            author=BOT,
            by=Caller(BOT.id, Role.BOT, self.desk.workspace_id, BOT.display_name),
            on_commit=lambda: None,
        )

    async def answer_from_phone(self, thread: Thread) -> None:
        echo = EchoedText(
            dedupe_key=new_id(),
            external_id=thread.external_id,
            platform_message_id=new_id(),
            callback_data="",
            text="Olga here",
            platform_time=None,
            is_ours=False,
        )
        await take_in_echo(
            self.desk.means.worker,
            self.desk.workspace_id,
            Opening(thread.channel_id, thread.channel_kind, thread.external_id),
            echo,
            at=self.desk.means.clock.now(),
        )

    async def let_time_pass(self) -> None:
        await self.dawdle()
        later = self.desk.means.clock.now() + LONG_AFTER
        self.ended_by["resumed"] += await surely(
            lambda: resume_next(self.desk.means.worker, now=later)
        )

    async def send(self, thread: Thread, over: asyncio.Event) -> None:
        await self.dawdle()
        if self.chance.random() < 0.3:
            # It has just made up its answer when people come; the others are already under way.
            await over.wait()
        is_late = over.is_set()
        draft = Draft(
            ConversationId(thread.conversation_id),
            new_id(),
            BOT,
            "I can help",
            mode_epoch=thread.mode_epoch,
        )
        try:
            await self.desk.means.writers.submit(self.desk.workspace_id, draft, within=WITHIN)
        except Unavailable:
            # On a busy machine: nobody knows, but the log, which is read in the end.
            self.unanswered += 1
        except Fault as fault:
            self.reasons[fault.reason] += 1
        else:
            self.accepted += 1
            self.accepted_late += is_late

    async def switch(self, conversation_id: str, mode: ConversationMode) -> Thread:
        request_id = new_id()
        return await surely(
            lambda: set_mode(
                self.desk.means.app,
                self.desk.means.clock,
                self.desk.workspace_id,
                conversation_id=conversation_id,
                mode=mode,
                request_id=request_id,
                expected_mode_epoch=0,
                author=MARIA,
                by=Caller(MARIA.id, Role.AGENT, self.desk.workspace_id, MARIA.display_name),
                on_commit=lambda: None,
            )
        )

    async def dawdle(self) -> None:
        for _ in range(self.chance.randrange(6)):
            await asyncio.sleep(self.chance.choice((0, 0, 0.001)))


async def surely(act: Callable[[], Awaitable[T]]) -> T:
    """As clients do: the same again while the service is too busy to take it."""
    while True:
        try:
            return await act()
        except Unavailable:
            await asyncio.sleep(0.1)


async def race(desk: Desk, schedules: int) -> Race:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    running = Race(desk, random.Random(seed))
    conversations = [await desk.open_conversation() for _ in range(CONVERSATIONS)]
    async with asyncio.TaskGroup() as group:
        for conversation_id in conversations:
            group.create_task(running.run(conversation_id, schedules // CONVERSATIONS))
    return running


def leaks(events: Sequence[ProtoMessage]) -> int:
    """The log itself has the order of commits: AI messages while people have the conversation."""
    modes: dict[str, v1.ConversationMode.ValueType] = {}
    count = 0
    for event in events:
        if isinstance(event, v1.ThreadOpened | v1.ModeChanged):
            modes[event.thread.conversation_id] = event.thread.mode
        if (
            isinstance(event, v1.MessageCreated)
            and event.message.author.kind == v1.AUTHOR_KIND_AI
            and modes[event.message.conversation_id] != v1.CONVERSATION_MODE_AI
        ):
            count += 1
    return count


async def test_no_message_of_the_ai_is_accepted_after_people_have_it(desk: Desk) -> None:
    done = await race(desk, SCHEDULES)

    print(f"T17 accepted {done.accepted}, unanswered {done.unanswered}, refused {done.reasons}")
    print(f"T17 ended by {done.ended_by}")
    assert done.accepted_late == 0
    assert leaks(await desk.published()) == 0
    # Every way was gone, and both sides won now and then.
    assert {"take_over", "hand_over", "answer_from_phone", "resumed"} <= set(done.ended_by)
    assert done.accepted > 0
    assert sum(done.reasons.values()) > 0
    assert set(done.reasons) <= {"MODE_EPOCH_STALE", "CONVERSATION_IN_MANUAL_MODE"}
    # Whatever the AI had queued was withdrawn, for good.
    async with desk.means.app.begin(desk.workspace_id) as transaction:
        assert await transaction.raw.fetchval("SELECT count(*) FROM attempts WHERE is_open") == 0


async def test_after_any_race_the_events_still_tell_everything(desk: Desk) -> None:
    await race(desk, 2 * CONVERSATIONS)

    await assert_events_tell_everything(desk)


async def test_negative_control_without_the_fence_the_ai_is_heard_late(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_rules, "refuse_unless_ai_may_write", lambda thread, epoch: None)

    done = await race(desk, 10 * CONVERSATIONS)

    assert done.accepted_late > 0
    assert leaks(await desk.published()) > 0
