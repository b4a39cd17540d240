"""Giving conversations tags and taking them away; the star is one of them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from services.conversation.model.conversation import Conversation, check_version
from services.conversation.model.faults import TooManyTagsOnConversation

MAX_TAGS_ON_CONVERSATION = 20


def tag(
    conversation: Conversation, tag_id: str, *, living: AbstractSet[str], expected_version: int = 0
) -> Conversation:
    """Give it a tag; the same object comes back where it has it.

    `living` are those of its tags that were not deleted: the others go in passing.
    Raises: VersionConflict, TooManyTagsOnConversation.
    """
    if tag_id in conversation.tag_ids:
        return conversation
    check_version(conversation, expected_version)
    kept = [known for known in conversation.tag_ids if known in living]
    if len(kept) >= MAX_TAGS_ON_CONVERSATION:
        raise TooManyTagsOnConversation(MAX_TAGS_ON_CONVERSATION)
    return replace(
        conversation,
        tag_ids=tuple(sorted({*kept, tag_id})),
        version=conversation.version + 1,
    )


def untag(conversation: Conversation, tag_id: str, *, expected_version: int = 0) -> Conversation:
    """Take a tag away; the same object comes back where it does not have it.

    Raises: VersionConflict.
    """
    if tag_id not in conversation.tag_ids:
        return conversation
    check_version(conversation, expected_version)
    return replace(
        conversation,
        tag_ids=tuple(known for known in conversation.tag_ids if known != tag_id),
        version=conversation.version + 1,
    )
