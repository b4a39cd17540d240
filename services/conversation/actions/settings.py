"""The workspace's inbox settings."""

from __future__ import annotations

from chassis import audit
from chassis.auth import Caller
from services.conversation import events
from services.conversation.actions import audited
from services.conversation.actions.changes import publish
from services.conversation.actions.means import Means
from services.conversation.model.settings import InboxSettings, changed
from services.conversation.store import requests, settings


async def get_settings(means: Means, caller: Caller) -> InboxSettings:
    """The settings, or the defaults where nobody has changed them."""
    async with means.database.read(caller.workspace) as reading:
        return await settings.read(reading)


async def update_settings(
    means: Means,
    caller: Caller,
    *,
    request_id: str,
    reopens_on_inbound: bool | None,
    expected_version: int,
) -> InboxSettings:
    """Change what is given; conversations stay where they are.

    A repeat of the request gives the settings as they are now.
    Raises: VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        done = await requests.remember(
            transaction,
            request_id,
            "UpdateInboxSettings",
            reopens_on_inbound,
            entity_id=caller.workspace,
            at=at,
        )
        if done is not None:
            return await settings.read(transaction)
        before = await settings.lock(transaction)
        after = changed(
            before, reopens_on_inbound=reopens_on_inbound, expected_version=expected_version
        )
        if after is not before:
            await settings.save(transaction, after)
            kept = [audited.settings_changed(caller.workspace, before, after)]
            await audit.append(transaction, caller, audited.UPDATE_SETTINGS, kept, at=at)
            await publish(means, transaction, [events.settings_changed(caller.workspace, after)])
    return after
