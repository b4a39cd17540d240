"""Reading and changing the workspace's messaging settings."""

from __future__ import annotations

from datetime import timedelta

from chassis import audit
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.ids import WorkspaceId
from services.messaging.actions import audited
from services.messaging.model.settings import MessagingSettings, changed
from services.messaging.model.thread import ConversationMode
from services.messaging.store import settings as store

UPDATE = "MessagingService/UpdateMessagingSettings"


async def get_settings(database: Database, workspace_id: WorkspaceId) -> MessagingSettings:
    """The settings, or the defaults where nobody has changed them."""
    async with database.begin(workspace_id) as transaction:
        return await store.read(transaction)


async def update_settings(
    database: Database,
    clock: Clock,
    caller: Caller,
    *,
    default_mode: ConversationMode | None,
    resume_ai_after: timedelta | None,
    expected_version: int,
) -> MessagingSettings:
    """Change what is given; a repeat changes nothing.

    Conversations that exist keep their mode, and those that people hold the time they were taken
    over with. Raises: VersionConflict, FieldInvalid.
    """
    at = clock.now()
    async with database.begin(caller.workspace) as transaction:
        present = await store.lock(transaction, at=at)
        settings = changed(
            present,
            default_mode=default_mode,
            resume_ai_after=resume_ai_after,
            expected_version=expected_version,
        )
        if settings != present:
            await store.save(transaction, settings, at=at)
            changes = [audited.settings_changed(caller.workspace, present, settings)]
            await audit.append(transaction, caller, UPDATE, changes, at=at)
    return settings
