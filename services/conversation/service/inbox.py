"""ConversationService: the inbox list, folders, read marks, tags, assignment, drafts, counters."""

from __future__ import annotations

from dataclasses import replace

from chassis import paging, requests
from chassis.auth import require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.requests import required
from chassis.rpc import Context
from inbox.conversation import v1 as conversation_v1
from services.conversation.actions import (
    assigning,
    counters,
    drafts,
    folders,
    inbox,
    reading,
    settings,
    tagging,
)
from services.conversation.actions.inbox import ListQuery
from services.conversation.actions.means import Means
from services.conversation.mapping import (
    channel_kind_from,
    conversation_to,
    counter_to,
    destination_from,
    draft_to,
    folder_from,
    seen_by_to,
    settings_to,
    told_of,
)
from services.conversation.mapping.times import time_to
from services.conversation.model.conversation import Folder
from services.conversation.model.drafts import MAX_DRAFT_CHARACTERS
from services.conversation.model.tags import PRIORITY
from services.conversation.service.fields import (
    id_in_token,
    not_negative,
    tag_name,
    time_in_token,
)
from services.conversation.store.listing import Place

MAX_TAGS_IN_FILTER = 5
ME, NOBODY = "me", "nobody"
"""As the assignee in a filter, beside members' ids."""
Move = (
    conversation_v1.SolveConversationRequest
    | conversation_v1.ReopenConversationRequest
    | conversation_v1.MoveConversationRequest
)


