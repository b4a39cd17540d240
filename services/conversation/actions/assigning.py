"""Assigning conversations: which member looks after one."""

from __future__ import annotations

from chassis.auth import Caller
from services.conversation.actions import audited
from services.conversation.actions.changes import command
from services.conversation.actions.means import Means
from services.conversation.model import assigning
from services.conversation.model.conversation import Conversation


async def assign_conversation(
    means: Means,
    caller: Caller,
    conversation_id: str,
    member_id: str | None,
    *,
    request_id: str,
    expected_version: int,
) -> Conversation:
    """Assign a conversation to a member who can answer in it, or to nobody.

    A repeat, or whose it is already, changes nothing and returns the conversation.
    Raises: ConversationNotFound, MemberNotFound, MemberCannotAnswer, VersionConflict,
    IdempotencyKeyReused; TemporarilyUnavailable, when nobody knows who the member is.
    """
    member = await means.members.get(caller.workspace, member_id) if member_id else None

    def assign(conversation: Conversation) -> Conversation:
        return assigning.assign(conversation, member, expected_version=expected_version)

    return await command(
        means,
        caller,
        f"assign {member_id or 'nobody'}",
        conversation_id,
        request_id,
        assign,
        audited_as=audited.ASSIGN,
    )
