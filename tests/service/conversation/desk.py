"""The small language the tests of the shared inbox speak."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from google.protobuf.message import Message

from chassis.auth import Caller, Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation import events
from services.conversation.actions import (
    assigning,
    counters,
    folders,
    inbox,
    projection,
    reading,
    settings,
    tagging,
    tags,
)
from services.conversation.actions.inbox import ListQuery, Opened, Page
from services.conversation.actions.means import Means
from services.conversation.model.authors import AuthorKind
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.counters import CounterKey, Tally
from services.conversation.model.reading import SeenBy
from services.conversation.model.settings import InboxSettings
from services.conversation.model.tags import Tag, TagColor
from services.conversation.model.thread import (
    AttachmentKind,
    ChannelKind,
    Hold,
    Mode,
    Preview,
    ThreadFacts,
)
from tests.service.conversation.members import KnownMembers

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

    def is_sent_a_file(self, kind: AttachmentKind) -> ThreadFacts:
        """MessageCreated, outbound, without a caption."""
        facts = self.is_answered("")
        assert facts.preview is not None
        return replace(facts, preview=replace(facts.preview, attachment_kind=kind))

    def is_switched(self, mode: Mode) -> ThreadFacts:
        """ModeChanged."""
        return self._now(mode=mode, mode_epoch=self.thread.mode_epoch + 1)

    def is_handed_over(self, *, at: datetime = FIRST_DAY) -> ThreadFacts:
        """ModeChanged: the AI gave it to people."""
        epoch = self.thread.mode_epoch + 1
        return self._now(mode=Mode.MANUAL, mode_epoch=epoch, waiting_since=at, hold=None)

    def is_taken_by(self, member_id: str, *, at: datetime = FIRST_DAY) -> ThreadFacts:
        """ModeChanged: a person has it."""
        return self._now(waiting_since=None, hold=Hold(member_id, at))

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


def a_customer(
    name: str = "Ana",
    *,
    channel_id: str | None = None,
    kind: ChannelKind = ChannelKind.WEB_CHAT,
) -> Customer:
    return Customer(
        ThreadFacts(
            conversation_id=new_id(),
            channel_id=channel_id or new_id(),
            channel_kind=kind,
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
    colleagues: list[Caller] = field(init=False)
    """The agent and two more."""

    def __post_init__(self) -> None:
        self.colleagues = [self.caller(Role.AGENT) for _ in range(3)]
        self.agent = self.colleagues[0]
        for colleague in self.colleagues:
            self.members.join(colleague.id)

    @property
    def members(self) -> KnownMembers:
        """Who there is, as far as identity knows."""
        return cast("KnownMembers", self.means.members)

    def caller(self, role: Role) -> Caller:
        return Caller(new_id(), role, self.workspace_id, display_name="Bea")

    async def apply(self, *facts: ThreadFacts) -> None:
        """What the consumer does with one run of messaging's events."""
        async with self.worker.begin(self.workspace_id) as transaction:
            await projection.project_threads(self.means, transaction, self.workspace_id, facts)

    async def get(self, conversation_id: str) -> Conversation:
        return (await self.opened(conversation_id)).conversation

    async def opened(self, conversation_id: str) -> Opened:
        return await inbox.get_conversation(self.means, self.agent, conversation_id)

    async def seen_by(self, conversation_id: str) -> list[SeenBy]:
        return (await self.opened(conversation_id)).seen_by

    async def solve(
        self,
        conversation_id: str,
        *,
        request_id: str | None = None,
        expected_version: int = 0,
        seen_inbound_count: int = 0,
    ) -> Conversation:
        return await self.move(
            conversation_id,
            Folder.SOLVED,
            request_id=request_id,
            expected_version=expected_version,
            seen_inbound_count=seen_inbound_count,
        )

    async def reopen(
        self, conversation_id: str, *, request_id: str | None = None, expected_version: int = 0
    ) -> Conversation:
        return await self.move(
            conversation_id,
            Folder.OPEN,
            request_id=request_id,
            expected_version=expected_version,
        )

    async def move(
        self,
        conversation_id: str,
        folder: Folder,
        *,
        request_id: str | None = None,
        expected_version: int = 0,
        seen_inbound_count: int = 0,
    ) -> Conversation:
        return await folders.move_conversation(
            self.means,
            self.agent,
            conversation_id,
            folder,
            request_id=request_id or new_id(),
            expected_version=expected_version,
            seen_inbound_count=seen_inbound_count,
        )

    async def tag(
        self,
        conversation_id: str,
        tag: str = "priority",
        *,
        request_id: str | None = None,
        expected_version: int = 0,
    ) -> Conversation:
        return await tagging.tag_conversation(
            self.means,
            self.agent,
            conversation_id,
            tag,
            request_id=request_id or new_id(),
            expected_version=expected_version,
        )

    async def untag(
        self,
        conversation_id: str,
        tag: str = "priority",
        *,
        request_id: str | None = None,
        expected_version: int = 0,
    ) -> Conversation:
        return await tagging.untag_conversation(
            self.means,
            self.agent,
            conversation_id,
            tag,
            request_id=request_id or new_id(),
            expected_version=expected_version,
        )

    async def assign(
        self,
        conversation_id: str,
        member_id: str | None,
        *,
        request_id: str | None = None,
        expected_version: int = 0,
    ) -> Conversation:
        return await assigning.assign_conversation(
            self.means,
            self.agent,
            conversation_id,
            member_id,
            request_id=request_id or new_id(),
            expected_version=expected_version,
        )

    async def create_tag(
        self,
        display_name: str,
        *,
        request_id: str | None = None,
        color: TagColor = TagColor.BLUE,
        key: str = "",
    ) -> Tag:
        return await tags.create_tag(
            self.means,
            self.agent,
            request_id=request_id or new_id(),
            display_name=display_name,
            color=color,
            key=key,
        )

    async def update_tag(
        self,
        name: str,
        *,
        request_id: str | None = None,
        display_name: str | None = None,
        color: TagColor | None = None,
        expected_version: int = 0,
    ) -> Tag:
        return await tags.update_tag(
            self.means,
            self.agent,
            name,
            request_id=request_id or new_id(),
            display_name=display_name,
            color=color,
            expected_version=expected_version,
        )

    async def delete_tag(
        self, name: str, *, request_id: str | None = None, expected_version: int = 0
    ) -> Tag:
        return await tags.delete_tag(
            self.means,
            self.agent,
            name,
            request_id=request_id or new_id(),
            expected_version=expected_version,
        )

    async def tags(self) -> list[Tag]:
        return await tags.list_tags(self.means, self.agent)

    async def counters(self) -> dict[CounterKey, Tally]:
        """Every counter that is not zero."""
        found = await counters.get_counters(self.means, self.agent)
        return {
            CounterKey(one.kind.value, one.subject_id, one.folder.value): one.tally for one in found
        }

    async def drift(self) -> int:
        """How far the counters are from what they count; they are mended by asking."""
        return await counters.check_counters(self.means, self.worker, self.workspace_id)

    async def choose(self, *, reopens_on_inbound: bool) -> InboxSettings:
        return await settings.update_settings(
            self.means,
            self.agent,
            request_id=new_id(),
            reopens_on_inbound=reopens_on_inbound,
            expected_version=0,
        )

    async def mark_read(self, conversation_id: str, read_ordinal: int) -> Conversation:
        return await reading.mark_read(self.means, self.agent, conversation_id, read_ordinal)

    async def mark_unread(
        self,
        conversation_id: str,
        from_ordinal: int,
        *,
        expected_version: int,
        request_id: str | None = None,
    ) -> Conversation:
        return await reading.mark_unread(
            self.means,
            self.agent,
            conversation_id,
            from_ordinal,
            request_id=request_id or new_id(),
            expected_version=expected_version,
        )

    async def page(self, folder: Folder = Folder.OPEN, **options: Any) -> Page:
        given: dict[str, Any] = {"page_size": 50, "folder": folder} | options
        query = ListQuery(**given)
        return await inbox.list_conversations(self.means, self.agent, query)

    async def published(self) -> list[Message]:
        """What this workspace wrote into the outbox of everything but counters, in order."""
        return [
            event
            for event in await self.frames()
            if not isinstance(event, conversation_v1.CountersChanged)
        ]

    async def frames(self) -> list[Message]:
        """Everything this workspace wrote into the outbox and did not erase, in order."""
        async with self.worker.begin() as transaction:
            rows = await transaction.raw.fetch(
                "SELECT subject, payload FROM outbox WHERE workspace_id = $1 AND payload <> '' "
                "ORDER BY id",
                self.workspace_id,
            )
        return [
            events.PUBLISHES[row["subject"].split(".")[3]].FromString(row["payload"])
            for row in rows
        ]
