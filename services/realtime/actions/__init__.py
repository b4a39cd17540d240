"""What realtime can do: have a workspace watched, and tell who is there."""

from services.realtime.actions.gateway_stream import GatewayStream
from services.realtime.actions.presence import PresenceHub
from services.realtime.actions.replay import CannotReplay, Replay
from services.realtime.actions.watching import watch

__all__ = ["CannotReplay", "GatewayStream", "PresenceHub", "Replay", "watch"]
