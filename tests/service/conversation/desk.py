"""The small language the tests of the shared inbox speak."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message

from chassis.auth import Caller, Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.conversation import events
from services.conversation.actions import folders, inbox, projection, reading
from services.conversation.actions.inbox import ListQuery, Page
from services.conversation.actions.means import Means
from services.conversation.model.authors import AuthorKind
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.thread import ChannelKind, Mode, Preview, ThreadFacts

FIRST_DAY = datetime(2026, 4, 28, 9, 0, tzinfo=UTC)


@dataclass(slots=True)
class Customer:
    """A customer who writes, as messaging tells of it."""

    thread: ThreadFacts
    seq: int = 0

    @property
    def conversation_id(self) -> str:
        return self.thread.conversation_id

    def opens(self) -> ThreadFacts:
        """ThreadOpened."""
        return self.thread

    def writes(self, text: str = "hola", *, at: datetime | None = None) -> ThreadFacts:
        """MessageCreated, inbound."""
        return self._message(text, AuthorKind.CUSTOMER, at, self.thread.inbound_count + 1)

    def is_answered(self, text: str = "hola", *, at: datetime | None = None) -> ThreadFacts:
        """MessageCreated, outbound."""
        return self._message(text, AuthorKind.MEMBER, at, self.thread.inbound_count)

    def is_switched(self, mode: Mode) -> ThreadFacts:
        """ModeChanged."""
        return self._now(mode=mode, mode_epoch=self.thread.mode_epoch + 1)

    def is_called(self, name: str) -> ThreadFacts:
        """Any event with a new name for the customer."""
        return self._now(customer_name=name)

    def _message(
        self, text: str, kind: AuthorKind, at: datetime | None, inbound_count: int
    ) -> ThreadFacts:
        self.seq += 1
        preview = Preview(self.seq, kind, text, at or FIRST_DAY + timedelta(minutes=self.seq))
        return replace(self._now(inbound_count=inbound_count), preview=preview)

    def _now(self, **fields: Any) -> ThreadFacts:
        version = self.thread.thread_version + 1
        self.thread = replace(self.thread, thread_version=version, **fields)
        return self.thread


def a_customer(name: str = "Ana", *, channel_id: str | None = None) -> Customer:
    return Customer(
        ThreadFacts(
            conversation_id=new_id(),
            channel_id=channel_id or new_id(),
            channel_kind=ChannelKind.WEB_CHAT,
            external_id=f"visitor-{new_id()}",
            customer_name=name,
            mode=Mode.MANUAL,
            mode_epoch=1,
            inbound_count=0,
            create_time=FIRST_DAY,
            thread_version=1,
            log_epoch="first-life",
        )
    )


@dataclass(slots=True)
class Desk:
    """One workspace's inbox, driven as the processes drive it."""

    means: Means
    worker: Database
    workspace_id: WorkspaceId
    wakes: list[None]
    agent: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.agent = self.caller(Role.AGENT)

    def caller(self, role: Role) -> Caller:
        return Caller(new_id(), role, self.workspace_id, display_name="Bea")

    async def apply(self, *facts: ThreadFacts) -> None:
        """What the consumer does with one run of messaging's events."""
        async with self.worker.begin(self.workspace_id) as transaction:
            await projection.project_threads(self.means, transaction, self.workspace_id, facts)

    async def get(self, conversation_id: str) -> Conversation:
        return await inbox.get_conversation(self.means, self.agent, conversation_id)

    async def solve(
        self,
        conversation_id: str,
        *,
        request_id: str | None = None,
        expected_version: int = 0,
        seen_inbound_count: int = 0,
    ) -> Conversation:
        return await folders.solve_conversation(
            self.means,
            self.agent,
            conversation_id,
            request_id=request_id or new_id(),
            expected_version=expected_version,
            seen_inbound_count=seen_inbound_count,
        )

    async def reopen(
        self, conversation_id: str, *, request_id: str | None = None, expected_version: int = 0
    ) -> Conversation:
        return await folders.reopen_conversation(
            self.means,
            self.agent,
            conversation_id,
            request_id=request_id or new_id(),
            expected_version=expected_version,
        )

    async def mark_read(self, conversation_id: str, read_ordinal: int) -> Conversation:
        return await reading.mark_read(self.means, self.agent, conversation_id, read_ordinal)

    async def page(self, folder: Folder = Folder.OPEN, **options: Any) -> Page:
        query = {"unread_only": False, "channel_id": None, "page_size": 50} | options
        return await inbox.list_conversations(self.means, self.agent, ListQuery(folder, **query))

    async def published(self) -> list[Message]:
        """Everything this workspace wrote into the outbox, in order."""
        async with self.worker.begin() as transaction:
            rows = await transaction.raw.fetch(
                "SELECT subject, payload FROM outbox WHERE workspace_id = $1 ORDER BY id",
                self.workspace_id,
            )
        return [
            events.PUBLISHES[row["subject"].split(".")[3]].FromString(row["payload"])
            for row in rows
        ]
