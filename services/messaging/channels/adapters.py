"""Which adapter serves which kind of channel."""

from __future__ import annotations

from services.messaging.channels.calls import PlatformCalls
from services.messaging.channels.port import Channel
from services.messaging.channels.simulator import SimulatorChannel
from services.messaging.channels.web_chat import WebChatChannel
from services.messaging.model.channel import ChannelKind
from services.messaging.model.faults import ChannelKindUnsupported


class Adapters:
    """The adapters of one process, over one pool of connections."""

    def __init__(self, calls: PlatformCalls) -> None:
        self._by_kind: dict[ChannelKind, Channel] = {
            ChannelKind.SIMULATOR: SimulatorChannel(calls),
            ChannelKind.WEB_CHAT: WebChatChannel(),
        }

    def of(self, kind: ChannelKind) -> Channel:
        """The adapter of a kind. Raises: ChannelKindUnsupported."""
        adapter = self._by_kind.get(kind)
        if adapter is None:
            raise ChannelKindUnsupported(kind=kind.value)
        return adapter
