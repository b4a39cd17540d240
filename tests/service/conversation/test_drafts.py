"""Drafts: each person's own, kept until they are sent, and never back from the dead."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from chassis.auth import Caller, Role
from chassis.errors import IdempotencyKeyReused, VersionConflict
from chassis.ids import WorkspaceId, new_id
from services.conversation.actions import drafts, inbox
from services.conversation.actions.inbox import ListQuery
from services.conversation.model.drafts import Draft
from services.conversation.model.faults import ConversationNotFound
from tests.audited import kept_in
from tests.service.conversation.desk import Desk, a_customer


async def a_conversation(desk: Desk) -> str:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes())
    return customer.conversation_id


async def save(
    desk: Desk,
    conversation_id: str,
    text: str,
    expected_version: int = 0,
    *,
    by: Caller | None = None,
    request_id: str | None = None,
) -> Draft:
    return await drafts.save_draft(
        desk.means,
        by or desk.agent,
        conversation_id,
        text,
        request_id=request_id or new_id(),
        expected_version=expected_version,
    )


async def delete(
    desk: Desk, conversation_id: str, expected_version: int, request_id: str | None = None
) -> Draft | None:
    return await drafts.delete_draft(
        desk.means,
        desk.agent,
        conversation_id,
        request_id=request_id or new_id(),
        expected_version=expected_version,
    )


async def drafted(desk: Desk, by: Caller) -> frozenset[str]:
    page = await inbox.list_conversations(desk.means, by, ListQuery(50))
    return page.drafted


async def test_a_draft_is_there_when_its_writer_comes_back_and_for_nobody_else(desk: Desk) -> None:
    here, elsewhere = await a_conversation(desk), await a_conversation(desk)
    writer, colleague, _ = desk.colleagues

    first = await save(desk, here, "Dear ")
    second = await save(desk, here, "Dear Ana,\n  ", first.version)

    assert (first.version, second.version) == (1, 2)
    assert (await desk.opened(here)).draft == second
    assert (await desk.opened(elsewhere)).draft is None
    assert await drafted(desk, writer) == {here}
    desk.agent = colleague
    assert (await desk.opened(here)).draft is None
    assert await drafted(desk, colleague) == frozenset()
    assert (await save(desk, here, "Hello")).version == 1


async def test_a_deleted_draft_is_gone_from_the_list_and_leaves_its_version(desk: Desk) -> None:
    here = await a_conversation(desk)
    draft = await save(desk, here, "Dear Ana")
    request_id = new_id()

    left = await delete(desk, here, draft.version, request_id)
    again = await delete(desk, here, draft.version, request_id)

    assert left is not None
    assert (left.text, left.version) == ("", 2)
    assert again == left == (await desk.opened(here)).draft
    assert await drafted(desk, desk.agent) == frozenset()
    assert (await save(desk, here, "One more thing", left.version)).version == 3


async def test_deleting_where_there_is_none_does_nothing(desk: Desk) -> None:
    here = await a_conversation(desk)

    assert await delete(desk, here, 0) is None
    assert (await desk.opened(here)).draft is None


async def test_a_save_that_comes_after_the_draft_was_sent_brings_nothing_back(desk: Desk) -> None:
    here = await a_conversation(desk)
    first = await save(desk, here, "Dear Ana")
    await delete(desk, here, first.version)

    for late_version in (0, first.version):
        with pytest.raises(VersionConflict):
            await save(desk, here, "Dear An", late_version)

    assert await drafted(desk, desk.agent) == frozenset()


async def test_of_two_devices_the_second_is_told_that_the_first_went_on(desk: Desk) -> None:
    here = await a_conversation(desk)
    seen = await save(desk, here, "Dear Ana")
    on_the_phone = await save(desk, here, "Dear Ana, your parcel", seen.version)

    with pytest.raises(VersionConflict) as refused:
        await save(desk, here, "Dear Ana, we", seen.version)
    with pytest.raises(VersionConflict):
        await delete(desk, here, seen.version)

    assert refused.value.present_version == on_the_phone.version
    assert (await desk.opened(here)).draft == on_the_phone


async def test_a_repeat_returns_the_draft_and_other_content_is_an_error(desk: Desk) -> None:
    here, request_id = await a_conversation(desk), new_id()
    save_again = partial(save, desk, here, request_id=request_id)

    first = await save_again("Dear Ana")

    assert await save_again("Dear Ana") == first
    with pytest.raises(IdempotencyKeyReused):
        await save_again("Dear Bob")


async def test_of_two_tabs_that_begin_at_once_one_begins(desk: Desk) -> None:
    here = await a_conversation(desk)

    begun = await asyncio.gather(
        *(save(desk, here, f"from tab {number}") for number in range(5)), return_exceptions=True
    )

    [kept] = [draft for draft in begun if isinstance(draft, Draft)]
    assert sum(isinstance(fault, VersionConflict) for fault in begun) == 4
    assert (await desk.opened(here)).draft == kept


async def test_drafts_are_no_event_and_no_audit_entry(desk: Desk) -> None:
    """Nobody else sees a change of them, and unsent words are in no log."""
    here = await a_conversation(desk)
    told = await desk.frames()

    draft = await save(desk, here, "Dear Ana")
    await delete(desk, here, draft.version)

    assert await desk.frames() == told
    assert await kept_in(desk.means.database, desk.workspace_id) == []


async def test_a_draft_needs_a_conversation_of_the_workspace(desk: Desk) -> None:
    here = await a_conversation(desk)
    outsider = Caller(desk.agent.id, Role.AGENT, WorkspaceId(new_id()))

    with pytest.raises(ConversationNotFound):
        await save(desk, new_id(), "to nobody")
    with pytest.raises(ConversationNotFound):
        await save(desk, here, "from outside", by=outsider)
