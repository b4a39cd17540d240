"""All doubles behind one address, as a gateway sees the suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from inbox.identity import v1 as identity_v1
from inbox.media import v1 as media_v1
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.service.gateway.doubles import Channels, Identity, WebChat
from tests.service.gateway.live_doubles import Messaging, Realtime
from tests.service.gateway.log_double import Log
from tests.service.gateway.media_double import Media

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Services:
    """Start, stop, start again on the same port."""

    log: Log = field(default_factory=Log)
    identity: Identity = field(default_factory=Identity)
    channels: Channels = field(default_factory=Channels)
    server: grpc.aio.Server | None = None
    address: str = ""

    def __post_init__(self) -> None:
        self.web_chat = WebChat(self.log)  # type: ignore[abstract]
        self.realtime = Realtime(self.log)
        self.media = Media()  # type: ignore[abstract]
        self.messaging = Messaging(self.log)  # type: ignore[abstract]

    async def start(self) -> None:
        self.server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        identity_v1.add_IdentityServiceServicer_to_server(self.identity, self.server)
        media_v1.add_MediaServiceServicer_to_server(self.media, self.server)
        messaging_v1.add_ChannelServiceServicer_to_server(self.channels, self.server)
        messaging_v1.add_WebChatServiceServicer_to_server(self.web_chat, self.server)
        messaging_v1.add_MessagingServiceServicer_to_server(self.messaging, self.server)
        realtime_v1.add_RealtimeServiceServicer_to_server(self.realtime, self.server)
        port = self.server.add_insecure_port(self.address or "127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        await self.server.start()

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.stop(grace=0)
            self.server = None


async def running_services() -> AsyncIterator[Services]:
    services = Services()
    await services.start()
    try:
        yield services
    finally:
        await services.stop()
