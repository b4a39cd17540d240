"""The workspace's messaging settings in SQL."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Transaction
from services.messaging.model.settings import DEFAULT_SETTINGS, MessagingSettings
from services.messaging.model.thread import ConversationMode

READ = "SELECT default_mode, version FROM messaging_settings WHERE workspace_id = $1"
LOCK = f"{READ} FOR UPDATE"
# A row to lock: version 0 is what nobody has changed yet.
ENSURE = """
INSERT INTO messaging_settings (workspace_id, default_mode, update_time, version)
VALUES ($1, $2, $3, 0) ON CONFLICT (workspace_id) DO NOTHING
"""
SAVE = """
UPDATE messaging_settings SET default_mode = $2, update_time = $3, version = $4
WHERE workspace_id = $1
"""


async def read(transaction: Transaction) -> MessagingSettings:
    """The settings, or the defaults where nobody has changed them."""
    row = await transaction.raw.fetchrow(READ, transaction.workspace_id)
    if row is None:
        return DEFAULT_SETTINGS
    return MessagingSettings(ConversationMode(row["default_mode"]), row["version"])


async def lock(transaction: Transaction, *, at: datetime) -> MessagingSettings:
    """The settings, held until the transaction ends."""
    workspace_id = transaction.workspace_id
    default_mode = DEFAULT_SETTINGS.default_mode.value
    await transaction.raw.execute(ENSURE, workspace_id, default_mode, at)
    row = await transaction.raw.fetchrow(LOCK, workspace_id)
    if row is None:
        return DEFAULT_SETTINGS
    return MessagingSettings(ConversationMode(row["default_mode"]), row["version"])


async def save(transaction: Transaction, settings: MessagingSettings, *, at: datetime) -> None:
    """Write them; the caller holds their lock."""
    await transaction.raw.execute(
        SAVE, transaction.workspace_id, settings.default_mode.value, at, settings.version
    )
