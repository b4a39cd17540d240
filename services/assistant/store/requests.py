"""Request ids of writes: what each stands for."""

from __future__ import annotations

import hashlib
from datetime import datetime

from chassis.database import Transaction
from chassis.errors import IdempotencyKeyReused

REMEMBER = """
INSERT INTO request_ids (workspace_id, request_id, method, digest, entity_id, create_time)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id, request_id) DO NOTHING RETURNING 1
"""
RECALL = """
SELECT method, digest, entity_id FROM request_ids WHERE workspace_id = $1 AND request_id = $2
"""


def digest_of(*parts: str | int) -> bytes:
    """Tells one request's content from another's."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


async def remember(
    transaction: Transaction,
    request_id: str,
    *,
    method: str,
    digest: bytes,
    entity_id: str,
    at: datetime,
) -> str | None:
    """Take a request id for this content; None the first time, the entity's id for a repeat.

    A repeat waits for the first one's commit. Raises: IdempotencyKeyReused.
    """
    workspace_id = transaction.workspace_id
    taken = await transaction.raw.fetchval(
        REMEMBER, workspace_id, request_id, method, digest, entity_id, at
    )
    if taken:
        return None
    row = await transaction.raw.fetchrow(RECALL, workspace_id, request_id)
    if row is None or (row["method"], row["digest"]) != (method, digest):
        raise IdempotencyKeyReused(field="request_id")
    return str(row["entity_id"])
