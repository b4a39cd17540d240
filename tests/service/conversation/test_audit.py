"""What conversation's audit says: who moved a conversation, and not who looked at it."""

from __future__ import annotations

from chassis.ids import new_id
from services.conversation.model.tags import PRIORITY
from tests.audited import kept_in
from tests.service.conversation.desk import Desk, a_customer


async def test_solving_and_reopening_are_told_once_each(desk: Desk) -> None:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes())
    request_id = new_id()

    for _ in range(2):
        await desk.solve(customer.conversation_id, request_id=request_id)
    for _ in range(2):
        await desk.reopen(customer.conversation_id)

    solved, reopened = await kept_in(desk.means.database, desk.workspace_id)
    assert (solved.command, solved.actor) == ("ConversationService/SolveConversation", "member Bea")
    assert (solved.entity_kind, solved.entity_id) == ("conversation", customer.conversation_id)
    assert (solved.before, solved.after) == ({"folder": "open"}, {"folder": "solved"})
    assert reopened.command == "ConversationService/ReopenConversation"
    assert (reopened.before, reopened.after) == ({"folder": "solved"}, {"folder": "open"})


async def test_a_star_is_told_with_the_tags_there_were(desk: Desk) -> None:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes())

    for _ in range(2):
        await desk.tag(customer.conversation_id, "priority")

    (starred,) = await kept_in(desk.means.database, desk.workspace_id)
    assert (starred.command, starred.actor) == ("ConversationService/TagConversation", "member Bea")
    assert (starred.before, starred.after) == ({"tag_ids": []}, {"tag_ids": [PRIORITY.id]})


async def test_what_customers_do_and_what_is_only_looked_at_is_not_told(desk: Desk) -> None:
    customer = a_customer()
    await desk.apply(customer.opens(), customer.writes())

    conversation = await desk.mark_read(customer.conversation_id, 1)
    await desk.mark_unread(conversation.id, 1, expected_version=conversation.version)

    assert await kept_in(desk.means.database, desk.workspace_id) == []
