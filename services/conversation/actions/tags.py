"""The workspace's tags."""

from __future__ import annotations

from chassis import audit
from chassis.auth import Caller
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.conversation import events
from services.conversation.actions import audited
from services.conversation.actions.changes import publish
from services.conversation.actions.means import Means
from services.conversation.model import tags as rules
from services.conversation.model.faults import TooManyTags
from services.conversation.model.tags import MAX_TAGS, Tag, TagColor
from services.conversation.store import counters, requests, tags

FORGOTTEN_AT_ONCE = 1000
"""Rows of deleted tags removed in one transaction."""


async def list_tags(means: Means, caller: Caller) -> list[Tag]:
    """All of them, the built-in first, then by key."""
    async with means.database.read(caller.workspace) as reading:
        return await tags.every(reading)


async def create_tag(
    means: Means,
    caller: Caller,
    *,
    request_id: str,
    display_name: str,
    color: TagColor,
    key: str,
) -> Tag:
    """Create a tag. A repeat of the request gives it as it is now.

    Raises: FieldInvalid, TagExists, TooManyTags, IdempotencyKeyReused.
    """
    at = means.clock.now()
    tag = rules.new_tag(new_id(), display_name, color, key, at)
    content = (display_name, color.value, key)
    async with means.database.begin(caller.workspace) as transaction:
        done = await requests.remember(
            transaction, request_id, "CreateTag", *content, entity_id=tag.id, at=at
        )
        if done is not None:
            return await tags.get(transaction, done)
        known = await tags.every(transaction)
        if len(known) >= MAX_TAGS:
            raise TooManyTags(MAX_TAGS)
        rules.check_key(tag, known)
        await tags.add(transaction, tag)
        kept = [audited.tag_changed(None, tag)]
        await audit.append(transaction, caller, audited.CREATE_TAG, kept, at=at)
        await publish(means, transaction, [events.tag_changed(caller.workspace, tag)])
    return tag


async def update_tag(
    means: Means,
    caller: Caller,
    name: str,
    *,
    request_id: str,
    display_name: str | None,
    color: TagColor | None,
    expected_version: int,
) -> Tag:
    """Rename a tag or give it another color; its key stays.

    A repeat of the request gives it as it is now.
    Raises: TagNotFound, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()
    content = (name, display_name, color and color.value)
    async with means.database.begin(caller.workspace) as transaction:
        [tag_id] = await tags.ids_of(transaction, [name])
        done = await requests.remember(
            transaction, request_id, "UpdateTag", *content, entity_id=tag_id, at=at
        )
        if done is not None:
            return await tags.get(transaction, done)
        before = await tags.lock(transaction, tag_id)
        tag = rules.changed(
            before, display_name=display_name, color=color, expected_version=expected_version
        )
        if tag is not before:
            await tags.save(transaction, tag)
            kept = [audited.tag_changed(before, tag)]
            await audit.append(transaction, caller, audited.UPDATE_TAG, kept, at=at)
            await publish(means, transaction, [events.tag_changed(caller.workspace, tag)])
    return tag


async def delete_tag(
    means: Means, caller: Caller, name: str, *, request_id: str, expected_version: int
) -> Tag:
    """Delete a tag, however many conversations have it: their rows go later, in the background.

    A repeat of the request gives it as it was deleted.
    Raises: TagNotFound, TagBuiltIn, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()
    async with means.database.begin(caller.workspace) as transaction:
        done = await requests.recall(transaction, request_id, "DeleteTag", name)
        if done is None:
            [tag_id] = await tags.ids_of(transaction, [name])
            done = await requests.remember(
                transaction, request_id, "DeleteTag", name, entity_id=tag_id, at=at
            )
        if done is not None:
            return await tags.get(transaction, done)
        before = await tags.lock(transaction, tag_id)
        tag = rules.deleted(before, expected_version=expected_version)
        await tags.save(transaction, tag)
        kept = [audited.tag_changed(before, tag)]
        await audit.append(transaction, caller, audited.DELETE_TAG, kept, at=at)
        # Whoever counts for the tag holds it, so nobody does now, and nobody will again.
        await counters.forget_tag(transaction, tag_id)
        await publish(means, transaction, [events.tag_changed(caller.workspace, tag)])
    return tag


async def forget_deleted(worker: Database, workspace_id: WorkspaceId) -> None:
    """Remove the rows by which conversations were listed under tags that are deleted by now."""
    removed = FORGOTTEN_AT_ONCE
    while removed == FORGOTTEN_AT_ONCE:
        async with worker.begin(workspace_id) as transaction:
            removed = await tags.forget(transaction, FORGOTTEN_AT_ONCE)
