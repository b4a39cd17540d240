"""Drafts, each of one person in one conversation."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from chassis.database import Reading, Transaction
from services.conversation.model.drafts import Draft

GET = """
SELECT conversation_id, text, update_time, version, request_id FROM drafts
WHERE workspace_id = $1 AND conversation_id = $2 AND member_id = $3
"""
LOCK = f"{GET} FOR UPDATE"
# Two tabs may begin a draft at once: the second finds the first one's.
SAVE = """
INSERT INTO drafts AS kept
    (workspace_id, conversation_id, member_id, text, update_time, version, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (workspace_id, conversation_id, member_id) DO UPDATE
    SET text = excluded.text, update_time = excluded.update_time, version = excluded.version,
        request_id = excluded.request_id
    WHERE kept.version = excluded.version - 1
RETURNING 1
"""
DRAFTED = """
SELECT conversation_id FROM drafts
WHERE workspace_id = $1 AND conversation_id = ANY ($2::uuid[]) AND member_id = $3 AND text <> ''
"""


async def get(reading: Reading, member_id: str, conversation_id: str) -> Draft | None:
    """A person's draft, also a deleted one; None where there never was one."""
    return _draft(await reading.raw.fetchrow(GET, reading.workspace_id, conversation_id, member_id))


async def lock(transaction: Transaction, member_id: str, conversation_id: str) -> Draft | None:
    """The same, held until the end."""
    return _draft(
        await transaction.raw.fetchrow(LOCK, transaction.workspace_id, conversation_id, member_id)
    )


async def save(transaction: Transaction, member_id: str, draft: Draft) -> bool:
    """Write a draft; False when another one was begun meanwhile, and nothing was written."""
    saved = await transaction.raw.fetchval(
        SAVE,
        transaction.workspace_id,
        draft.conversation_id,
        member_id,
        draft.text,
        draft.update_time,
        draft.version,
        draft.request_id,
    )
    return saved is not None


async def drafted(
    reading: Reading, member_id: str, conversation_ids: Sequence[str]
) -> frozenset[str]:
    """Those of the conversations in which a person has a draft."""
    rows = await reading.raw.fetch(DRAFTED, reading.workspace_id, conversation_ids, member_id)
    return frozenset(str(row["conversation_id"]) for row in rows)


def _draft(row: asyncpg.Record | None) -> Draft | None:
    if row is None:
        return None
    return Draft(
        conversation_id=str(row["conversation_id"]),
        text=row["text"],
        update_time=row["update_time"],
        version=row["version"],
        request_id=str(row["request_id"]),
    )
