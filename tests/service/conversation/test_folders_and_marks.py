"""Folders, what a customer's message opens again, read marks, and who has seen what."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import IdempotencyKeyReused, VersionConflict
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping import conversation_to, seen_by_to, settings_to
from services.conversation.model.conversation import Folder
from services.conversation.model.faults import CustomerWroteMeanwhile, NothingToMarkUnread
from services.conversation.model.thread import Mode
from tests.service.conversation.desk import Desk, a_customer


@pytest.mark.parametrize("folder", [Folder.SPAM, Folder.ARCHIVED])
async def test_moving_is_told_once_with_the_whole_conversation(desk: Desk, folder: Folder) -> None:
    ana, request_id = a_customer(), new_id()
    await desk.apply(ana.opens())

    moved = await desk.move(ana.conversation_id, folder, request_id=request_id, expected_version=1)
    again = await desk.move(ana.conversation_id, folder, request_id=request_id, expected_version=1)

    [_, event] = await desk.published()
    assert isinstance(event, conversation_v1.ConversationMoved)
    assert event.conversation == conversation_to(moved)
    assert event.conversation.is_silenced == (folder is Folder.SPAM)
    assert (event.author.id, again) == (desk.agent.id, moved)
    with pytest.raises(IdempotencyKeyReused):
        await desk.move(ana.conversation_id, Folder.OPEN, request_id=request_id)
    with pytest.raises(VersionConflict):
        await desk.move(ana.conversation_id, Folder.OPEN, expected_version=1)


@pytest.mark.parametrize("folder", [Folder.SOLVED, Folder.ARCHIVED])
async def test_only_the_customers_message_opens_what_was_settled(
    desk: Desk, folder: Folder
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    await desk.move(ana.conversation_id, folder, seen_inbound_count=1)

    await desk.apply(ana.is_answered("an AI reply"), ana.is_switched(Mode.AI))
    answered = await desk.get(ana.conversation_id)
    await desk.apply(ana.writes("one more thing"))

    assert answered.folder is folder
    assert (await desk.get(ana.conversation_id)).folder is Folder.OPEN
    assert isinstance((await desk.published())[-1], conversation_v1.ConversationReopened)


async def test_a_message_in_spam_stays_there_and_tells_nobody(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())
    await desk.move(ana.conversation_id, Folder.SPAM)
    told = len(await desk.published())

    await desk.apply(ana.writes("buy now"))

    spam = await desk.get(ana.conversation_id)
    assert (spam.folder, spam.unread_count, spam.is_silenced) == (Folder.SPAM, 1, True)
    assert len(await desk.published()) == told


async def test_archiving_does_not_hide_a_message_that_just_came(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes(), ana.writes())

    with pytest.raises(CustomerWroteMeanwhile):
        await desk.move(ana.conversation_id, Folder.ARCHIVED, seen_inbound_count=1)


async def test_the_workspace_may_choose_that_settled_stays_settled(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    chosen = await desk.choose(reopens_on_inbound=False)
    await desk.choose(reopens_on_inbound=False)
    await desk.solve(ana.conversation_id)

    await desk.apply(ana.writes())
    quiet = await desk.get(ana.conversation_id)
    await desk.choose(reopens_on_inbound=True)
    await desk.apply(ana.is_answered())
    answered = await desk.get(ana.conversation_id)
    await desk.apply(ana.writes())

    assert (quiet.folder, quiet.unread_count) == (Folder.SOLVED, 2)
    assert answered.folder is Folder.SOLVED
    assert (await desk.get(ana.conversation_id)).folder is Folder.OPEN
    told = [
        event
        for event in await desk.published()
        if isinstance(event, conversation_v1.InboxSettingsChanged)
    ]
    assert [event.settings.version for event in told] == [1, 2]
    assert told[0] == conversation_v1.InboxSettingsChanged(settings=settings_to(chosen))


async def test_who_has_seen_it_is_shown_and_not_counted(desk: Desk) -> None:
    ana, (bea, cem, _) = a_customer(), desk.colleagues
    await desk.apply(ana.opens(), ana.writes(), ana.writes())
    desk.agent = bea
    await desk.mark_read(ana.conversation_id, 2)
    desk.agent = cem

    marked = await desk.mark_read(ana.conversation_id, 1)
    for ordinal in (2, 2, 1):
        await desk.mark_read(ana.conversation_id, ordinal)

    seen = {one.member_id: one for one in await desk.seen_by(ana.conversation_id)}
    assert {member: one.ordinal for member, one in seen.items()} == {bea.id: 2, cem.id: 2}
    assert (marked.read_ordinal, marked.version) == (2, 2)
    [_, read, first, second] = await desk.published()
    assert isinstance(read, conversation_v1.ConversationRead)
    assert read.seen_by == seen_by_to(seen[bea.id])
    assert isinstance(first, conversation_v1.ConversationSeen)
    assert first.seen_by.ordinal == 1
    assert second == conversation_v1.ConversationSeen(
        conversation_id=ana.conversation_id, seen_by=seen_by_to(seen[cem.id])
    )
    assert len(second.SerializeToString()) < 150


async def test_marking_unread_lowers_the_mark_once_and_keeps_who_has_seen_it(desk: Desk) -> None:
    ana, request_id = a_customer(), new_id()
    await desk.apply(ana.opens(), *[ana.writes() for _ in range(4)])
    read = await desk.mark_read(ana.conversation_id, 4)

    unread = await desk.mark_unread(
        ana.conversation_id, 3, expected_version=read.version, request_id=request_id
    )
    await desk.mark_read(ana.conversation_id, 4)
    repeated = await desk.mark_unread(
        ana.conversation_id, 3, expected_version=read.version, request_id=request_id
    )

    assert (unread.read_ordinal, unread.unread_count) == (2, 2)
    assert (repeated.read_ordinal, repeated.unread_count) == (4, 0)
    [seen] = await desk.seen_by(ana.conversation_id)
    assert seen.ordinal == 4
    event = (await desk.published())[2]
    assert isinstance(event, conversation_v1.ConversationMarkedUnread)
    assert event.conversation == conversation_to(unread)


async def test_a_mark_falls_only_from_where_somebody_saw_it(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes(), ana.writes())
    before = await desk.mark_read(ana.conversation_id, 1)
    await desk.mark_read(ana.conversation_id, 2)

    with pytest.raises(VersionConflict):
        await desk.mark_unread(ana.conversation_id, 1, expected_version=before.version)
    with pytest.raises(NothingToMarkUnread):
        await desk.mark_unread(ana.conversation_id, 3, expected_version=3)


async def test_marks_up_and_down_at_once_end_where_the_versions_say(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), *[ana.writes() for _ in range(5)])
    read = await desk.mark_read(ana.conversation_id, 3)

    results = await asyncio.gather(
        *[desk.mark_unread(ana.conversation_id, n, expected_version=read.version) for n in (1, 2)],
        *[desk.mark_read(ana.conversation_id, n) for n in (4, 5)],
        return_exceptions=True,
    )

    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(fault, VersionConflict) for fault in refused)
    conversation = await desk.get(ana.conversation_id)
    newest = max(
        (e for e in await desk.published() if hasattr(e, "conversation")),
        key=lambda event: event.conversation.version,
    )
    assert newest.conversation == conversation_to(conversation)
    assert await desk.drift() == 0
