"""Giving conversations tags and taking them away; the star is one of them."""

from __future__ import annotations

from chassis import audit
from chassis.auth import Caller
from services.conversation.actions import audited
from services.conversation.actions.changes import save
from services.conversation.actions.means import Means
from services.conversation.model import tagging
from services.conversation.model.conversation import Conversation
from services.conversation.model.faults import TagNotFound
from services.conversation.store import conversations, requests, tags


async def tag_conversation(
    means: Means,
    caller: Caller,
    conversation_id: str,
    tag: str,
    *,
    request_id: str,
    expected_version: int,
) -> Conversation:
    """Give a conversation a tag, named by id, key or alias.

    A repeat, or a tag that it has, changes nothing and returns the conversation.
    Raises: ConversationNotFound, TagNotFound, VersionConflict, TooManyTagsOnConversation,
    IdempotencyKeyReused.
    """
    async with means.database.begin(caller.workspace) as transaction:
        [tag_id] = await tags.ids_of(transaction, [tag])
        before = await conversations.lock(transaction, conversation_id)
        command = f"tag {tag_id}"
        if await requests.was_done(transaction, request_id, command, conversation_id):
            return before
        living = await tags.hold(transaction, {*before.tag_ids, tag_id})
        if tag_id not in living:
            raise TagNotFound(tag)
        after = tagging.tag(before, tag_id, living=living, expected_version=expected_version)
        if after is not before:
            at = means.clock.now()
            await requests.note_done(transaction, request_id, command, conversation_id, at)
            kept = [audited.conversation_changed(before, after)]
            await audit.append(transaction, caller, audited.TAG, kept, at=at)
            await save(means, transaction, caller, before, after)
    return after


async def untag_conversation(
    means: Means,
    caller: Caller,
    conversation_id: str,
    tag: str,
    *,
    request_id: str,
    expected_version: int,
) -> Conversation:
    """Take a tag, named by id, key or alias, from a conversation.

    A repeat, or a tag that it does not have, changes nothing and returns the conversation.
    Raises: ConversationNotFound, TagNotFound, VersionConflict, IdempotencyKeyReused.
    """
    async with means.database.begin(caller.workspace) as transaction:
        [tag_id] = await tags.ids_of(transaction, [tag])
        before = await conversations.lock(transaction, conversation_id)
        command = f"untag {tag_id}"
        if await requests.was_done(transaction, request_id, command, conversation_id):
            return before
        after = tagging.untag(before, tag_id, expected_version=expected_version)
        if after is not before:
            at = means.clock.now()
            await requests.note_done(transaction, request_id, command, conversation_id, at)
            kept = [audited.conversation_changed(before, after)]
            await audit.append(transaction, caller, audited.UNTAG, kept, at=at)
            await save(means, transaction, caller, before, after)
    return after
