"""A change and all that follows from it, stored together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from chassis import audit, outbox, tracing
from chassis.auth import Caller
from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.conversation import events
from services.conversation.actions import audited
from services.conversation.actions.means import Means
from services.conversation.mapping import author_of
from services.conversation.model.authors import Author
from services.conversation.model.conversation import Conversation, changes_between, tag_between
from services.conversation.model.counters import CounterKey, Movement, Tally, differences
from services.conversation.model.reading import SeenBy
from services.conversation.store import conversations, counters, requests, tags


async def command(
    means: Means,
    caller: Caller,
    name: str,
    conversation_id: str,
    request_id: str,
    change: Callable[[Conversation], Conversation],
    *,
    audited_as: str = "",
) -> Conversation:
    """Change a conversation once for a request id; a repeat gives it as it is now.

    What is `audited_as` a command goes into the audit.

    Raises: ConversationNotFound, IdempotencyKeyReused, and what the change raises.
    """
    async with means.database.begin(caller.workspace) as transaction:
        before = await conversations.lock(transaction, conversation_id)
        if await requests.was_done(transaction, request_id, name, conversation_id):
            # Something else may have happened since: a late repeat must not undo it.
            return before
        after = change(before)
        if after is not before:
            at = means.clock.now()
            await requests.note_done(transaction, request_id, name, conversation_id, at)
            if audited_as:
                kept = [audited.conversation_changed(before, after)]
                await audit.append(transaction, caller, audited_as, kept, at=at)
            await save(means, transaction, caller, before, after)
    return after


async def save(
    means: Means,
    transaction: Transaction,
    caller: Caller,
    before: Conversation,
    after: Conversation,
    *,
    seen_by: SeenBy | None = None,
) -> None:
    """Write what conversation owns of a locked conversation, and what follows from it."""
    await conversations.save_owned(transaction, after)
    await follow(
        means,
        transaction,
        caller.workspace,
        [Movement(before, after)],
        author_of(caller),
        seen_by=seen_by,
    )


async def follow(
    means: Means,
    transaction: Transaction,
    workspace_id: WorkspaceId,
    movements: Sequence[Movement],
    author: Author,
    *,
    seen_by: SeenBy | None = None,
    also: Sequence[OutgoingEvent] = (),
) -> None:
    """What follows from saved changes of conversations: rows by tag, counters, events.

    The counters come last, because every change of the workspace waits for them.
    """
    await tags.follow(transaction, movements)
    told = [
        event
        for movement in movements
        for event in _events_of(workspace_id, movement, author, seen_by)
    ]
    counting = [movement for movement in movements if movement.changes_counters]
    living = await tags.hold(transaction, _tag_ids_of(counting))
    counted = await count(transaction, workspace_id, differences(counting, living))
    await publish(means, transaction, [*also, *told, *counted])


async def count(
    transaction: Transaction, workspace_id: WorkspaceId, changes: Mapping[CounterKey, Tally]
) -> list[OutgoingEvent]:
    """Add to the counters; gives the event that tells of it, if any changed."""
    changed = await counters.add(transaction, changes)
    return [events.counters_changed(workspace_id, changed)] if changed else []


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


def _events_of(
    workspace_id: WorkspaceId, movement: Movement, author: Author, seen_by: SeenBy | None
) -> list[OutgoingEvent]:
    before, after = movement
    tag_id = tag_between(before, after) if before else ""
    return [
        events.conversation_changed(
            workspace_id, change, after, author, tag_id=tag_id, seen_by=seen_by
        )
        for change in changes_between(before, after)
    ]


def _tag_ids_of(movements: Iterable[Movement]) -> set[str]:
    return {
        tag_id
        for movement in movements
        for conversation in movement
        if conversation is not None
        for tag_id in conversation.tag_ids
    }
