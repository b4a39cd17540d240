"""Settings of realtime."""

from __future__ import annotations

from chassis.settings import (
    Addresses,
    IdentityClientSettings,
    NatsSettings,
    ServiceSettings,
    setting,
)


class RealtimeSettings(ServiceSettings, IdentityClientSettings, NatsSettings):
    """What realtime is told by its environment."""

    assistant_address: Addresses = setting("assistant's replicas", unit="host:port list")
    conversation_address: Addresses = setting("conversation's replicas", unit="host:port list")
    messaging_address: Addresses = setting("messaging's replicas", unit="host:port list")
