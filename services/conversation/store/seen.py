"""Who has seen a conversation, and how far."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Reading, Transaction
from services.conversation.model.reading import SeenBy

OF = """
SELECT member_id, ordinal, seen_time FROM conversation_seen
WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY member_id
"""
RAISE = """
INSERT INTO conversation_seen AS known
    (workspace_id, conversation_id, member_id, ordinal, seen_time)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace_id, conversation_id, member_id) DO UPDATE
    SET ordinal = excluded.ordinal, seen_time = excluded.seen_time
    WHERE excluded.ordinal > known.ordinal
RETURNING 1
"""
LOWER = """
UPDATE conversation_seen SET ordinal = restored.inbound_count
FROM unnest($2::uuid[], $3::bigint[]) AS restored (conversation_id, inbound_count)
WHERE conversation_seen.workspace_id = $1
  AND conversation_seen.conversation_id = restored.conversation_id
  AND ordinal > restored.inbound_count
"""


async def of(reading: Reading, conversation_id: str) -> list[SeenBy]:
    """By member id."""
    rows = await reading.raw.fetch(OF, reading.workspace_id, conversation_id)
    return [SeenBy(row["member_id"], row["ordinal"], row["seen_time"]) for row in rows]


async def raise_to(transaction: Transaction, conversation_id: str, seen: SeenBy) -> bool:
    """Note that a member saw more than before; whether they did. The conversation is locked."""
    raised = await transaction.raw.fetchval(
        RAISE,
        transaction.workspace_id,
        conversation_id,
        seen.member_id,
        seen.ordinal,
        seen.seen_time,
    )
    return raised is not None


async def lower(
    transaction: Transaction, conversation_ids: Sequence[str], inbound_counts: Sequence[int]
) -> None:
    """After messaging was restored: nobody has seen what did not come in yet.

    Every watcher loads anew then, so this is told by no event.
    """
    await transaction.raw.execute(LOWER, transaction.workspace_id, conversation_ids, inbound_counts)
