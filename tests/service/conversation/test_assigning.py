"""Which member looks after a conversation: who may be chosen, what is told, how lists follow."""

from __future__ import annotations

import pytest

from chassis.auth import Role
from chassis.errors import IdempotencyKeyReused, VersionConflict
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping import author_of, author_to, conversation_to
from services.conversation.model.faults import (
    ConversationNotFound,
    MemberCannotAnswer,
    MemberNotFound,
)
from tests.audited import kept_in
from tests.service.conversation.desk import FIRST_DAY, Desk, a_customer


async def a_conversation(desk: Desk) -> str:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes())
    return customer.conversation_id


async def test_an_assignment_is_kept_and_told_once_with_who_did_it(desk: Desk) -> None:
    conversation_id = await a_conversation(desk)
    before = len(await desk.published())
    colleague, request_id = desk.colleagues[1], new_id()

    assigned = await desk.assign(conversation_id, colleague.id, request_id=request_id)
    again = await desk.assign(conversation_id, colleague.id, request_id=request_id)
    as_it_is = await desk.assign(conversation_id, colleague.id)

    assert assigned == again == as_it_is == await desk.get(conversation_id)
    assert assigned.assignee_id == colleague.id
    assert (await desk.published())[before:] == [
        conversation_v1.ConversationAssigned(
            conversation=conversation_to(assigned), author=author_to(author_of(desk.agent))
        )
    ]
    (told,) = await kept_in(desk.means.database, desk.workspace_id)
    assert told.command == "ConversationService/AssignConversation"
    assert (told.before, told.after) == ({"assignee_id": None}, {"assignee_id": colleague.id})


async def test_it_goes_from_one_to_another_and_to_nobody(desk: Desk) -> None:
    conversation_id = await a_conversation(desk)
    one, other, _ = (colleague.id for colleague in desk.colleagues)

    versions = [
        (await desk.assign(conversation_id, member_id)).version
        for member_id in (one, other, None, one)
    ]

    assert versions == [2, 3, 4, 5]
    assert (await desk.get(conversation_id)).assignee_id == one


async def test_a_late_repeat_does_not_undo_what_happened_since(desk: Desk) -> None:
    conversation_id = await a_conversation(desk)
    one, other, _ = (colleague.id for colleague in desk.colleagues)
    request_id = new_id()
    await desk.assign(conversation_id, one, request_id=request_id)
    now = await desk.assign(conversation_id, other)
    # Whoever it was for has left meanwhile.
    desk.members.join(one, is_active=False)

    assert await desk.assign(conversation_id, one, request_id=request_id) == now
    with pytest.raises(IdempotencyKeyReused):
        await desk.assign(conversation_id, None, request_id=request_id)


@pytest.mark.parametrize(
    ("role", "is_active"), [(Role.READ_ONLY, True), (Role.AGENT, False), (Role.OWNER, False)]
)
async def test_whoever_could_not_answer_is_assigned_nothing(
    desk: Desk, role: Role, is_active: bool
) -> None:
    conversation_id = await a_conversation(desk)
    member_id = desk.members.join(new_id(), role, is_active=is_active)

    with pytest.raises(MemberCannotAnswer):
        await desk.assign(conversation_id, member_id)
    with pytest.raises(MemberNotFound):
        await desk.assign(conversation_id, new_id())
    with pytest.raises(ConversationNotFound):
        await desk.assign(new_id(), desk.agent.id)

    assert (await desk.get(conversation_id)).assignee_id is None


async def test_an_assignment_of_what_has_changed_since_is_refused(desk: Desk) -> None:
    conversation_id = await a_conversation(desk)
    await desk.assign(conversation_id, desk.agent.id, expected_version=1)

    with pytest.raises(VersionConflict):
        await desk.assign(conversation_id, None, expected_version=1)


async def test_what_customers_and_the_ai_do_leaves_the_assignment(desk: Desk) -> None:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes())
    await desk.assign(customer.conversation_id, desk.agent.id)

    await desk.apply(customer.is_handed_over(), customer.writes())
    await desk.solve(customer.conversation_id)
    await desk.apply(customer.writes())

    assert (await desk.get(customer.conversation_id)).assignee_id == desk.agent.id


async def test_what_waits_for_a_person_waits_until_one_has_it(desk: Desk) -> None:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes(), customer.is_handed_over(at=FIRST_DAY))
    waiting = await desk.get(customer.conversation_id)
    taken = customer.is_taken_by(desk.agent.id)

    await desk.apply(taken)
    held = await desk.get(customer.conversation_id)

    assert (waiting.waiting_since, waiting.hold) == (FIRST_DAY, None)
    assert (held.waiting_since, held.hold) == (None, taken.hold)
    # Projected, so the version of what is our own stays.
    assert held.version == waiting.version == 1
