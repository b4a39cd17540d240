"""One real gateway process, fed by make-believe services: the last hop and nothing else.

Identity takes any ticket and believes the workspace it names; realtime streams what is published
here, in frames of the size that real ones have. Both run in the load client's process, so their
time is not the gateway's.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import grpc

from bench.broadcast import Broadcast
from bench.program import running
from bench.sockets import (
    InboxSocket,
    Tally,
    connect,
    connect_groups,
    hang_up,
    some_at_a_time,
    stamped,
)
from chassis.ids import new_id, new_secret
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from inbox.realtime import v1 as realtime_v1
from services.realtime import mapping
from services.realtime.actions.gateway_stream import TICK
from services.realtime.model import Bundle, Share
from suite.infra.ports import LOOPBACK, free_port
from suite.processes import SERVICES
from suite.settings import python_environment, python_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

NAME = "gateway"
TEXT_LENGTH = 140
POSITION_LENGTH = 294
"""Three streams' names, epochs and numbers in base64."""
BODY = messaging_v1.MessageCreated(
    message=messaging_v1.Message(
        id=new_id(),
        conversation_id=new_id(),
        client_message_id=new_id(),
        author=messaging_v1.Author(id=new_id(), display_name="Ana"),
    ),
    thread=messaging_v1.Thread(
        conversation_id=new_id(), channel_id=new_id(), external_id="v_" + "x" * 32
    ),
)
STALLED_BUFFER_BYTES = 4096
BEHIND = next(service.calls for service in SERVICES if service.name == "gateway")
"""The services a gateway is told of."""
NEVER_EXPIRES = 4_000_000_000


@cache
def around_text(text_length: int) -> tuple[bytes, bytes, bytes, bytes]:
    """A frame's bytes before its position, its previous, its text, and after that."""
    frame = realtime_v1.ServerFrame(
        position="P" * POSITION_LENGTH, previous="Q" * POSITION_LENGTH, message_created=BODY
    )
    frame.message_created.message.text = "T" * text_length
    before_position, rest = frame.SerializeToString().split(b"P" * POSITION_LENGTH)
    before_previous, rest = rest.split(b"Q" * POSITION_LENGTH)
    before_text, after_text = rest.split(b"T" * text_length)
    return before_position, before_previous, before_text, after_text


class Feed:
    """What realtime has to say to the watchers of one workspace: a chain of frames."""

    def __init__(self) -> None:
        self._number = 0
        self._position = _position(0)
        self._shares: list[Share] = []

    def begin(self, share: Share) -> None:
        """A gateway watches from here on."""
        first = realtime_v1.ServerFrame(position=self._position.decode(), idle=realtime_v1.Idle())
        share.offer(_chunk(first.SerializeToString()), 1)
        self._shares.append(share)

    def publish(self, text_length: int) -> None:
        """A new message; put together by hand, for speed."""
        self._number += 1
        previous, self._position = self._position, _position(self._number)
        before_position, before_previous, before_text, after_text = around_text(text_length)
        text = stamped(text_length).encode()
        frame = b"".join(
            (before_position, self._position, before_previous, previous,
             before_text, text, after_text)
        )  # fmt: skip
        chunk = _chunk(frame)
        for share in self._shares:
            share.offer(chunk, 1)


def _chunk(frame: bytes) -> bytes:
    return realtime_v1.WatchBytes(frames=[frame]).SerializeToString()


def _position(number: int) -> bytes:
    return b"%0*d" % (POSITION_LENGTH, number)


