"""TagService: the workspace's tags."""

from __future__ import annotations

from chassis.auth import require_caller
from chassis.ids import parse_id
from chassis.requests import text
from chassis.rpc import Context
from inbox.conversation import v1 as conversation_v1
from services.conversation.actions import tags
from services.conversation.actions.means import Means
from services.conversation.mapping import color_from, tag_to
from services.conversation.model.tags import MAX_TAG_CHARACTERS, TagColor
from services.conversation.service.fields import not_negative, tag_name


class TagService(conversation_v1.TagServiceServicer):
    """The workspace's tags."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def ListTags(
        self, request: conversation_v1.ListTagsRequest, context: Context
    ) -> conversation_v1.ListTagsResponse:
        """Lists the workspace's tags."""
        found = await tags.list_tags(self._means, require_caller())
        return conversation_v1.ListTagsResponse(tags=map(tag_to, found))

    async def CreateTag(
        self, request: conversation_v1.CreateTagRequest, context: Context
    ) -> conversation_v1.CreateTagResponse:
        """Creates a tag."""
        tag = await tags.create_tag(
            self._means,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            display_name=_name(request.display_name),
            color=color_from(request.color) or TagColor.GRAY,
            key=request.key,
        )
        return conversation_v1.CreateTagResponse(tag=tag_to(tag))

    async def UpdateTag(
        self, request: conversation_v1.UpdateTagRequest, context: Context
    ) -> conversation_v1.UpdateTagResponse:
        """Renames a tag or gives it another color."""
        tag = await tags.update_tag(
            self._means,
            require_caller(),
            tag_name(request.tag),
            request_id=parse_id("request_id", request.request_id),
            display_name=_name(request.display_name) if request.display_name else None,
            color=color_from(request.color),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.UpdateTagResponse(tag=tag_to(tag))

    async def DeleteTag(
        self, request: conversation_v1.DeleteTagRequest, context: Context
    ) -> conversation_v1.DeleteTagResponse:
        """Deletes a tag, however many conversations have it."""
        tag = await tags.delete_tag(
            self._means,
            require_caller(),
            tag_name(request.tag),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.DeleteTagResponse(tag=tag_to(tag))


def _name(value: str) -> str:
    return text("display_name", value, at_most=MAX_TAG_CHARACTERS)
