"""Moving a conversation between folders."""

from __future__ import annotations

from dataclasses import replace

from services.conversation.model.conversation import Conversation, Folder, check_version
from services.conversation.model.faults import CustomerWroteMeanwhile
from services.conversation.model.reading import furthest_mark


def solve(
    conversation: Conversation, *, expected_version: int = 0, seen_inbound_count: int = 0
) -> Conversation:
    """Move it to Solved; the same object comes back where nothing changes.

    Raises: VersionConflict, CustomerWroteMeanwhile.
    """
    if conversation.folder is Folder.SOLVED:
        return conversation
    check_version(conversation, expected_version)
    if 0 < seen_inbound_count < conversation.inbound_count:
        raise CustomerWroteMeanwhile(seen_inbound_count, conversation.inbound_count)
    # Who solves may have seen messages that are not projected yet; those do not reopen it.
    seen = min(max(seen_inbound_count, conversation.read_ordinal), furthest_mark(conversation))
    return replace(
        conversation,
        folder=Folder.SOLVED,
        solved_ordinal=max(conversation.inbound_count, seen),
        version=conversation.version + 1,
    )


def reopen(conversation: Conversation, *, expected_version: int = 0) -> Conversation:
    """Move it to Open; the same object comes back where nothing changes.

    Raises: VersionConflict.
    """
    if conversation.folder is Folder.OPEN:
        return conversation
    check_version(conversation, expected_version)
    return replace(conversation, folder=Folder.OPEN, version=conversation.version + 1)
