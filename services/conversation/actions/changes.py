"""A change and the events it causes, stored together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chassis import outbox, tracing
from chassis.auth import Caller
from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.conversation import events
from services.conversation.actions.means import Means
from services.conversation.mapping import author_of
from services.conversation.model.authors import Author
from services.conversation.model.conversation import Conversation, changes_between
from services.conversation.store import conversations, requests


async def command(
    means: Means,
    caller: Caller,
    name: str,
    conversation_id: str,
    request_id: str,
    change: Callable[[Conversation], Conversation],
) -> Conversation:
    """Change a conversation once for a request id; a repeat gives it as it is now.

    Raises: ConversationNotFound, IdempotencyKeyReused, and what the change raises.
    """
    async with means.database.begin(caller.workspace) as transaction:
        before = await conversations.lock(transaction, conversation_id)
        if await requests.was_done(transaction, request_id, name, conversation_id):
            # Something else may have happened since: a late repeat must not undo it.
            return before
        after = change(before)
        if after is not before:
            await requests.note_done(
                transaction, request_id, name, conversation_id, means.clock.now()
            )
            await save(means, transaction, caller, before, after)
    return after


async def save(
    means: Means,
    transaction: Transaction,
    caller: Caller,
    before: Conversation,
    after: Conversation,
) -> None:
    """Write what conversation owns of a locked conversation, with the events of the change."""
    if after is before:
        return
    await conversations.save_owned(transaction, after)
    changes = events_of(caller.workspace, before, after, author_of(caller))
    await publish(means, transaction, changes)


def events_of(
    workspace_id: WorkspaceId, before: Conversation | None, after: Conversation, author: Author
) -> list[OutgoingEvent]:
    """What a change of a conversation publishes."""
    return [
        events.conversation_changed(workspace_id, change, after, author)
        for change in changes_between(before, after)
    ]


async def publish(
    means: Means, transaction: Transaction, published: Sequence[OutgoingEvent]
) -> None:
    """Keep events with the change they tell of, and wake who publishes once it is committed."""
    if published:
        await outbox.append(
            transaction,
            published,
            at=means.clock.now(),
            traceparent=tracing.traceparent(),
        )
        transaction.after_commit(means.wake_relay)