class Identity(identity_v1.IdentityServiceServicer):
    """Every ticket is the name of a workspace; whoever shows it is a member of it."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    async def GetJwks(self, request: Any, context: Any) -> Any:
        return identity_v1.GetJwksResponse(jwks_json='{"keys": []}')

    async def ExchangeToken(self, request: Any, context: Any) -> Any:
        answer = identity_v1.ExchangeTokenResponse(
            subject=identity_v1.Subject(
                id=f"member-{next(self._numbers)}",
                workspace_id=request.ticket,
                role=policy_v1.ROLE_AGENT,
                display_name="Ana",
            ),
            credential_id=new_id(),
        )
        answer.access_token.token = new_secret()
        answer.access_token.expire_time.seconds = NEVER_EXPIRES
        return answer


class Messaging(messaging_v1.MessagingServiceServicer):
    """Nobody sends anything."""

    async def SendMessages(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            yield messaging_v1.SendMessagesResponse()


class Realtime:
    """Feeds by workspace."""

    def __init__(self) -> None:
        self.feeds: defaultdict[str, Feed] = defaultdict(Feed)

    def handler(self) -> grpc.GenericRpcHandler:
        """Its methods, with frames that are bytes already."""
        watch = grpc.stream_stream_rpc_method_handler(
            self._watch,
            request_deserializer=realtime_v1.WatchWorkspacesRequest.FromString,
            response_serializer=bytes,
        )
        presence = grpc.unary_unary_rpc_method_handler(
            self._publish_presence,
            request_deserializer=realtime_v1.PublishPresenceRequest.FromString,
            response_serializer=realtime_v1.PublishPresenceResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(
            "inbox.realtime.v1.RealtimeService",
            {"WatchWorkspaces": watch, "PublishPresence": presence},
        )

    async def _watch(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        bundle = Bundle()
        reading = asyncio.ensure_future(self._read(requests, bundle))
        try:
            while True:
                for message in mapping.bundled(await bundle.take()):
                    yield message
                await asyncio.sleep(TICK.total_seconds())
        finally:
            reading.cancel()

    async def _read(self, requests: Any, bundle: Bundle) -> None:
        async for request in requests:
            for wanted in request.begin:
                self.feeds[wanted.workspace_id].begin(Share(bundle, wanted.ref))

    async def _publish_presence(self, request: Any, context: Any) -> Any:
        return realtime_v1.PublishPresenceResponse()


class GatewayAlone:
    """The process and its make-believe services."""

    def __init__(self, pid: int, url: str, realtime: Realtime) -> None:
        self.pid = pid
        self._url = url
        self._realtime = realtime

    @asynccontextmanager
    async def listeners(
        self, workspaces: Sequence[str], *, sockets: int, text_length: int = TEXT_LENGTH
    ) -> AsyncIterator[Broadcast]:
        """So many browsers of each workspace; events with texts of this length."""
        tally = Tally()
        feeds = [self._realtime.feeds[workspace] for workspace in workspaces]
        members = await connect_groups(
            lambda group: InboxSocket(self._url, tally, workspaces[group]), len(workspaces), sockets
        )
        try:
            yield Broadcast(
                NAME, self.pid, lambda group: feeds[group].publish(text_length), members, tally
            )
        finally:
            hang_up(members)

    async def open_stalled(self, workspace: str, count: int) -> list[InboxSocket]:
        """Browsers that read nothing more once they are in."""
        stalled = await some_at_a_time(
            connect(
                InboxSocket(self._url, Tally(), workspace),
                receive_buffer_bytes=STALLED_BUFFER_BYTES,
            )
            for _ in range(count)
        )
        for client in stalled:
            client.transport.pause_reading()
        return stalled


def new_workspaces(count: int) -> list[str]:
    """Ids of workspaces that nobody has heard of."""
    return [new_id() for _ in range(count)]


@asynccontextmanager
async def gateway_alone() -> AsyncIterator[GatewayAlone]:
    """A gateway for the length of a block."""
    realtime = Realtime()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    identity_v1.add_IdentityServiceServicer_to_server(Identity(), server)  # type: ignore[abstract]
    messaging_v1.add_MessagingServiceServicer_to_server(Messaging(), server)  # type: ignore[abstract]
    server.add_generic_rpc_handlers((realtime.handler(),))
    services = f"{LOOPBACK}:{server.add_insecure_port(f'{LOOPBACK}:0')}"
    await server.start()
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    environment = python_environment() | {
        "INBOX_HTTP_LISTEN": f"{LOOPBACK}:{port}",
        "INBOX_PUBLIC_URL": url,
        "INBOX_SERVICE_KEY": f"service.{new_secret()}",
        **{f"INBOX_{service.upper()}_ADDRESS": services for service in BEHIND},
    }
    command = [python_program(), "-P", "-m", "gateway"]
    try:
        with TemporaryDirectory(prefix="inbox-gateway-") as name:
            async with running("gateway", command, Path(name), port, environment) as pid:
                yield GatewayAlone(pid, url, realtime)
    finally:
        await server.stop(grace=0)
