"""Moving a conversation between folders."""

from __future__ import annotations

from chassis.auth import Caller
from services.conversation.actions.changes import command
from services.conversation.actions.means import Means
from services.conversation.model import folders
from services.conversation.model.conversation import Conversation


async def solve_conversation(
    means: Means,
    caller: Caller,
    conversation_id: str,
    *,
    request_id: str,
    expected_version: int,
    seen_inbound_count: int,
) -> Conversation:
    """Move a conversation to Solved.

    A repeat, or solving a solved one, changes nothing and returns it as it is.
    Raises: ConversationNotFound, VersionConflict, CustomerWroteMeanwhile, IdempotencyKeyReused.
    """

    def solve(conversation: Conversation) -> Conversation:
        return folders.solve(
            conversation,
            expected_version=expected_version,
            seen_inbound_count=seen_inbound_count,
        )

    return await command(means, caller, "solve", conversation_id, request_id, solve)


async def reopen_conversation(
    means: Means,
    caller: Caller,
    conversation_id: str,
    *,
    request_id: str,
    expected_version: int,
) -> Conversation:
    """Move a conversation back to Open.

    A repeat, or reopening an open one, changes nothing and returns it as it is.
    Raises: ConversationNotFound, VersionConflict, IdempotencyKeyReused.
    """

    def reopen(conversation: Conversation) -> Conversation:
        return folders.reopen(conversation, expected_version=expected_version)

    return await command(means, caller, "reopen", conversation_id, request_id, reopen)
