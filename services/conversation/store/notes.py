"""Notes on contacts."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from chassis.database import Reading, Transaction
from services.conversation.model.authors import Author, AuthorKind
from services.conversation.model.faults import ContactNoteNotFound
from services.conversation.model.notes import Note

BY_ID = "SELECT * FROM contact_notes WHERE workspace_id = $1 AND id = $2"
LOCK = f"{BY_ID} FOR UPDATE"
PAGE = """
SELECT * FROM contact_notes
WHERE workspace_id = $1 AND contact_id = $2 AND NOT is_deleted
  AND (create_time, id) < ($3, $4::uuid)
ORDER BY create_time DESC, id DESC LIMIT $5
"""
IN_ID_ORDER = """
SELECT * FROM contact_notes WHERE workspace_id = $1 AND id > $2::uuid AND NOT is_deleted
ORDER BY id LIMIT $3
"""
# As many as there may be and no more: what is beyond the limit is not counted.
COUNT = """
SELECT count(*) FROM (
    SELECT FROM contact_notes WHERE workspace_id = $1 AND contact_id = $2 AND NOT is_deleted
    LIMIT $3
) AS counted
"""
ADD = """
INSERT INTO contact_notes (workspace_id, id, contact_id, body, author_kind, author_id, author_name,
                           create_time, update_time, is_deleted, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
SAVE = """
UPDATE contact_notes SET body = $3, update_time = $4, is_deleted = $5, version = $6
WHERE workspace_id = $1 AND id = $2
"""


async def get(transaction: Transaction, note_id: str) -> Note:
    """A note, also a deleted one. Raises: ContactNoteNotFound."""
    return _found(await transaction.raw.fetchrow(BY_ID, transaction.workspace_id, note_id), note_id)


async def lock(transaction: Transaction, note_id: str) -> Note:
    """A note that nobody else changes until the end. Raises: ContactNoteNotFound."""
    note = _found(await transaction.raw.fetchrow(LOCK, transaction.workspace_id, note_id), note_id)
    if note.is_deleted:
        raise ContactNoteNotFound(note_id)
    return note


async def page(
    reading: Reading, contact_id: str, *, before: tuple[datetime, str], size: int
) -> list[Note]:
    """A contact's notes before a place, newest first."""
    rows = await reading.raw.fetch(PAGE, reading.workspace_id, contact_id, *before, size)
    return [_note(row) for row in rows]


async def in_id_order(transaction: Transaction, *, after: str, size: int) -> list[Note]:
    """Notes on all contacts after an id."""
    rows = await transaction.raw.fetch(IN_ID_ORDER, transaction.workspace_id, after, size)
    return [_note(row) for row in rows]


async def count(transaction: Transaction, contact_id: str, *, at_most: int) -> int:
    """How many notes a contact has."""
    found: int = await transaction.raw.fetchval(
        COUNT, transaction.workspace_id, contact_id, at_most
    )
    return found


async def add(transaction: Transaction, note: Note) -> None:
    """Write a new note."""
    await transaction.raw.execute(
        ADD,
        transaction.workspace_id,
        note.id,
        note.contact_id,
        note.body,
        note.author.kind.value,
        note.author.id,
        note.author.display_name,
        note.create_time,
        note.update_time,
        note.is_deleted,
        note.version,
    )


async def save(transaction: Transaction, note: Note) -> None:
    """Write a locked note."""
    await transaction.raw.execute(
        SAVE,
        transaction.workspace_id,
        note.id,
        note.body,
        note.update_time,
        note.is_deleted,
        note.version,
    )


def _found(row: asyncpg.Record | None, note_id: str) -> Note:
    if row is None:
        raise ContactNoteNotFound(note_id)
    return _note(row)


def _note(row: asyncpg.Record) -> Note:
    return Note(
        id=str(row["id"]),
        contact_id=str(row["contact_id"]),
        body=row["body"],
        author=Author(AuthorKind(row["author_kind"]), row["author_id"], row["author_name"]),
        create_time=row["create_time"],
        update_time=row["update_time"],
        is_deleted=row["is_deleted"],
        version=row["version"],
    )
