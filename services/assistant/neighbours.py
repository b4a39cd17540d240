"""The neighbours over gRPC: messaging and realtime, called as the workspace's bot.

What the AI does it does by role bot, so messaging judges it like any other bot. Identity makes the
token; it is kept until shortly before its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc

from chassis.caches import LeastRecent
from chassis.clock import Clock
from chassis.errors import TemporarilyUnavailable
from chassis.logs import log
from chassis.rpc import Channel, RemoteFault, in_workspace, remote_fault
from chassis.rpc.authentication import AUTHORIZATION
from chassis.rpc.channel import Metadata
from chassis.rpc.faults import AWAY
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from services.assistant.actions.ports import DetailRefused, History, NotOurs, NotTaken, Place
from services.assistant.mapping import MODES_FROM, REASONS, field_to, speaker_of
from services.assistant.model.turns import CollectedField, Handover, Speaker, shortened
from services.assistant.providers.port import Line

ANSWER_SECONDS = 5.0
TELL_SECONDS = 1.0
RENEW_BEFORE = timedelta(minutes=2)
TOKENS_KEPT = 5_000
NOT_OURS = frozenset({"CONVERSATION_IN_MANUAL_MODE", "MODE_EPOCH_STALE"})
SAID_ALREADY = "IDEMPOTENCY_KEY_REUSED"
TOO_LONG = "TEXT_TOO_LONG"
NOT_PROJECTED = "CONVERSATION_NOT_FOUND"
"""Conversation follows messaging by a moment."""
NOT_YET = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Beside the neighbour's absence: what may be different at the next try."""
WAITS_FOR_DISPATCH = frozenset({messaging_v1.DELIVERY_STATUS_QUEUED})


class BotTokens:
    """Asks identity for tokens of role bot."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._identity = identity_v1.IdentityServiceStub(channel)
        self._clock = clock
        self._kept: LeastRecent[tuple[str, str], tuple[Metadata, datetime]] = LeastRecent(
            TOKENS_KEPT
        )

    async def metadata(self, place: Place) -> Metadata:
        """The bot's credential in a workspace. Raises: TemporarilyUnavailable."""
        key = place.workspace_id, place.display_name
        kept = self._kept.get(key)
        if kept is not None and self._clock.now() < kept[1] - RENEW_BEFORE:
            return kept[0]
        request = identity_v1.IssueBotTokenRequest(display_name=place.display_name)
        try:
            response = await self._identity.IssueBotToken(
                request, timeout=ANSWER_SECONDS, metadata=in_workspace(place.workspace_id)
            )
        except grpc.aio.AioRpcError as error:
            log.warning("bot_token_refused", code=error.code().name)
            raise TemporarilyUnavailable(part="identity") from error
        token = response.access_token
        metadata = ((AUTHORIZATION, f"Bearer {token.token}"),)
        self._kept.put(key, (metadata, token.expire_time.ToDatetime(tzinfo=UTC)))
        return metadata

    def drop(self, place: Place) -> None:
        """A token was refused: ask for another next time."""
        self._kept.drop((place.workspace_id, place.display_name))


