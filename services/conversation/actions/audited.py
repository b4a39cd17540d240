"""What the audit keeps of changes: of conversations where they lie and their tags, of tags all."""

from __future__ import annotations

from chassis.audit import Change, Fields
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.settings import InboxSettings
from services.conversation.model.tags import Tag

MOVES = {
    Folder.OPEN: "ConversationService/ReopenConversation",
    Folder.SOLVED: "ConversationService/SolveConversation",
    Folder.SPAM: "ConversationService/MoveConversation",
    Folder.ARCHIVED: "ConversationService/MoveConversation",
}
"""By where it was moved; moving it to Open or Solved is reopening and solving it."""
TAG = "ConversationService/TagConversation"
UNTAG = "ConversationService/UntagConversation"
CREATE_TAG = "TagService/CreateTag"
UPDATE_TAG = "TagService/UpdateTag"
DELETE_TAG = "TagService/DeleteTag"
UPDATE_SETTINGS = "ConversationService/UpdateInboxSettings"


def conversation_changed(before: Conversation, after: Conversation) -> Change:
    """Where a conversation lies, and what it is tagged with."""
    return Change.of("conversation", after.id, _of_conversation(before), _of_conversation(after))


def tag_changed(before: Tag | None, after: Tag) -> Change:
    """A tag, new, changed or deleted."""
    kept = None if after.is_deleted else _of_tag(after)
    return Change.of("tag", after.id, _of_tag(before) if before else None, kept)


def settings_changed(workspace_id: str, before: InboxSettings, after: InboxSettings) -> Change:
    """The workspace's choices."""
    return Change.of("inbox_settings", workspace_id, _of_settings(before), _of_settings(after))


def _of_conversation(conversation: Conversation) -> Fields:
    return {"folder": conversation.folder, "tag_ids": sorted(conversation.tag_ids)}


def _of_tag(tag: Tag) -> Fields:
    return {"key": tag.key, "display_name": tag.display_name, "color": tag.color}


def _of_settings(settings: InboxSettings) -> Fields:
    return {"reopens_on_inbound": settings.reopens_on_inbound}
