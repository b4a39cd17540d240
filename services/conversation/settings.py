"""Settings of conversation."""

from __future__ import annotations

from chassis.settings import (
    Addresses,
    DatabaseSettings,
    IdentityClientSettings,
    NatsSettings,
    ServiceSettings,
    setting,
)


class ConversationSettings(ServiceSettings, DatabaseSettings, NatsSettings, IdentityClientSettings):
    """What conversation is told by its environment."""

    messaging_address: Addresses = setting(
        "messaging's replicas, asked for what its stream does not have", unit="host:port list"
    )
    assistant_address: Addresses = setting(
        "assistant's replicas, told whom to forget", unit="host:port list"
    )