class ConversationService(conversation_v1.ConversationServiceServicer):
    """The shared inbox."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def ListConversations(
        self, request: conversation_v1.ListConversationsRequest, context: Context
    ) -> conversation_v1.ListConversationsResponse:
        """Lists conversations, newest activity first."""
        query = ListQuery(
            page_size=requests.page_size(request.page_size),
            folder=folder_from(request.folder),
            unread_only=request.unread_only,
            channel_id=parse_id("channel_id", request.channel_id) if request.channel_id else None,
            channel_kind=channel_kind_from(request.channel_kind),
            tags=_tags_in(request),
            waiting_only=request.waiting_only,
            assignee_id=_assignee_in(request),
            unassigned_only=request.assignee == NOBODY,
            at_least=told_of(request.position),
        )
        filters = (
            "ListConversations",
            query.folder.value,
            query.unread_only,
            query.channel_id,
            query.channel_kind and query.channel_kind.value,
            query.waiting_only,
            query.unassigned_only,
            query.assignee_id,
            *query.tags,
        )
        position = paging.position_in(request.page_token, filters, (time_in_token, id_in_token))
        if position:
            query = replace(query, after=Place(*position))
        page = await inbox.list_conversations(self._means, require_caller(), query)
        following = page.next_place
        return conversation_v1.ListConversationsResponse(
            conversations=map(conversation_to, page.conversations),
            next_page_token=paging.next_token(
                filters, (following.last_activity_time.isoformat(), following.conversation_id)
            )
            if following
            else "",
            drafted_conversation_ids=sorted(page.drafted),
            frontier_time=time_to(following.last_activity_time) if following else None,
            frontier_conversation_id=following.conversation_id if following else "",
        )

    async def GetConversation(
        self, request: conversation_v1.GetConversationRequest, context: Context
    ) -> conversation_v1.GetConversationResponse:
        """Gets one conversation."""
        opened = await inbox.get_conversation(
            self._means, require_caller(), parse_id("conversation_id", request.conversation_id)
        )
        return conversation_v1.GetConversationResponse(
            conversation=conversation_to(opened.conversation),
            seen_by=map(seen_by_to, opened.seen_by),
            draft=draft_to(opened.draft) if opened.draft else None,
        )

    async def SolveConversation(
        self, request: conversation_v1.SolveConversationRequest, context: Context
    ) -> conversation_v1.SolveConversationResponse:
        """Moves a conversation to Solved."""
        conversation = await self._move(request, Folder.SOLVED, request.seen_inbound_count)
        return conversation_v1.SolveConversationResponse(conversation=conversation)

    async def ReopenConversation(
        self, request: conversation_v1.ReopenConversationRequest, context: Context
    ) -> conversation_v1.ReopenConversationResponse:
        """Moves a conversation back to Open."""
        conversation = await self._move(request, Folder.OPEN, 0)
        return conversation_v1.ReopenConversationResponse(conversation=conversation)

    async def MoveConversation(
        self, request: conversation_v1.MoveConversationRequest, context: Context
    ) -> conversation_v1.MoveConversationResponse:
        """Moves a conversation to any folder."""
        folder = destination_from(request.folder)
        conversation = await self._move(request, folder, request.seen_inbound_count)
        return conversation_v1.MoveConversationResponse(conversation=conversation)

    async def TagConversation(
        self, request: conversation_v1.TagConversationRequest, context: Context
    ) -> conversation_v1.TagConversationResponse:
        """Gives a conversation a tag, or the star."""
        conversation = await tagging.tag_conversation(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            tag_name(request.tag),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.TagConversationResponse(conversation=conversation_to(conversation))

    async def UntagConversation(
        self, request: conversation_v1.UntagConversationRequest, context: Context
    ) -> conversation_v1.UntagConversationResponse:
        """Takes a tag, or the star, from a conversation."""
        conversation = await tagging.untag_conversation(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            tag_name(request.tag),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.UntagConversationResponse(conversation=conversation_to(conversation))

    async def AssignConversation(
        self, request: conversation_v1.AssignConversationRequest, context: Context
    ) -> conversation_v1.AssignConversationResponse:
        """Assigns a conversation to a member, or to nobody."""
        conversation = await assigning.assign_conversation(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            parse_id("member_id", request.member_id) if request.member_id else None,
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.AssignConversationResponse(
            conversation=conversation_to(conversation)
        )

    async def SaveDraft(
        self, request: conversation_v1.SaveDraftRequest, context: Context
    ) -> conversation_v1.SaveDraftResponse:
        """Keeps what the caller has written so far, for them alone."""
        draft = await drafts.save_draft(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            _draft_text(request.text),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.SaveDraftResponse(draft=draft_to(draft))

    async def DeleteDraft(
        self, request: conversation_v1.DeleteDraftRequest, context: Context
    ) -> conversation_v1.DeleteDraftResponse:
        """Deletes the caller's draft."""
        draft = await drafts.delete_draft(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.DeleteDraftResponse(draft=draft_to(draft) if draft else None)

    async def MarkRead(
        self, request: conversation_v1.MarkReadRequest, context: Context
    ) -> conversation_v1.MarkReadResponse:
        """Raises the read mark; it never falls by this."""
        parse_id("request_id", request.request_id)
        conversation = await reading.mark_read(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            not_negative("read_ordinal", request.read_ordinal),
        )
        return conversation_v1.MarkReadResponse(conversation=conversation_to(conversation))

    async def MarkUnread(
        self, request: conversation_v1.MarkUnreadRequest, context: Context
    ) -> conversation_v1.MarkUnreadResponse:
        """Lowers the read mark, so that messages are unread again."""
        conversation = await reading.mark_unread(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            _positive("from_ordinal", request.from_ordinal),
            request_id=parse_id("request_id", request.request_id),
            expected_version=_positive("expected_version", request.expected_version),
        )
        return conversation_v1.MarkUnreadResponse(conversation=conversation_to(conversation))

    async def GetCounters(
        self, request: conversation_v1.GetCountersRequest, context: Context
    ) -> conversation_v1.GetCountersResponse:
        """Gets the workspace's counters."""
        found = await counters.get_counters(self._means, require_caller())
        return conversation_v1.GetCountersResponse(counters=map(counter_to, found))

    async def GetInboxSettings(
        self, request: conversation_v1.GetInboxSettingsRequest, context: Context
    ) -> conversation_v1.GetInboxSettingsResponse:
        """Gets the workspace's inbox settings."""
        found = await settings.get_settings(self._means, require_caller())
        return conversation_v1.GetInboxSettingsResponse(settings=settings_to(found))

    async def UpdateInboxSettings(
        self, request: conversation_v1.UpdateInboxSettingsRequest, context: Context
    ) -> conversation_v1.UpdateInboxSettingsResponse:
        """Changes the workspace's inbox settings."""
        is_given = request.HasField("reopens_on_inbound")
        changed = await settings.update_settings(
            self._means,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            reopens_on_inbound=request.reopens_on_inbound if is_given else None,
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.UpdateInboxSettingsResponse(settings=settings_to(changed))

    async def _move(
        self, request: Move, folder: Folder, seen_inbound_count: int
    ) -> conversation_v1.Conversation:
        conversation = await folders.move_conversation(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            folder,
            request_id=parse_id("request_id", request.request_id),
            expected_version=not_negative("expected_version", request.expected_version),
            seen_inbound_count=not_negative("seen_inbound_count", seen_inbound_count),
        )
        return conversation_to(conversation)


def _tags_in(request: conversation_v1.ListConversationsRequest) -> tuple[str, ...]:
    """The tags a list is filtered by, each as it is named. Raises: FieldInvalid."""
    if len(request.tags) > MAX_TAGS_IN_FILTER:
        raise FieldInvalid("tags", f"must be at most {MAX_TAGS_IN_FILTER}")
    named = set(map(tag_name, request.tags))
    return tuple(sorted(named | {PRIORITY.key} if request.priority_only else named))


def _assignee_in(request: conversation_v1.ListConversationsRequest) -> str | None:
    """The member whose conversations are listed, if any. Raises: FieldInvalid."""
    if request.assignee in ("", NOBODY):
        return None
    if request.assignee == ME:
        return require_caller().id
    return parse_id("assignee", request.assignee)


def _draft_text(value: str) -> str:
    """What is written so far, with all its spaces. Raises: FieldInvalid."""
    if len(required("text", value)) > MAX_DRAFT_CHARACTERS:
        raise FieldInvalid("text", f"must have at most {MAX_DRAFT_CHARACTERS} characters")
    return value


def _positive(field: str, value: int) -> int:
    if value < 1:
        raise FieldInvalid(field, "must be at least 1")
    return value
