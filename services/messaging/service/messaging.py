"""MessagingService: sending, reading and who answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from chassis import requests, tracing
from chassis.auth import Caller, Role, require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.messaging import v1
from services.messaging.actions import history, mode, retry, send, settings
from services.messaging.mapping.messages import (
    HANDOVER_REASONS_BACK,
    MODES,
    MODES_BACK,
    message_to_proto,
    receipt_to_proto,
    thread_to_proto,
)
from services.messaging.model.faults import ConversationNotFound
from services.messaging.model.handover import CollectedField, HandoverReason
from services.messaging.model.message import Author, AuthorKind
from services.messaging.model.settings import MessagingSettings
from services.messaging.model.thread import ConversationMode
from services.messaging.service.attachments import attachments_of
from services.messaging.service.means import Means, history_range, not_negative, time_left
from services.messaging.service.search import search_messages
from services.messaging.service.send_stream import SendStream

SWITCHERS = {
    Role.OWNER: AuthorKind.MEMBER,
    Role.AGENT: AuthorKind.MEMBER,
    Role.BOT: AuthorKind.AI,
    Role.SERVICE: AuthorKind.SYSTEM,
}


class MessagingService(v1.MessagingServiceServicer):
    """Messages of conversations."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def SendMessage(
        self, request: v1.SendMessageRequest, context: Context
    ) -> v1.SendMessageResponse:
        """Stores a message for good and puts it on its way."""
        caller = require_caller()
        within = time_left(context)
        attachments = await attachments_of(self._means, caller, request)
        stored = await send.begin_send(
            self._means.writers,
            caller,
            conversation_id=parse_id("conversation_id", request.conversation_id),
            client_message_id=parse_id("client_message_id", request.client_message_id),
            text=request.text,
            mode_epoch=not_negative("mode_epoch", request.mode_epoch),
            within=within,
            traceparent=tracing.traceparent(),
            attachments=attachments,
        )
        return v1.SendMessageResponse(
            message=message_to_proto(stored.message), replayed=stored.replayed
        )

    async def SendMessages(
        self, request_iterator: AsyncIterator[v1.SendMessagesRequest], context: Context
    ) -> AsyncIterator[v1.SendMessagesResponse]:
        """The same for many messages, each with its own result."""
        stream = SendStream(self._means, require_caller())
        async for response in stream.serve(request_iterator):
            yield response

    async def RetryMessage(
        self, request: v1.RetryMessageRequest, context: Context
    ) -> v1.RetryMessageResponse:
        """Tries a failed message again; a repeat while it is on its way changes nothing."""
        message = await retry.retry_message(
            self._means.app,
            self._means.clock,
            require_caller(),
            message_id=parse_id("message_id", request.message_id),
            request_id=parse_id("request_id", request.request_id),
            wake=self._means.on_commit,
        )
        return v1.RetryMessageResponse(message=message_to_proto(message))

    async def GetMessage(
        self, request: v1.GetMessageRequest, context: Context
    ) -> v1.GetMessageResponse:
        """Gets one message."""
        message = await history.get_message(
            self._means.app,
            require_caller().workspace,
            parse_id("message_id", request.message_id),
        )
        return v1.GetMessageResponse(message=message_to_proto(message))

    async def ListMessages(
        self, request: v1.ListMessagesRequest, context: Context
    ) -> v1.ListMessagesResponse:
        """Reads history, newest first, by seq."""
        history_range(request.before_seq, request.after_seq)
        conversation_id = parse_id("conversation_id", request.conversation_id)
        page = await history.read_page(
            self._means.app,
            require_caller().workspace,
            conversation_id,
            before_seq=request.before_seq,
            after_seq=request.after_seq,
            page_size=requests.page_size(request.page_size),
        )
        if page.thread is None:
            raise ConversationNotFound(conversation_id=conversation_id)
        return v1.ListMessagesResponse(
            messages=map(message_to_proto, page.messages),
            has_more=page.has_more,
            thread=thread_to_proto(page.thread),
        )

    async def GetThread(
        self, request: v1.GetThreadRequest, context: Context
    ) -> v1.GetThreadResponse:
        """Gets a thread: its mode, epoch and counts."""
        thread = await history.get_thread(
            self._means.app,
            require_caller().workspace,
            parse_id("conversation_id", request.conversation_id),
        )
        return v1.GetThreadResponse(thread=thread_to_proto(thread))

    async def SetMode(self, request: v1.SetModeRequest, context: Context) -> v1.SetModeResponse:
        """Hands a conversation to the AI, or takes it over."""
        caller = require_caller()
        thread = await mode.set_mode(
            self._means.app,
            self._means.clock,
            caller.workspace,
            conversation_id=parse_id("conversation_id", request.conversation_id),
            mode=_mode_from("mode", request.mode),
            request_id=parse_id("request_id", request.request_id),
            expected_mode_epoch=not_negative("expected_mode_epoch", request.expected_mode_epoch),
            author=_switcher(caller),
            by=caller,
            on_commit=self._means.on_switch,
            keep_manual=request.keep_manual,
        )
        return v1.SetModeResponse(thread=thread_to_proto(thread))

    async def KeepManual(
        self, request: v1.KeepManualRequest, context: Context
    ) -> v1.KeepManualResponse:
        """Keeps the AI from taking over a conversation by itself, or lets it."""
        caller = require_caller()
        thread = await mode.keep_manual(
            self._means.app,
            self._means.clock,
            caller.workspace,
            conversation_id=parse_id("conversation_id", request.conversation_id),
            is_kept=request.is_kept,
            request_id=parse_id("request_id", request.request_id),
            expected_mode_epoch=not_negative("expected_mode_epoch", request.expected_mode_epoch),
            author=_switcher(caller),
            by=caller,
            on_commit=self._means.on_switch,
        )
        return v1.KeepManualResponse(thread=thread_to_proto(thread))

    async def HandOver(self, request: v1.HandOverRequest, context: Context) -> v1.HandOverResponse:
        """Gives a conversation from the AI to people."""
        caller = require_caller()
        thread = await mode.hand_over(
            self._means.app,
            self._means.clock,
            caller.workspace,
            conversation_id=parse_id("conversation_id", request.conversation_id),
            request_id=parse_id("request_id", request.request_id),
            mode_epoch=not_negative("mode_epoch", request.mode_epoch),
            reason=_reason_from(request.reason),
            summary=request.summary,
            fields=tuple(
                CollectedField(field.key, field.value, field.source_seq) for field in request.fields
            ),
            # Whichever process calls: it is the AI that hands over.
            author=Author(AuthorKind.AI, caller.id, caller.display_name),
            by=caller,
            on_commit=self._means.on_switch,
        )
        return v1.HandOverResponse(thread=thread_to_proto(thread))

    async def ListReceipts(
        self, request: v1.ListReceiptsRequest, context: Context
    ) -> v1.ListReceiptsResponse:
        """Lists everything known about a message's way."""
        receipts = await history.list_receipts(
            self._means.app,
            require_caller().workspace,
            parse_id("message_id", request.message_id),
        )
        return v1.ListReceiptsResponse(receipts=map(receipt_to_proto, receipts))

    async def GetMessagingSettings(
        self, request: v1.GetMessagingSettingsRequest, context: Context
    ) -> v1.GetMessagingSettingsResponse:
        """Gets the workspace's messaging settings."""
        present = await settings.get_settings(self._means.app, require_caller().workspace)
        return v1.GetMessagingSettingsResponse(settings=_settings_to_proto(present))

    async def UpdateMessagingSettings(
        self, request: v1.UpdateMessagingSettingsRequest, context: Context
    ) -> v1.UpdateMessagingSettingsResponse:
        """Changes the workspace's messaging settings."""
        wanted = request.default_mode
        changed = await settings.update_settings(
            self._means.app,
            self._means.clock,
            require_caller(),
            default_mode=_mode_from("default_mode", wanted) if wanted else None,
            resume_ai_after=(
                _span_from(request.resume_ai_after) if request.HasField("resume_ai_after") else None
            ),
            expected_version=not_negative("expected_version", request.expected_version),
        )
        return v1.UpdateMessagingSettingsResponse(settings=_settings_to_proto(changed))

    async def SearchMessages(
        self, request: v1.SearchMessagesRequest, context: Context
    ) -> v1.SearchMessagesResponse:
        """Finds messages by what they say."""
        return await search_messages(self._means, require_caller(), request)


def _switcher(caller: Caller) -> Author:
    return Author(SWITCHERS[caller.role], caller.id, caller.display_name)


def _mode_from(field: str, value: v1.ConversationMode.ValueType) -> ConversationMode:
    mode_wanted = MODES_BACK.get(value)
    if mode_wanted is None:
        raise FieldInvalid(field=field, rule="must be CONVERSATION_MODE_AI or …_MANUAL")
    return mode_wanted


def _reason_from(value: v1.HandoverReason.ValueType) -> HandoverReason:
    reason = HANDOVER_REASONS_BACK.get(value)
    if reason is None:
        raise FieldInvalid(field="reason", rule="must be one of the reasons")
    return reason


def _span_from(value: Duration) -> timedelta:
    try:
        return value.ToTimedelta()
    except (ValueError, OverflowError):
        raise FieldInvalid(field="resume_ai_after", rule="must be a span of time") from None


def _settings_to_proto(present: MessagingSettings) -> v1.MessagingSettings:
    resume_ai_after = Duration()
    resume_ai_after.FromTimedelta(present.resume_ai_after)
    return v1.MessagingSettings(
        default_mode=MODES[present.default_mode],
        version=present.version,
        resume_ai_after=resume_ai_after,
    )
