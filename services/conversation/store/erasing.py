"""What is looked up and deleted of contacts that are exported or erased, with what was said."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Reading, Transaction

OF_CONVERSATIONS = (
    ("conversation_tags", "conversation_id"),
    ("conversation_seen", "conversation_id"),
    ("drafts", "conversation_id"),
    ("conversations", "id"),
)
"""Tables with something of a conversation and the column that says of which, itself last."""
OF_CONTACTS = (
    ("contact_name_words", "contact_id"),
    ("contact_notes", "contact_id"),
    ("contact_profiles", "contact_id"),
    ("contact_identities", "contact_id"),
    ("contacts", "id"),
)
"""The same of a contact."""
DELETE = "DELETE FROM {table} WHERE workspace_id = $1 AND {column} = ANY ($2::uuid[])"
DELETE_IDENTITIES = """
DELETE FROM contact_identities USING unnest($2::uuid[], $3::text[]) AS gone (channel, external)
WHERE workspace_id = $1 AND channel_id = channel AND external_id = external
"""
MERGED_INTO = """
SELECT id::text FROM contacts WHERE workspace_id = $1 AND merged_into_id = ANY ($2::uuid[])
"""
NOTES_ON = """
SELECT id::text FROM contact_notes WHERE workspace_id = $1 AND contact_id = ANY ($2::uuid[])
"""
CONVERSATIONS_OF = """
SELECT id::text FROM conversations WHERE workspace_id = $1 AND contact_id = $2 ORDER BY id
"""
STILL_IN_USE = """
SELECT DISTINCT contact_id::text FROM conversations
WHERE workspace_id = $1 AND contact_id = ANY ($2::uuid[])
"""


async def merged_into(transaction: Transaction, contact_ids: Sequence[str]) -> list[str]:
    """The contacts that became part of these."""
    rows = await transaction.raw.fetch(MERGED_INTO, transaction.workspace_id, contact_ids)
    return [row[0] for row in rows]


async def notes_on(transaction: Transaction, contact_ids: Sequence[str]) -> list[str]:
    """Ids of the notes on contacts, also of deleted ones."""
    rows = await transaction.raw.fetch(NOTES_ON, transaction.workspace_id, contact_ids)
    return [row[0] for row in rows]


async def conversations_of(reading: Reading, contact_id: str) -> list[str]:
    """The contact's conversations, in id order."""
    rows = await reading.raw.fetch(CONVERSATIONS_OF, reading.workspace_id, contact_id)
    return [row[0] for row in rows]


async def still_in_use(transaction: Transaction, contact_ids: Sequence[str]) -> set[str]:
    """Those of the contacts that have a conversation."""
    rows = await transaction.raw.fetch(STILL_IN_USE, transaction.workspace_id, contact_ids)
    return {row[0] for row in rows}


async def remove_conversations(transaction: Transaction, conversation_ids: Sequence[str]) -> None:
    """Delete conversations, which are locked, with all that hangs on them."""
    await _remove(transaction, OF_CONVERSATIONS, conversation_ids)


async def remove_contacts(transaction: Transaction, contact_ids: Sequence[str]) -> None:
    """Delete contacts that have no conversation, with all that hangs on them."""
    await _remove(transaction, OF_CONTACTS, contact_ids)


async def remove_profiles(transaction: Transaction, contact_ids: Sequence[str]) -> None:
    """Delete what hangs on contacts that stay, but for the identities that they still have."""
    hanging = [one for one in OF_CONTACTS if one[0] not in ("contact_identities", "contacts")]
    await _remove(transaction, hanging, contact_ids)


async def remove_identities(
    transaction: Transaction, identity_keys: Sequence[tuple[str, str]]
) -> None:
    """Delete channel identities (channel id, external id)."""
    await transaction.raw.execute(
        DELETE_IDENTITIES,
        transaction.workspace_id,
        [channel_id for channel_id, _ in identity_keys],
        [external_id for _, external_id in identity_keys],
    )


async def _remove(
    transaction: Transaction, tables: Sequence[tuple[str, str]], ids: Sequence[str]
) -> None:
    if not ids:
        return
    for table, column in tables:
        statement = DELETE.format(table=table, column=column)
        await transaction.raw.execute(statement, transaction.workspace_id, list(ids))
