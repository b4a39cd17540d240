"""Old snapshot + its frames = fresh snapshot, whatever the order between the two streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from google.protobuf.message import Message

from inbox.conversation import v1 as conversation_v1
from services.conversation.actions.snapshot import Snapshot
from services.conversation.mapping import contact_to, conversation_to
from services.conversation.model import projection
from services.conversation.model.contact import new_contact
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.thread import Mode, ThreadFacts
from tests.service.conversation.desk import Customer, Desk, a_customer

STEPS = 60
Frame = Message | ThreadFacts


@dataclass(slots=True)
class Browser:
    """What a client keeps: each entity by its owner's version, the higher wins."""

    owned: dict[str, conversation_v1.Conversation] = field(default_factory=dict)
    contacts: dict[str, conversation_v1.Contact] = field(default_factory=dict)
    threads: dict[str, Conversation] = field(default_factory=dict)
    """Projected fields, from whichever stream brought them."""

    def load(self, conversations: list[Conversation]) -> None:
        for conversation in conversations:
            self._keep(conversation_to(conversation))

    def take(self, frame: Frame) -> None:
        match frame:
            case ThreadFacts():
                self._project(frame)
            case conversation_v1.ContactChanged():
                self._keep_contact(frame.contact)
            case (
                conversation_v1.ConversationOpened()
                | conversation_v1.ConversationSolved()
                | conversation_v1.ConversationReopened()
                | conversation_v1.ConversationRead()
            ):
                self._keep(frame.conversation)
            case _:
                raise AssertionError(frame)

    def shows(self) -> dict[str, conversation_v1.Conversation]:
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

    def _keep_contact(self, contact: conversation_v1.Contact) -> None:
        known = self.contacts.get(contact.id)
        if known is None or contact.version > known.version:
            self.contacts[contact.id] = contact


async def everything(desk: Desk) -> list[Conversation]:
    """A fresh snapshot, as a client loads it."""
    return [
        conversation
        for folder in (Folder.OPEN, Folder.SOLVED)
        for conversation in (await desk.page(folder, page_size=200)).conversations
    ]


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
    match random.randrange(3):
        case 0:
            await desk.solve(conversation.id)
        case 1:
            await desk.reopen(conversation.id)
        case _:
            ordinal = conversation.inbound_count + random.randrange(3)
            await desk.mark_read(conversation.id, ordinal)


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
            published_at = random.randrange(len(await desk.published()) + 1)
            browser.load(await everything(desk))
    await desk.apply(*messaging[applied:])

    own: list[Frame] = list((await desk.published())[published_at:])
    for frame in interleaved(random, own, list(messaging[loaded_at:])):
        browser.take(frame)

    fresh = {
        conversation.id: conversation_to(conversation) for conversation in await everything(desk)
    }
    assert browser.shows() == fresh
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

    assert elsewhere.shows() == {c.id: conversation_to(c) for c in await everything(desk)}
