"""Read marks."""

from __future__ import annotations

from chassis.auth import Caller
from services.conversation.actions.changes import save
from services.conversation.actions.means import Means
from services.conversation.model import reading
from services.conversation.model.conversation import Conversation
from services.conversation.store import conversations


async def mark_read(
    means: Means, caller: Caller, conversation_id: str, read_ordinal: int
) -> Conversation:
    """Raise the read mark to an inbound message somebody saw.

    A repeat or a lower mark changes nothing and returns the conversation, so no request has to
    be remembered.
    Raises: ConversationNotFound, ReadMarkAhead.
    """
    async with means.database.begin(caller.workspace) as transaction:
        before = await conversations.lock(transaction, conversation_id)
        after = reading.mark_read(before, read_ordinal)
        await save(means, transaction, caller, before, after)
    return after
