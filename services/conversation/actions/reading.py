"""Read marks, and who has seen what."""

from __future__ import annotations

from chassis.auth import Caller
from services.conversation import events
from services.conversation.actions.changes import command, publish, save
from services.conversation.actions.means import Means
from services.conversation.model import reading
from services.conversation.model.conversation import Conversation
from services.conversation.model.reading import SeenBy
from services.conversation.store import conversations, seen


async def mark_read(
    means: Means, caller: Caller, conversation_id: str, read_ordinal: int
) -> Conversation:
    """Raise the read mark to an inbound message somebody saw, and note who saw it.

    A repeat or a lower mark changes nothing and returns the conversation, so no request has to
    be remembered.
    Raises: ConversationNotFound, ReadMarkAhead.
    """
    async with means.database.begin(caller.workspace) as transaction:
        before = await conversations.lock(transaction, conversation_id)
        after = reading.mark_read(before, read_ordinal)
        seen_by = SeenBy(caller.id, read_ordinal, means.clock.now())
        saw_more = read_ordinal > 0 and await seen.raise_to(transaction, conversation_id, seen_by)
        if after is not before:
            await save(means, transaction, caller, before, after, seen_by=seen_by)
        elif saw_more:
            told = events.conversation_seen(caller.workspace, conversation_id, seen_by)
            await publish(means, transaction, [told])
    return after


async def mark_unread(
    means: Means,
    caller: Caller,
    conversation_id: str,
    from_ordinal: int,
    *,
    request_id: str,
    expected_version: int,
) -> Conversation:
    """Lower the read mark below an inbound message; who has seen it stays as it was.

    A repeat, or a message that is unread already, changes nothing and returns the conversation.
    Raises: ConversationNotFound, NothingToMarkUnread, VersionConflict, IdempotencyKeyReused.
    """

    def lower(conversation: Conversation) -> Conversation:
        return reading.mark_unread(conversation, from_ordinal, expected_version=expected_version)

    name = f"mark unread from {from_ordinal}"
    return await command(means, caller, name, conversation_id, request_id, lower)
