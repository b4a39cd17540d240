"""Old snapshot + its frames = fresh snapshot, whatever the order between the two streams."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from google.protobuf.message import Message

from inbox.conversation import v1 as conversation_v1
from services.conversation.actions.counters import get_counters
from services.conversation.actions.settings import get_settings
from services.conversation.actions.snapshot import Snapshot
from services.conversation.mapping import (
    contact_to,
    conversation_to,
    counter_to,
    seen_by_to,
    settings_to,
    tag_to,
)
from services.conversation.model import projection
from services.conversation.model.contact import new_contact
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.faults import NothingToMarkUnread, TagBuiltIn, TagExists
from services.conversation.model.thread import Mode, ThreadFacts
from tests.service.conversation.desk import Customer, Desk, a_customer

STEPS = 60
Frame = Message | ThreadFacts


CounterName = tuple[int, str, str]


@dataclass(slots=True)
class Fresh:
    """All of a workspace's inbox at one moment."""

    conversations: list[conversation_v1.Conversation]
    tags: list[conversation_v1.Tag]
    counters: list[conversation_v1.Counter]
    seen: list[tuple[str, conversation_v1.SeenBy]]
    settings: conversation_v1.InboxSettings

    def in_order(self) -> Fresh:
        """So that equal ones look equal."""
        self.conversations.sort(key=lambda one: one.id)
        self.tags.sort(key=lambda one: one.id)
        self.counters.sort(key=lambda one: (one.folder, one.channel_id, one.tag_id))
        self.seen.sort(key=lambda one: (one[0], one[1].member_id))
        return self


