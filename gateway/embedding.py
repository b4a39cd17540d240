"""Which sites may show a channel's chat box in a frame: asked of messaging, kept for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import grpc

from chassis.caches import LeastRecent
from chassis.logs import log
from gateway.settings import origin_of
from inbox.messaging import v1 as messaging_v1

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chassis.clock import Clock
    from gateway.upstream import Upstream

CHANNELS_KEPT = 10_000
KEPT_FOR = timedelta(seconds=30)
CALL_SECONDS = 3.0


class Embedding:
    """The lists."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._web_chat = messaging_v1.WebChatServiceStub(upstream.forwarding("messaging"))
        self._clock = clock
        self._known: LeastRecent[str, tuple[float, tuple[str, ...]]] = LeastRecent(CHANNELS_KEPT)

    async def sites(self, channel_id: str) -> tuple[str, ...]:
        """The origins; none for a channel that does not exist, which the box itself will say."""
        try:
            channel_id = str(UUID(channel_id))
        except ValueError:
            return ()
        known = self._known.get(channel_id)
        now = self._clock.monotonic()
        if known is not None and now - known[0] < KEPT_FOR.total_seconds():
            return known[1]
        try:
            answer = await self._web_chat.GetEmbedding(
                messaging_v1.GetEmbeddingRequest(channel_id=channel_id), timeout=CALL_SECONDS
            )
            sites = _usable(answer.allowed_origins)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                # The page is still good in a window of its own; a frame elsewhere has to wait.
                log.warning("embedding_unknown", channel_id=channel_id, code=error.code().name)
                return known[1] if known else ()
            sites = ()
        self._known.put(channel_id, (now, sites))
        return sites


def _usable(origins: Iterable[str]) -> tuple[str, ...]:
    """Only whole origins go into the header: a stray `;` would end the directive."""
    usable = []
    for origin in origins:
        try:
            usable.append(origin_of(origin))
        except ValueError:
            continue
    return tuple(origin for origin in usable if not set(origin) & set(" ;,'\"\\"))
