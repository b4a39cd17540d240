"""AssistantService: how the AI answers, and what it did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from chassis import paging, requests
from chassis.auth import require_caller
from chassis.database import Database
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.assistant import v1
from services.assistant.actions import conversations, turns
from services.assistant.actions import settings as settings_actions
from services.assistant.actions.means import Means
from services.assistant.mapping import api_key_from, settings_news_from, settings_to, turn_to
from services.assistant.service.knowledge import id_in_token, time_in_token
from services.assistant.store.turns import Place

BEFORE_ALL = Place(datetime(9999, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")
MAX_FORGOTTEN = 200
Reach = Callable[[str, int], Awaitable[bool]]
"""Waits until a position of messaging's log is taken in; False when that takes too long."""


class AssistantService(v1.AssistantServiceServicer):
    """The AI of a workspace."""

    def __init__(self, means: Means, worker: Database, reach: Reach | None = None) -> None:
        """`means` are those of the app role; None for `reach` where nothing is taken in."""
        self._means = means
        self._worker = worker
        self._reach = reach

    async def GetAssistantSettings(
        self, request: v1.GetAssistantSettingsRequest, context: Context
    ) -> v1.GetAssistantSettingsResponse:
        """Gets how the AI behaves."""
        settings = await settings_actions.get_settings(self._means, require_caller().workspace)
        return v1.GetAssistantSettingsResponse(settings=settings_to(settings))

    async def UpdateAssistantSettings(
        self, request: v1.UpdateAssistantSettingsRequest, context: Context
    ) -> v1.UpdateAssistantSettingsResponse:
        """Changes how the AI behaves."""
        settings = await settings_actions.update_settings(
            self._means,
            require_caller(),
            settings_news_from(request),
            request_id=parse_id("request_id", request.request_id),
            api_key=api_key_from(request),
            expected_version=requests.not_negative("expected_version", request.expected_version),
        )
        return v1.UpdateAssistantSettingsResponse(settings=settings_to(settings))

    async def ListTurns(
        self, request: v1.ListTurnsRequest, context: Context
    ) -> v1.ListTurnsResponse:
        """Lists turns that ended, newest first."""
        conversation_id = request.conversation_id
        if conversation_id:
            conversation_id = parse_id("conversation_id", conversation_id)
        query = ("ListTurns", conversation_id)
        position = paging.position_in(request.page_token, query, (time_in_token, id_in_token))
        shown, following = await turns.list_turns(
            self._means,
            require_caller().workspace,
            conversation_id=conversation_id,
            after=Place(*position) if position else BEFORE_ALL,
            page_size=requests.page_size(request.page_size),
        )
        return v1.ListTurnsResponse(
            turns=map(turn_to, shown),
            next_page_token=paging.next_token(
                query, (following.end_time.isoformat(), following.turn_id)
            )
            if following
            else "",
        )

    async def ForgetConversations(
        self, request: v1.ForgetConversationsRequest, context: Context
    ) -> v1.ForgetConversationsResponse:
        """Forgets what was said in conversations."""
        parse_id("request_id", request.request_id)
        if not 1 <= len(request.conversation_ids) <= MAX_FORGOTTEN:
            raise FieldInvalid("conversation_ids", f"must be 1 to {MAX_FORGOTTEN}")
        gpos = requests.not_negative("gpos", request.gpos)
        await conversations.forget_conversations(
            self._means,
            self._worker,
            require_caller(),
            [parse_id("conversation_ids", one) for one in request.conversation_ids],
            is_taken_in=self._reach(request.log_epoch, gpos) if self._reach and gpos else None,
        )
        return v1.ForgetConversationsResponse()