@dataclass(slots=True)
class Browser:
    """What a client keeps: each entity by its owner's version, the higher wins."""

    owned: dict[str, conversation_v1.Conversation] = field(default_factory=dict)
    contacts: dict[str, conversation_v1.Contact] = field(default_factory=dict)
    threads: dict[str, Conversation] = field(default_factory=dict)
    """Projected fields, from whichever stream brought them."""
    tags: dict[str, conversation_v1.Tag] = field(default_factory=dict)
    counters: dict[CounterName, conversation_v1.Counter] = field(default_factory=dict)
    seen: dict[tuple[str, str], conversation_v1.SeenBy] = field(default_factory=dict)
    settings: conversation_v1.InboxSettings = field(default_factory=conversation_v1.InboxSettings)

    def load(self, snapshot: Fresh) -> None:
        for conversation in snapshot.conversations:
            self._keep(conversation)
        for tag in snapshot.tags:
            self._keep_tag(tag)
        for counter in snapshot.counters:
            self._keep_counter(counter)
        for conversation_id, seen in snapshot.seen:
            self._keep_seen(conversation_id, seen)
        self._keep_settings(snapshot.settings)

    def take(self, frame: Frame) -> None:
        match frame:
            case ThreadFacts():
                self._project(frame)
            case conversation_v1.ContactChanged():
                self._keep_contact(frame.contact)
            case conversation_v1.TagChanged():
                self._keep_tag(frame.tag)
            case conversation_v1.CountersChanged():
                for counter in frame.counters:
                    self._keep_counter(counter)
            case conversation_v1.InboxSettingsChanged():
                self._keep_settings(frame.settings)
            case conversation_v1.ConversationSeen():
                self._keep_seen(frame.conversation_id, frame.seen_by)
            case conversation_v1.ConversationRead():
                self._keep(frame.conversation)
                self._keep_seen(frame.conversation.id, frame.seen_by)
            case (
                conversation_v1.ConversationOpened()
                | conversation_v1.ConversationSolved()
                | conversation_v1.ConversationReopened()
                | conversation_v1.ConversationMoved()
                | conversation_v1.ConversationMarkedUnread()
                | conversation_v1.ConversationTagged()
                | conversation_v1.ConversationUntagged()
            ):
                self._keep(frame.conversation)
            case _:
                raise AssertionError(frame)

    def shows(self) -> Fresh:
        """Everything that a person could see."""
        living = {tag.id for tag in self.tags.values() if not tag.is_deleted}
        return Fresh(
            conversations=list(self.shown_conversations().values()),
            tags=[tag for tag in self.tags.values() if not tag.is_deleted],
            counters=[
                counter
                for counter in self.counters.values()
                if counter.conversation_count and (not counter.tag_id or counter.tag_id in living)
            ],
            seen=[(conversation_id, seen) for (conversation_id, _), seen in self.seen.items()],
            settings=self.settings,
        ).in_order()

    def shown_conversations(self) -> dict[str, conversation_v1.Conversation]:
        """Conversations, each put together from what its owner and messaging said of it."""
        shown = {}
        for conversation in self.owned.values():
            whole = conversation_v1.Conversation()
            whole.CopyFrom(conversation)
            whole.contact.CopyFrom(self.contacts[conversation.contact.id])
            if conversation.id in self.threads:
                thread = conversation_to(self.threads[conversation.id])
                if thread.preview.seq > whole.preview.seq:
                    whole.preview.CopyFrom(thread.preview)
                    whole.last_activity_time.CopyFrom(thread.last_activity_time)
                whole.inbound_count = max(whole.inbound_count, thread.inbound_count)
                if thread.mode_epoch > whole.mode_epoch:
                    whole.mode, whole.mode_epoch = thread.mode, thread.mode_epoch
            whole.unread_count = max(0, whole.inbound_count - whole.read_ordinal)
            shown[whole.id] = whole
        return shown

    def _project(self, facts: ThreadFacts) -> None:
        known = self.threads.get(facts.conversation_id)
        contact = new_contact("", facts)
        self.threads[facts.conversation_id] = projection.project(
            known or projection.open_conversation(contact, facts), facts
        )

    def _keep(self, conversation: conversation_v1.Conversation) -> None:
        self._keep_contact(conversation.contact)
        known = self.owned.get(conversation.id)
        if known is None or conversation.version > known.version:
            kept = conversation_v1.Conversation()
            kept.CopyFrom(conversation)
            older = known
        else:
            kept, older = known, conversation
        if older is not None:
            # The lower version may still bring a newer projection.
            if older.preview.seq > kept.preview.seq:
                kept.preview.CopyFrom(older.preview)
                kept.last_activity_time.CopyFrom(older.last_activity_time)
            kept.inbound_count = max(kept.inbound_count, older.inbound_count)
            if older.mode_epoch > kept.mode_epoch:
                kept.mode, kept.mode_epoch = older.mode, older.mode_epoch
        self.owned[conversation.id] = kept

    def _keep_tag(self, tag: conversation_v1.Tag) -> None:
        known = self.tags.get(tag.id)
        if known is None or tag.version > known.version:
            self.tags[tag.id] = tag

    def _keep_counter(self, counter: conversation_v1.Counter) -> None:
        name = (counter.folder, counter.channel_id, counter.tag_id)
        known = self.counters.get(name)
        if known is None or counter.version > known.version:
            self.counters[name] = counter

    def _keep_seen(self, conversation_id: str, seen: conversation_v1.SeenBy) -> None:
        known = self.seen.get((conversation_id, seen.member_id))
        if known is None or seen.ordinal > known.ordinal:
            self.seen[conversation_id, seen.member_id] = seen

    def _keep_settings(self, settings: conversation_v1.InboxSettings) -> None:
        if settings.version >= self.settings.version:
            self.settings = settings

    def _keep_contact(self, contact: conversation_v1.Contact) -> None:
        known = self.contacts.get(contact.id)
        if known is None or contact.version > known.version:
            self.contacts[contact.id] = contact


async def everything(desk: Desk) -> list[Conversation]:
    """Every conversation, as a client loads them."""
    return [
        conversation
        for folder in Folder
        for conversation in (await desk.page(folder, page_size=200)).conversations
    ]


async def fresh(desk: Desk) -> Fresh:
    """A fresh snapshot, as a client loads it."""
    conversations = await everything(desk)
    return Fresh(
        conversations=list(map(conversation_to, conversations)),
        tags=list(map(tag_to, await desk.tags())),
        counters=list(map(counter_to, await get_counters(desk.means, desk.agent))),
        seen=[
            (conversation.id, seen_by_to(seen))
            for conversation in conversations
            for seen in await desk.seen_by(conversation.id)
        ],
        settings=settings_to(await get_settings(desk.means, desk.agent)),
    ).in_order()


