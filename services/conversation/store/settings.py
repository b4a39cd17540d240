"""The workspace's inbox settings in SQL."""

from __future__ import annotations

import asyncpg

from chassis.database import Reading, Transaction
from services.conversation.model.settings import DEFAULT_SETTINGS, InboxSettings

READ = "SELECT reopens_on_inbound, version FROM inbox_settings WHERE workspace_id = $1"
LOCK = f"{READ} FOR UPDATE"
# A row to lock: version 0 is what nobody has changed yet.
ENSURE = """
INSERT INTO inbox_settings (workspace_id, reopens_on_inbound, version) VALUES ($1, $2, 0)
ON CONFLICT (workspace_id) DO NOTHING
"""
SAVE = "UPDATE inbox_settings SET reopens_on_inbound = $2, version = $3 WHERE workspace_id = $1"


async def read(reading: Reading) -> InboxSettings:
    """The settings, or the defaults where nobody has changed them."""
    return _settings(await reading.raw.fetchrow(READ, reading.workspace_id))


async def lock(transaction: Transaction) -> InboxSettings:
    """The settings, held until the transaction ends."""
    workspace_id = transaction.workspace_id
    await transaction.raw.execute(ENSURE, workspace_id, DEFAULT_SETTINGS.reopens_on_inbound)
    return _settings(await transaction.raw.fetchrow(LOCK, workspace_id))


async def save(transaction: Transaction, settings: InboxSettings) -> None:
    """Write them; the caller holds their lock."""
    await transaction.raw.execute(
        SAVE, transaction.workspace_id, settings.reopens_on_inbound, settings.version
    )


def _settings(row: asyncpg.Record | None) -> InboxSettings:
    if row is None:
        return DEFAULT_SETTINGS
    return InboxSettings(row["reopens_on_inbound"], row["version"])
