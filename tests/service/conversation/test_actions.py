"""What people do in the shared inbox, against the real database."""

from __future__ import annotations

import asyncio

import pytest

from chassis.auth import Role
from chassis.errors import IdempotencyKeyReused, VersionConflict
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.mapping import conversation_to
from services.conversation.model.conversation import Folder
from services.conversation.model.faults import (
    ConversationNotFound,
    CustomerWroteMeanwhile,
    ReadMarkAhead,
)
from tests.service.conversation.desk import Desk, a_customer


async def test_solving_moves_the_conversation_and_tells_who_did_it_once(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())

    solved = await desk.solve(ana.conversation_id)
    again = await desk.solve(ana.conversation_id)

    assert solved.folder is Folder.SOLVED
    assert again == solved == await desk.get(ana.conversation_id)
    [_, event] = await desk.published()
    assert isinstance(event, conversation_v1.ConversationSolved)
    assert event.conversation == conversation_to(solved)
    assert event.author.kind == messaging_v1.AUTHOR_KIND_MEMBER
    assert (event.author.id, event.author.display_name) == (desk.agent.id, "Bea")
    assert len(desk.wakes) == 2


async def test_a_late_repeat_of_a_solve_does_not_undo_a_reopen(desk: Desk) -> None:
    ana, request_id = a_customer(), new_id()
    await desk.apply(ana.opens())
    await desk.solve(ana.conversation_id, request_id=request_id)
    reopened = await desk.reopen(ana.conversation_id)

    repeated = await desk.solve(ana.conversation_id, request_id=request_id)

    assert repeated == reopened
    assert repeated.folder is Folder.OPEN


async def test_a_request_id_stands_for_one_command_on_one_conversation(desk: Desk) -> None:
    ana, bob, request_id = a_customer(), a_customer(), new_id()
    await desk.apply(ana.opens(), bob.opens())
    await desk.solve(ana.conversation_id, request_id=request_id)

    with pytest.raises(IdempotencyKeyReused):
        await desk.solve(bob.conversation_id, request_id=request_id)
    with pytest.raises(IdempotencyKeyReused):
        await desk.reopen(ana.conversation_id, request_id=request_id)


async def test_twenty_clicks_on_solve_at_once_are_one_event(desk: Desk) -> None:
    ana, request_id = a_customer(), new_id()
    await desk.apply(ana.opens())

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(desk.solve(ana.conversation_id, request_id=request_id))
            group.create_task(desk.solve(ana.conversation_id))

    assert len(await desk.published()) == 2


async def test_an_old_version_or_an_unseen_message_keeps_it_open(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes(), ana.writes())

    with pytest.raises(VersionConflict):
        await desk.solve(ana.conversation_id, expected_version=7)
    with pytest.raises(CustomerWroteMeanwhile):
        await desk.solve(ana.conversation_id, seen_inbound_count=1)

    assert (await desk.get(ana.conversation_id)).folder is Folder.OPEN


@pytest.mark.parametrize("solve_first", [True, False])
async def test_solving_and_a_customers_message_at_once_end_open_and_unread(
    desk: Desk, solve_first: bool
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    await desk.mark_read(ana.conversation_id, 1)
    second = ana.writes("one more thing")

    if solve_first:
        await desk.solve(ana.conversation_id, seen_inbound_count=1)
        await desk.apply(second)
    else:
        await desk.apply(second)
        with pytest.raises(CustomerWroteMeanwhile):
            await desk.solve(ana.conversation_id, seen_inbound_count=1)

    conversation = await desk.get(ana.conversation_id)
    assert conversation.folder is Folder.OPEN
    assert conversation.unread_count == 1


async def test_reopening_by_hand_is_told_once(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())
    await desk.solve(ana.conversation_id)

    reopened = await desk.reopen(ana.conversation_id)
    await desk.reopen(ana.conversation_id)

    [_, _, event] = await desk.published()
    assert isinstance(event, conversation_v1.ConversationReopened)
    assert event.conversation == conversation_to(reopened)


async def test_read_marks_of_many_tabs_end_at_the_highest(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), *[ana.writes() for _ in range(10)])

    async with asyncio.TaskGroup() as group:
        for ordinal in (3, 9, 1, 9, 4, 7):
            group.create_task(desk.mark_read(ana.conversation_id, ordinal))

    conversation = await desk.get(ana.conversation_id)
    assert (conversation.read_ordinal, conversation.unread_count) == (9, 1)
    marks = [
        event.conversation.read_ordinal
        for event in await desk.published()
        if isinstance(event, conversation_v1.ConversationRead)
    ]
    assert marks == sorted(set(marks))
    assert marks[-1] == 9


async def test_a_mark_ahead_of_the_projection_is_kept_and_one_from_nowhere_refused(
    desk: Desk,
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    second = ana.writes()

    ahead = await desk.mark_read(ana.conversation_id, 2)
    await desk.apply(second)

    assert ahead.unread_count == 0
    assert (await desk.get(ana.conversation_id)).unread_count == 0
    with pytest.raises(ReadMarkAhead):
        await desk.mark_read(ana.conversation_id, 5000)


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    for act in (desk.get, desk.solve, desk.reopen):
        with pytest.raises(ConversationNotFound):
            await act(new_id())
    with pytest.raises(ConversationNotFound):
        await desk.mark_read(new_id(), 1)


async def test_the_ai_solves_as_the_ai(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())
    desk.agent = desk.caller(Role.BOT)

    await desk.solve(ana.conversation_id)

    event = (await desk.published())[-1]
    assert isinstance(event, conversation_v1.ConversationSolved)
    assert event.author.kind == messaging_v1.AUTHOR_KIND_AI