def happens(random: Random, customers: list[Customer]) -> ThreadFacts:
    """Something in messaging."""
    if len(customers) < 2 or random.random() < 0.1:
        customers.append(a_customer(f"customer {len(customers)}"))
        return customers[-1].opens()
    customer = random.choice(customers)
    match random.randrange(8):
        case 0:
            return customer.is_answered("a reply")
        case 1:
            return customer.is_switched(random.choice(list(Mode)))
        case 2:
            return customer.is_called(f"name {random.randrange(100)}")
        case _:
            return customer.writes(f"message {random.randrange(100)}")


async def people_act(desk: Desk, random: Random, conversations: list[Conversation]) -> None:
    """Somebody does something with what the projection has so far."""
    if not conversations:
        return
    conversation = random.choice(conversations)
    desk.agent = random.choice(desk.colleagues)
    tag = random.choice(await desk.tags())
    match random.randrange(9):
        case 0 | 1:
            await desk.move(conversation.id, random.choice(list(Folder)))
        case 2 | 3:
            ordinal = conversation.inbound_count + random.randrange(3)
            await desk.mark_read(conversation.id, ordinal)
        case 4:
            ordinal = random.randint(1, max(1, conversation.inbound_count))
            with suppress(NothingToMarkUnread):
                version = conversation.version
                await desk.mark_unread(conversation.id, ordinal, expected_version=version)
        case 5:
            await desk.tag(conversation.id, tag.key)
        case 6:
            await desk.untag(conversation.id, tag.id)
        case 7:
            with suppress(TagExists):
                await desk.create_tag(f"tag {random.randrange(6)}")
        case _ if random.random() < 0.3:
            with suppress(TagBuiltIn):
                await desk.delete_tag(tag.key)
        case _ if random.random() < 0.5:
            await desk.update_tag(tag.key, display_name=f"renamed {random.randrange(100)}")
        case _:
            await desk.choose(reopens_on_inbound=random.random() < 0.7)


def interleaved(random: Random, one: list[Frame], other: list[Frame]) -> list[Frame]:
    """Both streams in their own order, and in no order between them."""
    waiting, mixed = [list(one), list(other)], []
    while any(waiting):
        stream = random.choice([frames for frames in waiting if frames])
        mixed.append(stream.pop(0))
    return mixed


@pytest.mark.parametrize("seed", range(4))
async def test_an_old_snapshot_with_its_frames_is_a_fresh_snapshot(desk: Desk, seed: int) -> None:
    random = Random(seed)
    browser, customers = Browser(), list[Customer]()
    messaging: list[ThreadFacts] = []
    applied = loaded_at = published_at = 0
    for step in range(STEPS):
        messaging.append(happens(random, customers))
        if random.random() < 0.6:
            await desk.apply(*messaging[applied:])
            applied = len(messaging)
        if random.random() < 0.5:
            await people_act(desk, random, await everything(desk))
        if step == STEPS // 3:
            # Positions are taken before the snapshot is read, so frames may repeat what it has.
            loaded_at = random.randrange(applied + 1)
            published_at = random.randrange(len(await desk.frames()) + 1)
            browser.load(await fresh(desk))
    await desk.apply(*messaging[applied:])

    own: list[Frame] = list((await desk.frames())[published_at:])
    for frame in interleaved(random, own, list(messaging[loaded_at:])):
        browser.take(frame)

    assert browser.shows() == await fresh(desk)
    assert {c.id: c for c in browser.contacts.values()} == {
        c.contact.id: contact_to(c.contact) for c in await everything(desk)
    }


async def test_a_snapshot_of_entities_builds_the_same_inbox_elsewhere(desk: Desk) -> None:
    random, customers = Random(7), list[Customer]()
    for _ in range(STEPS):
        await desk.apply(happens(random, customers))
        await people_act(desk, random, await everything(desk))
    elsewhere, after = Browser(), ""

    while True:
        async with desk.worker.begin(desk.workspace_id) as transaction:
            page = await Snapshot().page(transaction, after, 3)
        for entity in page:
            elsewhere.take(conversation_v1.ConversationOpened.FromString(entity.payload))
            after = entity.cursor
        if len(page) < 3:
            break

    assert elsewhere.shown_conversations() == {
        c.id: conversation_to(c) for c in await everything(desk)
    }
