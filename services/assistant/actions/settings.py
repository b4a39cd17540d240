"""Reading and changing how the AI behaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis import audit
from chassis.auth import Caller
from chassis.ids import WorkspaceId
from services.assistant import events
from services.assistant.actions import audited
from services.assistant.actions.means import Means
from services.assistant.model.settings import AssistantSettings, changed
from services.assistant.store import requests
from services.assistant.store import settings as store
from services.assistant.store.settings import Stored

UPDATE = "AssistantService/UpdateAssistantSettings"


async def get_settings(means: Means, workspace_id: WorkspaceId) -> AssistantSettings:
    """The settings, or the defaults where nobody has changed them."""
    async with means.database.begin(workspace_id) as transaction:
        return (await store.read(transaction)).settings


async def update_settings(
    means: Means,
    caller: Caller,
    news: dict[str, Any],
    *,
    request_id: str,
    api_key: str | None,
    expected_version: int,
) -> AssistantSettings:
    """Change what is given, from the next turn on. A repeat changes nothing.

    Raises: VersionConflict, FieldInvalid, ProviderHostNotAllowed, ProviderIncomplete,
    IdempotencyKeyReused.
    """
    at = means.clock.now()
    workspace_id = caller.workspace
    async with means.database.begin(workspace_id) as transaction:
        before = await store.lock(transaction, at=at)
        repeated = await requests.remember(
            transaction,
            request_id,
            method="UpdateAssistantSettings",
            digest=requests.digest_of(*_told_apart(news), api_key or "", expected_version),
            entity_id=workspace_id,
            at=at,
        )
        if repeated is not None:
            return before.settings
        has_key = before.settings.has_api_key if api_key is None else bool(api_key)
        settings = changed(
            before.settings,
            news | {"has_api_key": has_key},
            expected_version=expected_version,
            hosts=means.hosts,
        )
        sealed = before.api_key
        if api_key is not None:
            sealed = (
                await means.vault.seal(transaction, workspace_id, api_key, at=at)
                if api_key
                else None
            )
        if api_key and settings is before.settings:
            # Another key in the place of one: nobody sees a difference, but something changed.
            settings = replace(settings, version=settings.version + 1)
        if settings is not before.settings:
            await store.save(transaction, Stored(settings, sealed), at=at)
            await means.publish(transaction, [events.settings_changed(workspace_id, settings)])
            changes = [audited.settings_changed(workspace_id, before.settings, settings, api_key)]
            await audit.append(transaction, caller, UPDATE, changes, at=at)
    return settings


def _told_apart(news: dict[str, Any]) -> list[str]:
    """The same text for the same news; sets have no order of their own."""
    return [
        f"{name}={sorted(map(str, value)) if isinstance(value, frozenset) else value!r}"
        for name, value in sorted(news.items())
    ]
