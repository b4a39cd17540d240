"""WebChatService: the customer's side of the chat box."""

from __future__ import annotations

from chassis import requests, tracing
from chassis.auth import require_caller
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.messaging import v1
from services.messaging.actions import history, web_chat
from services.messaging.mapping.times import timestamp
from services.messaging.mapping.visitors import message_to_visitor
from services.messaging.service.means import Means, history_range, not_negative, time_left


class WebChatService(v1.WebChatServiceServicer):
    """What the box on a business's site calls."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def GetEmbedding(
        self, request: v1.GetEmbeddingRequest, context: Context
    ) -> v1.GetEmbeddingResponse:
        """Says which sites may embed the box."""
        allowed = await web_chat.get_embedding(
            self._means.app, self._means.worker, parse_id("channel_id", request.channel_id)
        )
        return v1.GetEmbeddingResponse(allowed_origins=allowed)

    async def OpenSession(
        self, request: v1.OpenSessionRequest, context: Context
    ) -> v1.OpenSessionResponse:
        """Opens the box, for a new customer or a returning one."""
        box = await web_chat.open_session(
            self._means.app,
            self._means.worker,
            self._means.visitor_tokens,
            channel_id=parse_id("channel_id", request.channel_id),
            visitor_secret=request.visitor_secret,
            display_name=_optional_name(request.display_name),
            embedding_origin=request.embedding_origin,
            own_origins=self._means.own_origins,
        )
        return v1.OpenSessionResponse(
            visitor_secret=box.visitor_secret,
            access_token=box.token.access_token,
            expire_time=timestamp(box.token.expire_time),
            conversation_id=box.conversation_id,
            channel_display_name=box.channel_display_name,
            greeting=box.settings.greeting,
            accent_color=box.settings.accent_color,
        )

    async def PostMessage(
        self, request: v1.PostMessageRequest, context: Context
    ) -> v1.PostMessageResponse:
        """Sends a message of the customer."""
        stored = await web_chat.begin_post(
            self._means.writers,
            require_caller(),
            client_message_id=parse_id("client_message_id", request.client_message_id),
            text=request.text,
            within=time_left(context),
            traceparent=tracing.traceparent(),
        )
        return v1.PostMessageResponse(
            message=message_to_visitor(stored.message), replayed=stored.replayed
        )

    async def ListMessages(
        self, request: v1.WebChatServiceListMessagesRequest, context: Context
    ) -> v1.WebChatServiceListMessagesResponse:
        """Reads the customer's history; empty before the first message."""
        history_range(request.before_seq, request.after_seq)
        caller = require_caller()
        page = await history.read_page(
            self._means.app,
            caller.workspace,
            web_chat.visitor_of(caller).conversation_id,
            before_seq=request.before_seq,
            after_seq=request.after_seq,
            page_size=requests.page_size(request.page_size),
            is_for_customer=True,
        )
        return v1.WebChatServiceListMessagesResponse(
            messages=map(message_to_visitor, page.messages), has_more=page.has_more
        )

    async def AcknowledgeMessages(
        self, request: v1.AcknowledgeMessagesRequest, context: Context
    ) -> v1.AcknowledgeMessagesResponse:
        """Says what the box has and what was on screen."""
        await web_chat.acknowledge(
            self._means.app,
            self._means.clock,
            require_caller(),
            delivered_up_to_seq=not_negative("delivered_up_to_seq", request.delivered_up_to_seq),
            read_up_to_seq=not_negative("read_up_to_seq", request.read_up_to_seq),
            on_commit=self._means.on_commit,
        )
        return v1.AcknowledgeMessagesResponse()


def _optional_name(value: str) -> str:
    return requests.text("display_name", value) if value.strip() else ""
