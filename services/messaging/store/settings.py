"""The workspace's messaging settings in SQL."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Transaction
from services.messaging.model.settings import DEFAULT_SETTINGS, MessagingSettings
from services.messaging.model.thread import ConversationMode
from services.messaging.store.rows import Row

READ = """
SELECT default_mode, resume_ai_after, version FROM messaging_settings WHERE workspace_id = $1
"""
LOCK = f"{READ} FOR UPDATE"
# A row to lock: version 0 is what nobody has changed yet.
ENSURE = """
INSERT INTO messaging_settings (workspace_id, default_mode, resume_ai_after, update_time, version)
VALUES ($1, $2, $3, $4, 0) ON CONFLICT (workspace_id) DO NOTHING
"""
SAVE = """
UPDATE messaging_settings
SET default_mode = $2, resume_ai_after = $3, update_time = $4, version = $5
WHERE workspace_id = $1
"""


async def read(transaction: Transaction) -> MessagingSettings:
    """The settings, or the defaults where nobody has changed them."""
    return _settings_of(await transaction.raw.fetchrow(READ, transaction.workspace_id))


async def lock(transaction: Transaction, *, at: datetime) -> MessagingSettings:
    """The settings, held until the transaction ends."""
    await transaction.raw.execute(
        ENSURE,
        transaction.workspace_id,
        DEFAULT_SETTINGS.default_mode.value,
        DEFAULT_SETTINGS.resume_ai_after,
        at,
    )
    return _settings_of(await transaction.raw.fetchrow(LOCK, transaction.workspace_id))


async def save(transaction: Transaction, settings: MessagingSettings, *, at: datetime) -> None:
    """Write them; the caller holds their lock."""
    await transaction.raw.execute(
        SAVE,
        transaction.workspace_id,
        settings.default_mode.value,
        settings.resume_ai_after,
        at,
        settings.version,
    )


def _settings_of(row: Row | None) -> MessagingSettings:
    if row is None:
        return DEFAULT_SETTINGS
    return MessagingSettings(ConversationMode(row[0]), row[1], row[2])
