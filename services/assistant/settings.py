"""Settings of assistant."""

from __future__ import annotations

from chassis.settings import (
    Addresses,
    DatabaseSettings,
    IdentityClientSettings,
    MasterKey,
    NatsSettings,
    ServiceSettings,
    setting,
)


class AssistantServiceSettings(
    ServiceSettings, DatabaseSettings, NatsSettings, IdentityClientSettings
):
    """What assistant is told by its environment."""

    messaging_address: Addresses = setting(
        "messaging's replicas: history, sends, handovers", unit="host:port list"
    )
    conversation_address: Addresses = setting(
        "conversation's replicas: what lies in Spam, details of contacts", unit="host:port list"
    )
    realtime_address: Addresses = setting(
        "realtime's replicas, told when the AI writes", unit="host:port list"
    )
    master_key: MasterKey = setting(
        "wraps workspaces' data keys, base64 of 32 bytes; several, comma separated, the first one "
        "seals",
        unit="secret",
    )
    provider_hosts: str = setting(
        "hosts that workspaces' providers may be at, comma separated; * is any, empty is none but "
        "the offline one",
        default="",
        unit="host list",
    )
    turn_slots: int = setting(
        "turns that this process works on at the same time", default=16, unit="1"
    )
