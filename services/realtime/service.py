"""RealtimeService: request to arguments, one action, bytes to response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from chassis.auth import Caller, Role, require_caller
from chassis.requests import parse_id, required, text
from inbox.realtime import v1 as realtime_v1
from services.realtime.actions import GatewayStream, PresenceHub, Replay, watch
from services.realtime.live import Live

SERVICE_NAME = "inbox.realtime.v1.RealtimeService"


def add_to_server(servicer: RealtimeService, server: grpc.aio.Server) -> None:
    """Register the service as generated code does, but that streams answer in bytes already."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Watch": grpc.unary_stream_rpc_method_handler(
            servicer.Watch,
            request_deserializer=realtime_v1.WatchRequest.FromString,
            response_serializer=bytes,
        ),
        "WatchWorkspaces": grpc.stream_stream_rpc_method_handler(
            servicer.WatchWorkspaces,
            request_deserializer=realtime_v1.WatchWorkspacesRequest.FromString,
            response_serializer=bytes,
        ),
        "PublishPresence": grpc.unary_unary_rpc_method_handler(
            servicer.PublishPresence,
            request_deserializer=realtime_v1.PublishPresenceRequest.FromString,
            response_serializer=realtime_v1.PublishPresenceResponse.SerializeToString,
        ),
        "PublishAiActivity": grpc.unary_unary_rpc_method_handler(
            servicer.PublishAiActivity,
            request_deserializer=realtime_v1.PublishAiActivityRequest.FromString,
            response_serializer=realtime_v1.PublishAiActivityResponse.SerializeToString,
        ),
    }
    server.add_registered_method_handlers(SERVICE_NAME, handlers)


class RealtimeService:
    """Live updates."""

    def __init__(self, live: Live, replay: Replay, presence: PresenceHub) -> None:
        self._live = live
        self._replay = replay
        self._presence = presence

    async def Watch(self, request: realtime_v1.WatchRequest, context: Any) -> AsyncGenerator[bytes]:
        """Stream what happens in the caller's workspace."""
        workspace_id = require_caller().workspace
        messages = watch(
            self._live, self._replay, workspace_id, request.position, request.until_position
        )
        async with aclosing(messages):
            async for message in messages:
                yield message

    async def WatchWorkspaces(
        self, requests: AsyncIterator[realtime_v1.WatchWorkspacesRequest], context: Any
    ) -> AsyncGenerator[bytes]:
        """Stream to a gateway what happens in the workspaces it names."""
        stream = GatewayStream(self._live, self._replay)
        async with aclosing(stream.serve(requests)) as messages:
            async for message in messages:
                yield message

    async def PublishPresence(
        self, request: realtime_v1.PublishPresenceRequest, context: Any
    ) -> realtime_v1.PublishPresenceResponse:
        """Tell colleagues where somebody is."""
        caller = require_caller()
        await self._presence.tell(caller.workspace, _frame_of(caller, request))
        return realtime_v1.PublishPresenceResponse()

    async def PublishAiActivity(
        self, request: realtime_v1.PublishAiActivityRequest, context: Any
    ) -> realtime_v1.PublishAiActivityResponse:
        """Tell people and the customer that the AI is writing, or stopped."""
        writing = realtime_v1.AiWriting(
            conversation_id=parse_id("conversation_id", request.conversation_id),
            is_writing=request.is_writing,
        )
        frame = realtime_v1.ServerFrame(ai_writing=writing)
        await self._presence.tell(require_caller().workspace, frame)
        return realtime_v1.PublishAiActivityResponse()


def _frame_of(
    caller: Caller, request: realtime_v1.PublishPresenceRequest
) -> realtime_v1.ServerFrame:
    """What watchers are told. Only forwarders speak for others. Raises: FieldInvalid."""
    is_forwarder = caller.role is Role.SERVICE
    conversation_id = request.conversation_id
    if conversation_id:
        conversation_id = parse_id("conversation_id", conversation_id)
    if is_forwarder and request.is_customer:
        required("conversation_id", conversation_id)
        typing = realtime_v1.CustomerTyping(conversation_id=conversation_id)
        return realtime_v1.ServerFrame(customer_typing=typing)
    member_id, name = caller.id, caller.display_name
    if is_forwarder:
        member_id = text("member_id", request.member_id)
        name = request.display_name and text("display_name", request.display_name)
    return realtime_v1.ServerFrame(
        presence=realtime_v1.Presence(
            member_id=member_id,
            display_name=name,
            conversation_id=conversation_id,
            is_typing=request.is_typing and bool(conversation_id) and not request.is_gone,
            is_gone=request.is_gone,
        )
    )
