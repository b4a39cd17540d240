"""Drafts: kept for whoever writes them, shown to nobody else, so no event tells of them."""

from __future__ import annotations

from collections.abc import Callable

from chassis.auth import Caller
from chassis.errors import VersionConflict
from services.conversation.actions.means import Means
from services.conversation.model import drafts as rules
from services.conversation.model.drafts import Draft
from services.conversation.store import conversations, drafts


async def save_draft(
    means: Means,
    caller: Caller,
    conversation_id: str,
    text: str,
    *,
    request_id: str,
    expected_version: int,
) -> Draft:
    """Keep what the caller has written so far. A repeat changes nothing and returns the draft.

    Raises: ConversationNotFound, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()

    def save(draft: Draft | None) -> Draft:
        return rules.saved(
            draft,
            conversation_id,
            text,
            request_id=request_id,
            expected_version=expected_version,
            at=at,
        )

    saved = await _change(means, caller, conversation_id, save)
    assert saved is not None  # noqa: S101 - there is one from the first save on
    return saved


async def delete_draft(
    means: Means, caller: Caller, conversation_id: str, *, request_id: str, expected_version: int
) -> Draft | None:
    """Delete the caller's draft, as when it was sent; None where there never was one.

    A repeat, or a draft that is deleted, changes nothing and returns what is left of it.
    Raises: ConversationNotFound, VersionConflict, IdempotencyKeyReused.
    """
    at = means.clock.now()

    def delete(draft: Draft | None) -> Draft | None:
        if draft is None:
            return None
        return rules.deleted(draft, request_id=request_id, expected_version=expected_version, at=at)

    return await _change(means, caller, conversation_id, delete)


async def _change(
    means: Means,
    caller: Caller,
    conversation_id: str,
    change: Callable[[Draft | None], Draft | None],
) -> Draft | None:
    async with means.database.begin(caller.workspace) as transaction:
        await conversations.get(transaction, conversation_id)
        before = await drafts.lock(transaction, caller.id, conversation_id)
        after = change(before)
        if after is None or after is before:
            return before
        if not await drafts.save(transaction, caller.id, after):
            begun = await drafts.get(transaction, caller.id, conversation_id)
            raise VersionConflict(after.version - 1, begun.version if begun else 0)
    return after
