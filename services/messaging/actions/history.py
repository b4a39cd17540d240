"""Reading: threads, messages, history and the timeline of a message."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.database import Database
from chassis.ids import WorkspaceId
from services.messaging.model.faults import ConversationNotFound, MessageNotFound
from services.messaging.model.message import Message, Receipt
from services.messaging.model.thread import Thread
from services.messaging.store import delivery, history

MAX_RECEIPTS = 1_000
"""Of one message; more evidence than this says nothing new."""


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a conversation's history."""

    messages: list[Message]
    """Newest first."""
    has_more: bool
    """In the direction that was asked for."""
    thread: Thread | None
    """As it was when they were read; None where the conversation may yet begin."""


async def get_thread(database: Database, workspace_id: WorkspaceId, conversation_id: str) -> Thread:
    """Raises: ConversationNotFound."""
    async with database.read(workspace_id) as reading:
        thread = await history.get_thread(reading, conversation_id)
    if thread is None:
        raise ConversationNotFound(conversation_id=conversation_id)
    return thread


async def get_message(database: Database, workspace_id: WorkspaceId, message_id: str) -> Message:
    """Raises: MessageNotFound."""
    async with database.read(workspace_id) as reading:
        message = await history.get_message(reading, message_id)
    if message is None:
        raise MessageNotFound(message_id=message_id)
    return message


async def read_page(
    database: Database,
    workspace_id: WorkspaceId,
    conversation_id: str,
    *,
    before_seq: int,
    after_seq: int,
    page_size: int,
    is_for_customer: bool = False,
) -> Page:
    """The page before `before_seq`, or after `after_seq`, or the newest if both are 0.

    The thread is read first and nothing above its last_seq is returned, so the page never holds a
    message the thread does not count. `Page.thread` is None where there is no such conversation.
    A customer's page is without rows for the team.
    """
    async with database.read(workspace_id) as reading:
        thread = await history.get_thread(reading, conversation_id)
        if thread is None:
            return Page([], has_more=False, thread=None)
        if after_seq:
            messages = await history.list_after(
                reading,
                conversation_id,
                after_seq=after_seq,
                last_seq=thread.last_seq,
                limit=page_size + 1,
                is_for_customer=is_for_customer,
            )
        else:
            end = thread.last_seq + 1
            messages = await history.list_before(
                reading,
                conversation_id,
                before_seq=min(before_seq, end) if before_seq else end,
                limit=page_size + 1,
                is_for_customer=is_for_customer,
            )
    has_more = len(messages) > page_size
    messages = messages[:page_size]
    if after_seq:
        messages.reverse()
    return Page(messages, has_more=has_more, thread=thread)


async def list_receipts(
    database: Database, workspace_id: WorkspaceId, message_id: str
) -> list[Receipt]:
    """Everything known about a message's way, in the order it came. Raises: MessageNotFound."""
    async with database.read(workspace_id) as reading:
        if await history.get_message(reading, message_id) is None:
            raise MessageNotFound(message_id=message_id)
        return await delivery.read_receipts(reading, message_id, limit=MAX_RECEIPTS)
