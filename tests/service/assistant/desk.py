"""The small language that the AI's tests speak: a workspace, its customers, its worker."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message

from chassis.auth import Caller, Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.secrets import MasterKeys
from services.assistant import events
from services.assistant.actions import articles, conversations, settings, turns
from services.assistant.actions.means import Means
from services.assistant.actions.ports import Place
from services.assistant.actions.vault import Vault
from services.assistant.announcing import Announcing
from services.assistant.answering import Answering, Neighbours
from services.assistant.model.articles import Article, Language
from services.assistant.model.settings import AssistantSettings, ProviderHosts
from services.assistant.model.turns import CollectedField, FolderNews, Turn
from services.assistant.providers.port import Answer, Provider, Question, Toolbox
from services.assistant.providers.providers import Providers
from services.assistant.service.assistant import BEFORE_ALL
from services.assistant.store.turns import Place as PlaceInAudit
from tests.fakes import FakeClock, settle
from tests.service.assistant.messaging_double import MessagingDouble, Thread

MASTER_KEY = base64.b64encode(b"m" * 32).decode()
ANY_HOST = ProviderHosts.of("*")
BURST = timedelta(seconds=2)
"""The default delay after a customer's newest message."""

Say = Callable[[Question, Toolbox], Awaitable[Answer]]


class Scripted:
    """A provider that does what a test says, and remembers what it was asked."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.asked: list[Question] = []
        self.began = asyncio.Event()
        self.cancelled_count = 0

    async def answer(self, question: Question, toolbox: Toolbox) -> Answer:
        self.asked.append(question)
        self.began.set()
        try:
            return await self._say(question, toolbox)
        except asyncio.CancelledError:
            self.cancelled_count += 1
            raise

    async def of(self, chosen: AssistantSettings) -> Provider:
        del chosen
        return self


def saying(text: str) -> Scripted:
    """A provider that always says the same."""

    async def say(question: Question, toolbox: Toolbox) -> Answer:
        return Answer(text)

    return Scripted(say)


def never() -> Scripted:
    """A provider that comes to no end by itself."""

    async def say(question: Question, toolbox: Toolbox) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    return Scripted(say)


@dataclass
class Signs:
    """Who is told that the AI writes; implements `actions.ports.Audience`."""

    told: list[tuple[str, bool]] = field(default_factory=list)

    async def tell(self, place: Place, *, is_writing: bool) -> None:
        self.told.append((place.conversation_id, is_writing))


@dataclass
class ContactsDouble:
    """What contacts were told; implements `actions.ports.Contacts`."""

    told: list[tuple[str, CollectedField, str]] = field(default_factory=list)
    """The conversation, the detail and the request id."""
    failure: Exception | None = None

    async def save_field(self, place: Place, field: CollectedField, *, request_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.told.append((place.conversation_id, field, request_id))


class Desk:
    """One workspace's AI, driven as the process drives it."""

    def __init__(
        self, app: Database, worker: Database, clock: FakeClock, workspace_id: WorkspaceId
    ) -> None:
        self.workspace_id = workspace_id
        self.owner = Caller(new_id(), Role.OWNER, workspace_id, "Olga")
        self.clock = clock
        self.wakes: list[None] = []
        self.contacts = ContactsDouble()
        self.app = self._means(app)
        self.worker = self._means(worker)
        self.messaging = MessagingDouble(clock)
        self.signs = Signs()
        self.providers: Any = Providers(ANY_HOST)

    def _means(self, database: Database) -> Means:
        return Means(
            database=database,
            clock=self.clock,
            vault=Vault(MasterKeys(MASTER_KEY)),
            hosts=ANY_HOST,
            contacts=self.contacts,
            wake_relay=lambda: self.wakes.append(None),
        )

    def customer(self, **fields: Any) -> Thread:
        """A customer's conversation, in AI mode, opened before its first message."""
        thread = self.messaging.thread(**fields)
        thread.opens()
        return thread

    async def hear(self, *threads: Thread) -> None:
        """What the consumer does with everything published meanwhile."""
        news = sorted((one for thread in threads for one in thread.news), key=lambda one: one.at)
        for thread in threads:
            thread.news.clear()
        async with self.worker.database.begin(self.workspace_id) as transaction:
            await conversations.take_in_news(transaction, news)

    async def moves(self, thread: Thread, *, is_silenced: bool, inbound_count: int = 0) -> None:
        """What the other consumer does when a conversation is moved to Spam, or out of it."""
        now = self.clock.now()
        news = [FolderNews(thread.conversation_id, is_silenced, now, inbound_count)]
        async with self.worker.database.begin(self.workspace_id) as transaction:
            await conversations.take_in_folders(transaction, news)

    def a_worker(self, **options: Any) -> Answering:
        neighbours = Neighbours(
            messaging=self.messaging, audience=self.signs, providers=self.providers
        )
        return Answering(self.worker, neighbours, self.clock, lease_clock=self.clock, **options)

    async def work(self) -> int:
        """Let a worker do what is due now."""
        return await self.a_worker().run_once()

    def an_announcer(self) -> Announcing:
        return Announcing(self.worker.database, self.signs, self.clock, due_clock=self.clock)

    async def answer_all(self, *threads: Thread) -> None:
        """Let events and due turns go to and fro until nothing is due any more."""
        for _ in range(10):
            await self.hear(*threads)
            self.clock.advance(BURST)
            if not await self.work() and not any(thread.news for thread in threads):
                return
        raise AssertionError("there is always something due")

    async def tick(self, times: int = 1, span: timedelta = timedelta(milliseconds=250)) -> None:
        """Let time pass for those who watch a turn."""
        for _ in range(times):
            await self._until_asleep()
            self.clock.advance(span)
            await settle()

    async def _until_asleep(self) -> None:
        """Until the watch waits for the clock again: a look at the database takes real time."""
        async with asyncio.timeout(10):
            while self.clock.sleeper_count < 2:
                await asyncio.sleep(0.005)

    async def writes_article(
        self, title: str, body: str, language: Language | None = None
    ) -> Article:
        return await articles.create_article(
            self.app, self.owner, request_id=new_id(), title=title, body=body,
            language=language,
        )  # fmt: skip

    async def chooses(self, **news: Any) -> AssistantSettings:
        """The owner changes the settings."""
        api_key = news.pop("api_key", None)
        return await settings.update_settings(
            self.app, self.owner, news, request_id=new_id(), api_key=api_key,
            expected_version=0,
        )  # fmt: skip

    async def turns(self, conversation_id: str = "") -> Sequence[Turn]:
        """All of the audit, oldest first."""
        found: list[Turn] = []
        place: PlaceInAudit | None = BEFORE_ALL
        while place is not None:
            page, place = await turns.list_turns(
                self.app,
                self.workspace_id,
                conversation_id=conversation_id,
                after=place,
                page_size=200,
            )
            found += page
        return found[::-1]

    async def published(self) -> list[Message]:
        """Everything this workspace wrote into the outbox, in order."""
        async with self.worker.database.begin() as transaction:
            rows = await transaction.raw.fetch(
                "SELECT subject, payload FROM outbox WHERE workspace_id = $1 ORDER BY id",
                self.workspace_id,
            )
        return [
            events.PUBLISHES[row["subject"].split(".")[3]].FromString(row["payload"])
            for row in rows
        ]

    async def leave_nothing_due(self) -> None:
        async with self.worker.database.begin() as transaction:
            await transaction.raw.execute("UPDATE duties SET due_time = NULL")
