"""ConversationService: requests to arguments, one action, answers to responses."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from chassis import paging, requests
from chassis.audit_log import AuditLog
from chassis.auth import require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.conversation import v1 as conversation_v1
from services.conversation import actions
from services.conversation.actions import ListQuery, Means
from services.conversation.mapping import conversation_to, folder_from, told_of
from services.conversation.store import BEFORE_ALL, Place


class ConversationService(conversation_v1.ConversationServiceServicer):
    """The shared inbox."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def ListConversations(
        self, request: conversation_v1.ListConversationsRequest, context: Context
    ) -> conversation_v1.ListConversationsResponse:
        """Lists conversations, newest activity first."""
        folder = folder_from(request.folder)
        channel_id = parse_id("channel_id", request.channel_id) if request.channel_id else None
        query = ("ListConversations", folder.value, request.unread_only, channel_id)
        position = paging.position_in(request.page_token, query, (_time_in_token, _id_in_token))
        page = await actions.list_conversations(
            self._means,
            require_caller(),
            ListQuery(
                folder=folder,
                unread_only=request.unread_only,
                channel_id=channel_id,
                page_size=requests.page_size(request.page_size),
                after=Place(*position) if position else BEFORE_ALL,
                at_least=told_of(request.position),
            ),
        )
        following = page.next_place
        return conversation_v1.ListConversationsResponse(
            conversations=map(conversation_to, page.conversations),
            next_page_token=paging.next_token(
                query, (following.last_activity_time.isoformat(), following.conversation_id)
            )
            if following
            else "",
        )

    async def GetConversation(
        self, request: conversation_v1.GetConversationRequest, context: Context
    ) -> conversation_v1.GetConversationResponse:
        """Gets one conversation."""
        conversation = await actions.get_conversation(
            self._means, require_caller(), parse_id("conversation_id", request.conversation_id)
        )
        return conversation_v1.GetConversationResponse(conversation=conversation_to(conversation))

    async def SolveConversation(
        self, request: conversation_v1.SolveConversationRequest, context: Context
    ) -> conversation_v1.SolveConversationResponse:
        """Moves a conversation to Solved."""
        conversation = await actions.solve_conversation(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            request_id=parse_id("request_id", request.request_id),
            expected_version=_not_negative("expected_version", request.expected_version),
            seen_inbound_count=_not_negative("seen_inbound_count", request.seen_inbound_count),
        )
        return conversation_v1.SolveConversationResponse(conversation=conversation_to(conversation))

    async def ReopenConversation(
        self, request: conversation_v1.ReopenConversationRequest, context: Context
    ) -> conversation_v1.ReopenConversationResponse:
        """Moves a conversation back to Open."""
        conversation = await actions.reopen_conversation(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            request_id=parse_id("request_id", request.request_id),
            expected_version=_not_negative("expected_version", request.expected_version),
        )
        return conversation_v1.ReopenConversationResponse(
            conversation=conversation_to(conversation)
        )

    async def MarkRead(
        self, request: conversation_v1.MarkReadRequest, context: Context
    ) -> conversation_v1.MarkReadResponse:
        """Raises the read mark; it never falls by this."""
        parse_id("request_id", request.request_id)
        conversation = await actions.mark_read(
            self._means,
            require_caller(),
            parse_id("conversation_id", request.conversation_id),
            _not_negative("read_ordinal", request.read_ordinal),
        )
        return conversation_v1.MarkReadResponse(conversation=conversation_to(conversation))


class ConversationAuditService(AuditLog, conversation_v1.ConversationAuditServiceServicer):
    """Who changed what in conversation."""


def _time_in_token(part: str) -> datetime:
    time = datetime.fromisoformat(part)
    if time.tzinfo is None:
        raise ValueError("not a point in time")
    return time.astimezone(UTC)


def _id_in_token(part: str) -> str:
    return str(UUID(part))


def _not_negative(field: str, value: int) -> int:
    if value < 0:
        raise FieldInvalid(field, "must not be negative")
    return value