class _Refused(NotTaken):
    """With what messaging says about it."""

    def __init__(self, fault: RemoteFault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class GrpcMessaging:
    """Messaging; implements `actions.ports.Messaging`."""

    def __init__(self, channel: Channel, tokens: BotTokens) -> None:
        self._messaging = messaging_v1.MessagingServiceStub(channel)
        self._tokens = tokens

    async def read(self, place: Place, size: int) -> History:
        """The newest messages. Raises: NotTaken, TemporarilyUnavailable."""
        request = messaging_v1.ListMessagesRequest(
            conversation_id=place.conversation_id, page_size=size
        )
        page = await self._page(place, request)
        # Of the first page: a switch before the next one makes it stale, as it must.
        thread, lines = page.thread, _lines(page)
        while not lines and page.has_more:
            # Rows for the team may be all there is on a page.
            request.before_seq = page.messages[-1].seq
            page = await self._page(place, request)
            lines = _lines(page)
        return History(MODES_FROM[thread.mode], thread.mode_epoch, lines)

    async def _page(
        self, place: Place, request: messaging_v1.ListMessagesRequest
    ) -> messaging_v1.ListMessagesResponse:
        async with self._calling(place) as metadata:
            page: messaging_v1.ListMessagesResponse = await self._messaging.ListMessages(
                request, timeout=ANSWER_SECONDS, metadata=metadata
            )
        return page

    async def send(
        self, place: Place, *, client_message_id: str, text: str, mode_epoch: int
    ) -> str:
        """Send once. Raises: NotOurs, NotTaken, TemporarilyUnavailable."""
        request = messaging_v1.SendMessageRequest(
            conversation_id=place.conversation_id,
            client_message_id=client_message_id,
            text=text,
            mode_epoch=mode_epoch,
        )
        try:
            return await self._send(place, request)
        except _Refused as refused:
            if refused.fault.reason == SAID_ALREADY:
                return ""
            limit = refused.fault.metadata.get("max_length", "")
            if refused.fault.reason != TOO_LONG or not limit.isdecimal():
                raise
            in_bytes = refused.fault.metadata.get("unit") == "bytes"
            request.text = shortened(text, at_most=int(limit), in_bytes=in_bytes)
            return await self._send(place, request)

    async def _send(self, place: Place, request: messaging_v1.SendMessageRequest) -> str:
        async with self._calling(place) as metadata:
            response = await self._messaging.SendMessage(
                request, timeout=ANSWER_SECONDS, metadata=metadata
            )
        return response.message.id

    async def is_on_its_way(self, place: Place, message_id: str) -> bool:
        """Whether its dispatch has begun. Raises: NotTaken, TemporarilyUnavailable."""
        request = messaging_v1.GetMessageRequest(message_id=message_id)
        async with self._calling(place) as metadata:
            response = await self._messaging.GetMessage(
                request, timeout=ANSWER_SECONDS, metadata=metadata
            )
        return response.message.delivery_status not in WAITS_FOR_DISPATCH

    async def hand_over(
        self,
        place: Place,
        *,
        request_id: str,
        mode_epoch: int,
        handover: Handover,
        fields: Sequence[CollectedField],
    ) -> None:
        """Give the conversation to people. Raises: NotOurs, NotTaken, TemporarilyUnavailable."""
        request = messaging_v1.HandOverRequest(
            conversation_id=place.conversation_id,
            request_id=request_id,
            mode_epoch=mode_epoch,
            reason=REASONS[handover.reason],
            summary=handover.summary,
            fields=map(field_to, fields),
        )
        async with self._calling(place) as metadata:
            await self._messaging.HandOver(request, timeout=ANSWER_SECONDS, metadata=metadata)

    @asynccontextmanager
    async def _calling(self, place: Place) -> AsyncIterator[Metadata]:
        """The bot's credential, and messaging's refusals as the port's."""
        metadata = await self._tokens.metadata(place)
        try:
            yield metadata
        except grpc.aio.AioRpcError as error:
            code, fault = error.code(), remote_fault(error)
            # First: a stale epoch comes as ABORTED, and no further try will make it fresh.
            if fault.reason in NOT_OURS:
                raise NotOurs from None
            if code in AWAY or code in NOT_YET:
                if code is grpc.StatusCode.UNAUTHENTICATED:
                    self._tokens.drop(place)
                raise TemporarilyUnavailable(part="messaging") from error
            log.warning(
                "messaging_refused", conversation_id=place.conversation_id, reason=fault.reason
            )
            raise _Refused(fault) from None


class GrpcContacts:
    """Conversation; implements `actions.ports.Contacts`."""

    def __init__(self, channel: Channel, tokens: BotTokens) -> None:
        self._contacts = conversation_v1.ContactServiceStub(channel)
        self._tokens = tokens

    async def save_field(self, place: Place, field: CollectedField, *, request_id: str) -> None:
        """Write down a detail. Raises: DetailRefused, TemporarilyUnavailable."""
        request = conversation_v1.SetContactFieldRequest(
            source_conversation_id=place.conversation_id,
            source_seq=field.source_seq,
            request_id=request_id,
            key=field.key,
            value=field.value,
        )
        metadata = await self._tokens.metadata(place)
        try:
            await self._contacts.SetContactField(request, timeout=ANSWER_SECONDS, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            fault = remote_fault(error)
            if error.code() in AWAY | NOT_YET or fault.reason == NOT_PROJECTED:
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    self._tokens.drop(place)
                raise TemporarilyUnavailable(part="conversation") from error
            raise DetailRefused(error.details() or fault.reason) from None


class GrpcAudience:
    """Realtime; implements `actions.ports.Audience`."""

    def __init__(self, channel: Channel) -> None:
        self._realtime = realtime_v1.RealtimeServiceStub(channel)

    async def tell(self, place: Place, *, is_writing: bool) -> None:
        """Say that the AI writes, or stopped."""
        request = realtime_v1.PublishAiActivityRequest(
            conversation_id=place.conversation_id, is_writing=is_writing
        )
        try:
            await self._realtime.PublishAiActivity(
                request, timeout=TELL_SECONDS, metadata=in_workspace(place.workspace_id)
            )
        except grpc.aio.AioRpcError as error:
            # It fades by itself, and the next word comes soon.
            log.debug("ai_activity_untold", code=error.code().name)


def _lines(page: messaging_v1.ListMessagesResponse) -> tuple[Line, ...]:
    """Oldest first, without rows for the team."""
    lines = map(_line, reversed(page.messages))
    return tuple(line for line in lines if line.speaker is not Speaker.NOBODY)


def _line(message: messaging_v1.Message) -> Line:
    return Line(
        seq=message.seq,
        speaker=speaker_of(message),
        text=message.text,
        ordinal=message.inbound_ordinal,
    )
