"""Moving a conversation between folders."""

from __future__ import annotations

from chassis.auth import Caller
from services.conversation.actions import audited
from services.conversation.actions.changes import command
from services.conversation.actions.means import Means
from services.conversation.model import folders
from services.conversation.model.conversation import Conversation, Folder

COMMANDS = {
    Folder.OPEN: "reopen",
    Folder.SOLVED: "solve",
    Folder.SPAM: "move to spam",
    Folder.ARCHIVED: "archive",
}
"""What request ids are remembered for: a request that solves is no repeat of one that reopens."""


async def move_conversation(
    means: Means,
    caller: Caller,
    conversation_id: str,
    folder: Folder,
    *,
    request_id: str,
    expected_version: int,
    seen_inbound_count: int,
) -> Conversation:
    """Move a conversation to a folder.

    A repeat, or moving it to where it lies, changes nothing and returns it as it is.
    Raises: ConversationNotFound, VersionConflict, CustomerWroteMeanwhile, IdempotencyKeyReused.
    """

    def move(conversation: Conversation) -> Conversation:
        return folders.move(
            conversation,
            folder,
            expected_version=expected_version,
            seen_inbound_count=seen_inbound_count,
        )

    return await command(
        means,
        caller,
        COMMANDS[folder],
        conversation_id,
        request_id,
        move,
        audited_as=audited.MOVES[folder],
    )
