"""What the shared inbox can do: each action is one transaction and the events it caused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from chassis import audit, outbox, tracing
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.errors import TemporarilyUnavailable
from chassis.event_log import SnapshotEntity
from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent
from services.conversation import events, model
from services.conversation.mapping import author_of
from services.conversation.model import (
    SYSTEM,
    Author,
    Change,
    Conversation,
    Folder,
    ThreadFacts,
)
from services.conversation.store import (
    BEFORE_ALL,
    BEFORE_ALL_IDS,
    Place,
    Store,
    known_workspaces,
)

COMMANDS = {
    "solve": "ConversationService/SolveConversation",
    "reopen": "ConversationService/ReopenConversation",
}
"""What the audit calls them."""
MAX_LOST = 200
"""Solved in one transaction."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every action works with."""

    database: Database
    clock: Clock
    wake_relay: Callable[[], None]
    """Called after a commit that wrote events."""
    reach_projection: Callable[[str, int], Awaitable[bool]] | None = None
    """Waits until a position of messaging's log is projected; None where nothing is projected."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which part of the inbox list is wanted."""

    folder: Folder
    unread_only: bool
    channel_id: str | None
    page_size: int
    after: Place = BEFORE_ALL
    at_least: tuple[str, int] | None = None
    """Log epoch and position of messaging's log that the list must show already."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the inbox list."""

    conversations: list[Conversation]
    next_place: Place | None
    """None after the last page."""


async def list_conversations(means: Means, caller: Caller, query: ListQuery) -> Page:
    """Part of the inbox list, newest activity first.

    Raises: TemporarilyUnavailable, when what the caller was told of is not projected in time.
    """
    if (
        query.at_least is not None
        and means.reach_projection is not None
        and not await means.reach_projection(*query.at_least)
    ):
        raise TemporarilyUnavailable(part="the inbox list, which has to catch up,")
    async with means.database.begin(caller.workspace) as transaction:
        found = await Store(transaction, caller.workspace).page(
            query.folder,
            unread_only=query.unread_only,
            channel_id=query.channel_id,
            after=query.after,
            # One more than shown tells whether there is another page.
            size=query.page_size + 1,
        )
    shown = found[: query.page_size]
    if len(found) == len(shown):
        return Page(shown, None)
    return Page(shown, Place(shown[-1].last_activity_time, shown[-1].id))


async def get_conversation(means: Means, caller: Caller, conversation_id: str) -> Conversation:
    """One conversation. Raises: ConversationNotFound."""
    async with means.database.begin(caller.workspace) as transaction:
        return await Store(transaction, caller.workspace).get(conversation_id)


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
        return model.solve(
            conversation,
            expected_version=expected_version,
            seen_inbound_count=seen_inbound_count,
        )

    return await _command(means, caller, "solve", conversation_id, request_id, solve)


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
        return model.reopen(conversation, expected_version=expected_version)

    return await _command(means, caller, "reopen", conversation_id, request_id, reopen)


async def mark_read(
    means: Means, caller: Caller, conversation_id: str, read_ordinal: int
) -> Conversation:
    """Raise the read mark to an inbound message somebody saw.

    A repeat or a lower mark changes nothing and returns the conversation, so no request has to
    be remembered.
    Raises: ConversationNotFound, ReadMarkAhead.
    """
    async with means.database.begin(caller.workspace) as transaction:
        store = Store(transaction, caller.workspace)
        before = await store.lock(conversation_id)
        after = model.mark_read(before, read_ordinal)
        await _save(means, transaction, store, caller, before, after)
    return after


async def project_threads(
    means: Means, transaction: Transaction, workspace_id: WorkspaceId, facts: Sequence[ThreadFacts]
) -> None:
    """Apply what messaging says about threads of one workspace, in the order it says it.

    Missing contacts and conversations are made from the facts themselves, so any event may be
    the first one. A repeat changes nothing. What it changes of our own is published.
    """
    if not facts:
        return
    store = Store(transaction, workspace_id)
    before = await store.lock_many(sorted({fact.conversation_id for fact in facts}))
    owners = await store.contacts_of(sorted({fact.identity_key for fact in facts}))
    known = {contact.id: contact for contact in owners.values()}
    contacts = dict(known)
    contact_ids = {key: contact.id for key, contact in owners.items()}
    after = dict(before)
    for fact in facts:
        if fact.identity_key not in contact_ids:
            contact = model.new_contact(workspace_id, fact)
            contacts[contact.id] = contact
            contact_ids[fact.identity_key] = contact.id
        contact = model.rename(contacts[contact_ids[fact.identity_key]], fact)
        contacts[contact.id] = contact
        present = after.get(fact.conversation_id)
        after[fact.conversation_id] = (
            model.project(present, fact) if present else model.open_conversation(contact, fact)
        )
    await store.save_contacts([c for c in contacts.values() if c != known.get(c.id)])
    changed = [c for c in after.values() if c != before.get(c.id)]
    await store.save_conversations(changed)
    await _publish(
        means,
        transaction,
        [
            events.contact_changed(workspace_id, contact)
            for contact in contacts.values()
            if contact.id in known and contact.version != known[contact.id].version
        ]
        + [
            # A conversation was read with the contact as it was before this run.
            event
            for conversation in changed
            for event in _events_of(
                workspace_id,
                before.get(conversation.id),
                replace(conversation, contact=contacts[conversation.contact.id]),
                SYSTEM,
            )
        ],
    )


