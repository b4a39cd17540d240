"""Files that platforms have already, in SQL. For the worker role."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Transaction

FIND = """
SELECT platform_media_id FROM platform_media
WHERE workspace_id = $1 AND channel_id = $2 AND media_id = $3 AND expire_time > $4
"""
KEEP = """
INSERT INTO platform_media (workspace_id, channel_id, media_id, platform_media_id, expire_time)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace_id, channel_id, media_id) DO UPDATE
    SET platform_media_id = excluded.platform_media_id, expire_time = excluded.expire_time
"""


async def find(
    transaction: Transaction, channel_id: str, media_id: str, *, at: datetime
) -> str | None:
    """The platform's id of a file, while it is good."""
    found: str | None = await transaction.raw.fetchval(
        FIND, transaction.workspace_id, channel_id, media_id, at
    )
    return found


async def keep(
    transaction: Transaction,
    channel_id: str,
    media_id: str,
    platform_media_id: str,
    *,
    expire_time: datetime,
) -> None:
    """The platform has the file; of two uploads at once the later one is kept."""
    await transaction.raw.execute(
        KEEP, transaction.workspace_id, channel_id, media_id, platform_media_id, expire_time
    )
