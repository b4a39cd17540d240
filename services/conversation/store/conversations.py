"""Conversations: read, locked and saved."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from chassis.database import Reading, Transaction
from services.conversation import schema
from services.conversation.model.conversation import Conversation
from services.conversation.model.faults import ConversationNotFound
from services.conversation.store.rows import (
    CONVERSATIONS,
    columns,
    conversation_of,
    conversation_row,
)

BEFORE_ALL_IDS = "00000000-0000-0000-0000-000000000000"
CONVERSATIONS_BY_ID = CONVERSATIONS.format(
    listed="SELECT * FROM conversations WHERE workspace_id = $1 AND id = ANY ($2::uuid[])"
)
# In id order, so that two who lock several cannot wait for each other.
LOCK_CONVERSATIONS = """
SELECT id FROM conversations WHERE workspace_id = $1 AND id = ANY ($2::uuid[])
ORDER BY id FOR NO KEY UPDATE
"""
IN_ID_ORDER = (
    CONVERSATIONS.format(
        listed="""
    SELECT * FROM conversations WHERE workspace_id = $1 AND id > $2::uuid ORDER BY id LIMIT $3
"""
    )
    + "ORDER BY listed.id"
)
OPEN_OF_OTHER_LIVES = """
SELECT id FROM conversations
WHERE workspace_id = $1 AND folder = 'open' AND log_epoch <> $2 ORDER BY id LIMIT $3
"""
SAVE_CONVERSATIONS = """
INSERT INTO conversations (
    workspace_id, id, contact_id, channel_id, channel_kind, folder, preview_seq,
    preview_author_kind, preview_text, preview_create_time, inbound_count, read_ordinal,
    solved_ordinal, mode, mode_epoch, log_epoch, create_time, version, waiting_since,
    hold_member_id, hold_since, thread_version, preview_attachment_kind)
SELECT $1, * FROM unnest(
    $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[],
    $9::text[], $10::timestamptz[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[],
    $15::bigint[], $16::text[], $17::timestamptz[], $18::bigint[], $19::timestamptz[],
    $20::text[], $21::timestamptz[], $22::bigint[], $23::text[])
ON CONFLICT (workspace_id, id) DO UPDATE SET
    folder = excluded.folder, preview_seq = excluded.preview_seq,
    preview_author_kind = excluded.preview_author_kind, preview_text = excluded.preview_text,
    preview_create_time = excluded.preview_create_time, inbound_count = excluded.inbound_count,
    read_ordinal = excluded.read_ordinal, solved_ordinal = excluded.solved_ordinal,
    mode = excluded.mode, mode_epoch = excluded.mode_epoch, log_epoch = excluded.log_epoch,
    version = excluded.version, waiting_since = excluded.waiting_since,
    hold_member_id = excluded.hold_member_id, hold_since = excluded.hold_since,
    thread_version = excluded.thread_version,
    preview_attachment_kind = excluded.preview_attachment_kind
"""


async def get(reading: Reading, conversation_id: str) -> Conversation:
    """One conversation. Raises: ConversationNotFound."""
    found = await by_id(reading, [conversation_id])
    if conversation_id not in found:
        raise ConversationNotFound(conversation_id)
    return found[conversation_id]


async def lock(transaction: Transaction, conversation_id: str) -> Conversation:
    """One conversation that nobody else changes until the end. Raises: ConversationNotFound."""
    found = await lock_many(transaction, [conversation_id])
    if conversation_id not in found:
        raise ConversationNotFound(conversation_id)
    return found[conversation_id]


async def lock_many(
    transaction: Transaction, conversation_ids: Sequence[str]
) -> dict[str, Conversation]:
    """Those of the conversations that exist, kept from changing until the end."""
    await transaction.raw.execute(LOCK_CONVERSATIONS, transaction.workspace_id, conversation_ids)
    # A statement of its own, so it sees what those before us in the line committed.
    return await by_id(transaction, conversation_ids)


async def in_id_order(transaction: Transaction, *, after: str, size: int) -> list[Conversation]:
    """Conversations of every folder after an id."""
    rows = await transaction.raw.fetch(IN_ID_ORDER, transaction.workspace_id, after, size)
    return [conversation_of(row) for row in rows]


async def open_of_other_lives(transaction: Transaction, log_epoch: str, size: int) -> list[str]:
    """Open conversations that this life of messaging's database has said nothing about."""
    rows = await transaction.raw.fetch(
        OPEN_OF_OTHER_LIVES, transaction.workspace_id, log_epoch, size
    )
    return [str(row["id"]) for row in rows]


async def save(transaction: Transaction, conversations: Sequence[Conversation]) -> None:
    """Write whole conversations, new or locked before."""
    if conversations:
        await transaction.raw.execute(
            SAVE_CONVERSATIONS,
            transaction.workspace_id,
            *columns(map(conversation_row, conversations)),
        )


async def save_owned(transaction: Transaction, conversation: Conversation) -> None:
    """Write what conversation owns of a locked conversation."""
    table = schema.conversations
    await transaction.sql.execute(
        update(table)
        .where(table.c.workspace_id == transaction.workspace_id, table.c.id == conversation.id)
        .values(
            folder=conversation.folder.value,
            read_ordinal=conversation.read_ordinal,
            solved_ordinal=conversation.solved_ordinal,
            tag_ids=list(conversation.tag_ids),
            assignee_id=conversation.assignee_id,
            version=conversation.version,
        )
    )


async def by_id(reading: Reading, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
    """Those of the conversations that exist."""
    rows = await reading.raw.fetch(CONVERSATIONS_BY_ID, reading.workspace_id, conversation_ids)
    return {conversation.id: conversation for conversation in map(conversation_of, rows)}
