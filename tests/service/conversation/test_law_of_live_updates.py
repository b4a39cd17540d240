"""Old snapshot + its frames = fresh snapshot, whatever the order between the two streams."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from chassis.ids import new_id
from services.conversation.actions.counters import get_counters
from services.conversation.actions.settings import get_settings
from services.conversation.actions.snapshot import Snapshot
from services.conversation.events import PUBLISHES
from services.conversation.mapping import (
    contact_to,
    conversation_to,
    counter_to,
    seen_by_to,
    settings_to,
    tag_to,
)
from services.conversation.mapping.contacts import note_to, profile_to
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.faults import NothingToMarkUnread, TagBuiltIn, TagExists
from services.conversation.model.profile import ConsentState
from services.conversation.model.thread import Mode, ThreadFacts
from tests.service.conversation.browser import Browser, Frame, Fresh
from tests.service.conversation.contacts import Contacts
from tests.service.conversation.desk import Customer, Desk, a_customer

STEPS = 60


async def everything(desk: Desk) -> list[Conversation]:
    """Every conversation, as a client loads them."""
    return [
        conversation
        for folder in Folder
        for conversation in (await desk.page(folder, page_size=200)).conversations
    ]


async def fresh(desk: Desk) -> Fresh:
    """A fresh snapshot, as a client loads it."""
    conversations, contacts = await everything(desk), Contacts(desk)
    listed = await contacts.listed(size=200)
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
        known=[
            (contact_to(known.contact), profile_to(known.profile))
            for contact in listed
            for known in [await contacts.get(contact.id)]
        ],
        notes=[
            (contact.id, note_to(note))
            for contact in listed
            for note in await contacts.notes(contact.id)
        ],
    ).in_order()


def happens(random: Random, customers: list[Customer]) -> ThreadFacts:
    """Something in messaging."""
    if len(customers) < 2 or random.random() < 0.1:
        customers.append(a_customer(f"customer {len(customers)}"))
        return customers[-1].opens()
    customer = random.choice(customers)
    match random.randrange(10):
        case 0:
            return customer.is_answered("a reply")
        case 8:
            return customer.is_handed_over()
        case 9:
            return customer.is_taken_by(random.choice(["bea", "cem"]))
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
    match random.randrange(10):
        case 9:
            await desk.assign(conversation.id, random.choice([desk.agent.id, None]))
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
        case 5 | 6 as way:
            change = desk.tag if way == 5 else desk.untag
            await change(conversation.id, tag.key)
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


async def people_learn(desk: Desk, random: Random) -> None:
    """Somebody writes down what they know of a contact, or that two are one."""
    contacts = Contacts(desk)
    listed = await contacts.listed(size=200)
    if not listed:
        return
    contact, other = random.choice(listed), random.choice(listed)
    notes = await contacts.notes(contact.id)
    match random.randrange(8):
        case 0:
            await contacts.update(contact.id, display_name=random.choice(["Ana", "Eva", ""]))
        case 1:
            await contacts.update(contact.id, email=f"{random.randrange(9)}@example.com")
        case 2:
            await contacts.set_field(contact.id, f"key_{random.randrange(3)}", new_id())
        case 3:
            state = random.choice(list(ConsentState))
            await contacts.consent(contact.id, "news", state)
        case 4 if other != contact and random.random() < 0.5:
            await contacts.merge(contact.id, other.id)
        case 5 if notes:
            await contacts.rewrite(random.choice(notes).id, f"note {random.randrange(100)}")
        case 6 if notes:
            await contacts.delete_note(random.choice(notes).id)
        case _:
            await contacts.note(contact.id, f"note {random.randrange(100)}")


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
        if random.random() < 0.5:
            await people_learn(desk, random)
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


async def test_a_snapshot_of_entities_builds_the_same_inbox_elsewhere(desk: Desk) -> None:
    random, customers = Random(7), list[Customer]()
    for _ in range(STEPS):
        await desk.apply(happens(random, customers))
        await people_act(desk, random, await everything(desk))
        await people_learn(desk, random)
    elsewhere, after = Browser(), ""

    while True:
        async with desk.worker.begin(desk.workspace_id) as transaction:
            page = await Snapshot().page(transaction, after, 3)
        for entity in page:
            event = PUBLISHES[entity.subject.split(".")[3]]
            elsewhere.take(event.FromString(entity.payload))
            after = entity.cursor
        if len(page) < 3:
            break

    there, here = elsewhere.shows(), await fresh(desk)
    assert there.conversations == here.conversations
    assert there.known == here.known
    assert there.notes == here.notes
