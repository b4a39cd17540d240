"""Moving a conversation between folders."""

from __future__ import annotations

from dataclasses import replace

from services.conversation.model.conversation import Conversation, Folder, check_version
from services.conversation.model.faults import CustomerWroteMeanwhile
from services.conversation.model.reading import furthest_mark

SETTLED = frozenset({Folder.SOLVED, Folder.ARCHIVED})
"""Done with, until the customer writes again."""


def move(
    conversation: Conversation,
    folder: Folder,
    *,
    expected_version: int = 0,
    seen_inbound_count: int = 0,
) -> Conversation:
    """Move it to a folder; the same object comes back where it lies there.

    Raises: VersionConflict, CustomerWroteMeanwhile.
    """
    if conversation.folder is folder:
        return conversation
    check_version(conversation, expected_version)
    moved = replace(conversation, folder=folder, version=conversation.version + 1)
    if folder not in SETTLED:
        return moved
    if 0 < seen_inbound_count < conversation.inbound_count:
        raise CustomerWroteMeanwhile(seen_inbound_count, conversation.inbound_count)
    # Who settles it may have seen messages that are not projected yet; those do not reopen it.
    seen = min(max(seen_inbound_count, conversation.read_ordinal), furthest_mark(conversation))
    return replace(moved, solved_ordinal=max(conversation.inbound_count, seen))


def is_reopened(before: Conversation, after: Conversation) -> bool:
    """Whether messages that came in since it was settled open it again.

    Only the arrival of one does: an AI reply, or a row of the system's own, raises no count.
    """
    return after.folder in SETTLED and after.inbound_count > max(
        before.inbound_count, after.solved_ordinal
    )
