"""Where conversations lie."""

from __future__ import annotations

from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from tests.system.deeds.stage import Deed, Stage


async def solve_conversation(stage: Stage) -> None:
    await stage.to.conversation.SolveConversation(
        conversation_v1.SolveConversationRequest(
            conversation_id=stage.tenant.conversation_id, request_id=new_id()
        ),
        metadata=stage.owner,
    )


async def reopen_conversation(stage: Stage) -> None:
    await stage.to.conversation.ReopenConversation(
        conversation_v1.ReopenConversationRequest(
            conversation_id=stage.tenant.conversation_id, request_id=new_id()
        ),
        metadata=stage.owner,
    )


DEEDS: dict[str, Deed] = {
    "ConversationService/SolveConversation": Deed(solve_conversation),
    "ConversationService/ReopenConversation": Deed(reopen_conversation),
}
"""In an order in which they can be done."""

NOT_AUDITED: dict[str, str] = {
    "ConversationService/MarkRead": "a read mark is not a decision, and moves all day",
}
