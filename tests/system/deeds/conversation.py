"""Where conversations lie."""

from __future__ import annotations

from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from tests.system.deeds.stage import Deed, Stage


async def solve_conversation(stage: Stage) -> None:
    await stage.to.conversation.SolveConversation(
        conversation_v1.SolveConversationRequest(
            conversation_id=stage.tenant.conversation_id, request_id=new_id()
        ),
        metadata=stage.owner,
    )


async def reopen_conversation(stage: Stage) -> None:
    await stage.to.conversation.ReopenConversation(
        conversation_v1.ReopenConversationRequest(
            conversation_id=stage.tenant.conversation_id, request_id=new_id()
        ),
        metadata=stage.owner,
    )


async def move_conversation(stage: Stage) -> None:
    await stage.to.conversation.MoveConversation(
        conversation_v1.MoveConversationRequest(
            conversation_id=stage.tenant.conversation_id,
            request_id=new_id(),
            folder=conversation_v1.FOLDER_ARCHIVED,
        ),
        metadata=stage.owner,
    )


async def create_tag(stage: Stage) -> None:
    created = await stage.to.tags.CreateTag(
        conversation_v1.CreateTagRequest(
            request_id=new_id(), display_name="Urgent", color=conversation_v1.TAG_COLOR_RED
        ),
        metadata=stage.owner,
    )
    stage.made["tag"] = created.tag.id


async def update_tag(stage: Stage) -> None:
    await stage.to.tags.UpdateTag(
        conversation_v1.UpdateTagRequest(
            tag=stage.made["tag"], request_id=new_id(), display_name="Very urgent"
        ),
        metadata=stage.owner,
    )


async def tag_conversation(stage: Stage) -> None:
    await stage.to.conversation.TagConversation(
        conversation_v1.TagConversationRequest(
            conversation_id=stage.tenant.conversation_id,
            request_id=new_id(),
            tag=stage.made["tag"],
        ),
        metadata=stage.owner,
    )


async def untag_conversation(stage: Stage) -> None:
    await stage.to.conversation.UntagConversation(
        conversation_v1.UntagConversationRequest(
            conversation_id=stage.tenant.conversation_id,
            request_id=new_id(),
            tag=stage.made["tag"],
        ),
        metadata=stage.owner,
    )


async def delete_tag(stage: Stage) -> None:
    await stage.to.tags.DeleteTag(
        conversation_v1.DeleteTagRequest(tag=stage.made["tag"], request_id=new_id()),
        metadata=stage.owner,
    )


async def assign_conversation(stage: Stage) -> None:
    await stage.to.conversation.AssignConversation(
        conversation_v1.AssignConversationRequest(
            conversation_id=stage.tenant.conversation_id,
            request_id=new_id(),
            member_id=stage.tenant.owner_id,
        ),
        metadata=stage.owner,
    )


async def update_inbox_settings(stage: Stage) -> None:
    await stage.to.conversation.UpdateInboxSettings(
        conversation_v1.UpdateInboxSettingsRequest(request_id=new_id(), reopens_on_inbound=False),
        metadata=stage.owner,
    )


DEEDS: dict[str, Deed] = {
    "ConversationService/SolveConversation": Deed(solve_conversation),
    "ConversationService/ReopenConversation": Deed(reopen_conversation),
    "ConversationService/MoveConversation": Deed(move_conversation),
    "TagService/CreateTag": Deed(create_tag),
    "TagService/UpdateTag": Deed(update_tag),
    "ConversationService/TagConversation": Deed(tag_conversation),
    "ConversationService/UntagConversation": Deed(untag_conversation),
    "TagService/DeleteTag": Deed(delete_tag),
    "ConversationService/AssignConversation": Deed(assign_conversation),
    "ConversationService/UpdateInboxSettings": Deed(update_inbox_settings),
}
"""In an order in which they can be done."""

NOT_AUDITED: dict[str, str] = {
    "ConversationService/SaveDraft": "nobody else sees what somebody began to write",
    "ConversationService/DeleteDraft": "nobody else sees what somebody began to write",
    "ConversationService/MarkRead": "a read mark is not a decision, and moves all day",
    "ConversationService/MarkUnread": "a read mark is not a decision, and moves all day",
}