async def solve_lost(means: Means, worker: Database, log_epoch: str) -> None:
    """After a rebuild: solve open conversations whose threads messaging does not have any more.

    That happens when its database was restored from a backup older than the thread. Nobody can
    answer there; a customer who writes again gets a new conversation. A repeat changes nothing.
    """
    for workspace_id in await known_workspaces(worker):
        while await _solve_some_lost(means, worker, workspace_id, log_epoch):
            pass


async def _solve_some_lost(
    means: Means, worker: Database, workspace_id: WorkspaceId, log_epoch: str
) -> bool:
    async with worker.begin(workspace_id) as transaction:
        store = Store(transaction, workspace_id)
        lost = await store.open_of_other_lives(log_epoch, MAX_LOST)
        before = await store.lock_many(lost)
        after = [model.solve(conversation) for conversation in before.values()]
        await store.save_conversations(after)
        solved = [
            event
            for conversation in after
            for event in _events_of(workspace_id, before[conversation.id], conversation, SYSTEM)
        ]
        await _publish(means, transaction, solved)
    return bool(lost)


class Snapshot:
    """Every conversation as the event that opens it, for those who build theirs from ours."""

    async def page(
        self, transaction: Transaction, after: str, count: int
    ) -> Sequence[SnapshotEntity]:
        """The transaction's workspace, in id order."""
        workspace_id = transaction.workspace_id
        assert workspace_id is not None  # noqa: S101 - the event log opens it in a workspace
        store = Store(transaction, workspace_id)
        page = await store.in_id_order(after=after or BEFORE_ALL_IDS, size=count)
        opened = [
            events.conversation_changed(workspace_id, Change.OPENED, conversation, SYSTEM)
            for conversation in page
        ]
        return [
            SnapshotEntity(event.ordering_key, event.subject, event.ordering_key, event.payload)
            for event in opened
        ]


async def _command(
    means: Means,
    caller: Caller,
    name: str,
    conversation_id: str,
    request_id: str,
    change: Callable[[Conversation], Conversation],
) -> Conversation:
    async with means.database.begin(caller.workspace) as transaction:
        store = Store(transaction, caller.workspace)
        before = await store.lock(conversation_id)
        if await store.was_done(request_id, name, conversation_id):
            # Something else may have happened since: a late repeat must not undo it.
            return before
        after = change(before)
        if after is not before:
            now = means.clock.now()
            await store.note_done(request_id, name, conversation_id, now)
            await _save(means, transaction, store, caller, before, after)
            changes = [_moved(before, after)]
            await audit.append(transaction, caller, COMMANDS[name], changes, at=now)
    return after


def _moved(before: Conversation, after: Conversation) -> audit.Change:
    return audit.Change.of(
        "conversation", after.id, {"folder": before.folder}, {"folder": after.folder}
    )


async def _save(
    means: Means,
    transaction: Transaction,
    store: Store,
    caller: Caller,
    before: Conversation,
    after: Conversation,
) -> None:
    if after is before:
        return
    await store.save_owned(after)
    changes = _events_of(caller.workspace, before, after, author_of(caller))
    await _publish(means, transaction, changes)


def _events_of(
    workspace_id: WorkspaceId, before: Conversation | None, after: Conversation, author: Author
) -> list[OutgoingEvent]:
    return [
        events.conversation_changed(workspace_id, change, after, author)
        for change in model.changes_between(before, after)
    ]


async def _publish(
    means: Means, transaction: Transaction, published: Sequence[OutgoingEvent]
) -> None:
    if published:
        await outbox.append(
            transaction,
            published,
            at=means.clock.now(),
            traceparent=tracing.traceparent(),
        )
        transaction.after_commit(means.wake_relay)
