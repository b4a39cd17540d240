"""Requests that changed something: a repeat that comes late must not undo what happened since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from chassis.errors import IdempotencyKeyReused
from services.conversation import schema


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
