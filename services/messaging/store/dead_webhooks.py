"""Dead webhooks in SQL: calls and items that are no longer tried, found and tried again."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis.database import Transaction
from services.messaging.model.channel import ChannelId
from services.messaging.model.webhook import DeadWebhook, DeadWebhookId, WebhookPart
from services.messaging.store.rows import Row

Place = tuple[datetime, DeadWebhookId]
"""Where a dead webhook stands in the list: oldest first."""
BEGINNING: Place = (datetime(1970, 1, 1, tzinfo=UTC), DeadWebhookId(WebhookPart.CALL, 0))
PARTS = {part.value: part for part in WebhookPart}

DEAD_CALL = "process_time IS NULL AND next_try_time IS NULL"
DEAD_ITEM = "state = 'dead'"
# One scan of a partial index per table; both hold nothing but what is dead.
LIST = f"""
SELECT part, id, channel_id, try_count, last_error, receive_time, octet_length(raw),
       CASE WHEN $7 THEN raw ELSE '' END
FROM (
    (SELECT 'call' AS part, id, channel_id, try_count, last_error, receive_time, raw
     FROM webhook_inbox
     WHERE workspace_id = $1 AND {DEAD_CALL} AND ($2::uuid IS NULL OR channel_id = $2)
       AND (receive_time, 'call', id) > ($3, $4, $5)
     ORDER BY receive_time, id LIMIT $6)
    UNION ALL
    (SELECT 'item', id, channel_id, try_count, last_error, receive_time, raw
     FROM webhook_items
     WHERE workspace_id = $1 AND {DEAD_ITEM} AND ($2::uuid IS NULL OR channel_id = $2)
       AND (receive_time, 'item', id) > ($3, $4, $5)
     ORDER BY receive_time, id LIMIT $6)
) AS dead
ORDER BY receive_time, part, id LIMIT $6
"""
LOCK_CALLS = f"""
SELECT id FROM webhook_inbox
WHERE workspace_id = $1 AND {DEAD_CALL} AND ($2::uuid IS NULL OR channel_id = $2)
  AND ($3::bigint IS NULL OR id = $3)
ORDER BY id LIMIT $4 FOR UPDATE
"""
LOCK_ITEMS = f"""
SELECT id FROM webhook_items
WHERE workspace_id = $1 AND {DEAD_ITEM} AND ($2::uuid IS NULL OR channel_id = $2)
  AND ($3::bigint IS NULL OR id = $3)
ORDER BY id LIMIT $4 FOR UPDATE
"""
REDRIVE_CALLS = """
UPDATE webhook_inbox SET try_count = 0, next_try_time = $3
WHERE workspace_id = $1 AND id = ANY($2)
"""
REDRIVE_ITEMS = """
UPDATE webhook_items SET state = 'waiting', try_count = 0, next_try_time = $3, process_time = NULL
WHERE workspace_id = $1 AND id = ANY($2)
"""
COUNT = f"""
SELECT (SELECT count(*) FROM webhook_inbox WHERE {DEAD_CALL}),
       (SELECT count(*) FROM webhook_items WHERE {DEAD_ITEM})
"""


async def list_page(
    transaction: Transaction,
    *,
    channel_id: str | None,
    after: Place,
    limit: int,
    include_raw: bool,
) -> list[DeadWebhook]:
    """Dead webhooks of the workspace, oldest first."""
    time, last = after
    rows = await transaction.raw.fetch(
        LIST,
        transaction.workspace_id,
        channel_id,
        time,
        last.part.value,
        last.number,
        limit,
        include_raw,
    )
    return [_dead(row) for row in rows]


async def lock(
    transaction: Transaction,
    *,
    channel_id: str | None,
    only: DeadWebhookId | None,
    limit: int,
) -> list[DeadWebhookId]:
    """The oldest dead webhooks of the workspace, held until the transaction ends."""
    locked: list[DeadWebhookId] = []
    for part, statement in ((WebhookPart.CALL, LOCK_CALLS), (WebhookPart.ITEM, LOCK_ITEMS)):
        if only is not None and only.part is not part:
            continue
        number = None if only is None else only.number
        rows = await transaction.raw.fetch(
            statement, transaction.workspace_id, channel_id, number, limit - len(locked)
        )
        locked += [DeadWebhookId(part, row[0]) for row in rows]
    return locked


async def redrive(transaction: Transaction, dead: list[DeadWebhookId], *, at: datetime) -> None:
    """Let them be tried again, as if they had come just now."""
    for part, statement in ((WebhookPart.CALL, REDRIVE_CALLS), (WebhookPart.ITEM, REDRIVE_ITEMS)):
        numbers = [one.number for one in dead if one.part is part]
        if numbers:
            await transaction.raw.execute(statement, transaction.workspace_id, numbers, at)


async def count(transaction: Transaction) -> dict[WebhookPart, int]:
    """How many there are, over all workspaces."""
    row = await transaction.raw.fetchrow(COUNT)
    calls, items = row if row is not None else (0, 0)
    return {WebhookPart.CALL: calls, WebhookPart.ITEM: items}


def _dead(row: Row) -> DeadWebhook:
    return DeadWebhook(
        id=DeadWebhookId(PARTS[row[0]], row[1]),
        channel_id=ChannelId(str(row[2])),
        try_count=row[3],
        last_error=row[4] or "",
        receive_time=row[5],
        size_bytes=row[6],
        raw=bytes(row[7]),
    )
