"""Requests that changed something: a repeat that comes late must not undo what happened since."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from chassis.errors import IdempotencyKeyReused
from services.conversation import schema

REMEMBER = """
INSERT INTO entity_requests (workspace_id, request_id, method, digest, entity_id, create_time)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id, request_id) DO NOTHING RETURNING 1
"""
RECALL = """
SELECT method, digest, entity_id FROM entity_requests
WHERE workspace_id = $1 AND request_id = $2
"""


async def was_done(
    transaction: Transaction, request_id: str, command: str, conversation_id: str
) -> bool:
    """Whether this request changed something before.

    Raises: IdempotencyKeyReused, where it was another request.
    """
    table = schema.command_requests
    found = (
        await transaction.sql.execute(
            select(table.c.command, table.c.conversation_id).where(
                table.c.workspace_id == transaction.workspace_id, table.c.request_id == request_id
            )
        )
    ).first()
    if found is None:
        return False
    if (found.command, found.conversation_id) != (command, conversation_id):
        raise IdempotencyKeyReused("request_id")
    return True


async def note_done(
    transaction: Transaction, request_id: str, command: str, conversation_id: str, at: datetime
) -> None:
    """Remember a request that changes something. Raises: IdempotencyKeyReused."""
    noted = await transaction.sql.execute(
        insert(schema.command_requests)
        .values(
            workspace_id=transaction.workspace_id,
            request_id=request_id,
            command=command,
            conversation_id=conversation_id,
            create_time=at,
        )
        .on_conflict_do_nothing()
    )
    if noted.rowcount == 0:
        # The same id was used at the same moment on another conversation.
        raise IdempotencyKeyReused("request_id")


async def remember(
    transaction: Transaction,
    request_id: str,
    method: str,
    *content: object,
    entity_id: str,
    at: datetime,
) -> str | None:
    """Take a request id for a change of something other than a conversation.

    None the first time, the entity's id for a repeat, which waits for the first one's commit.
    Raises: IdempotencyKeyReused.
    """
    taken = await transaction.raw.fetchval(
        REMEMBER,
        transaction.workspace_id,
        request_id,
        method,
        _digest_of(content),
        entity_id,
        at,
    )
    return None if taken else await recall(transaction, request_id, method, *content)


async def recall(
    transaction: Transaction, request_id: str, method: str, *content: object
) -> str | None:
    """What a request that was remembered changed; None where it was not.

    Raises: IdempotencyKeyReused.
    """
    row = await transaction.raw.fetchrow(RECALL, transaction.workspace_id, request_id)
    if row is None:
        return None
    if (row["method"], row["digest"]) != (method, _digest_of(content)):
        raise IdempotencyKeyReused("request_id")
    return str(row["entity_id"])


def _digest_of(content: Sequence[object]) -> bytes:
    return hashlib.sha256("\x1f".join(map(repr, content)).encode()).digest()
