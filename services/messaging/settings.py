"""Settings of messaging."""

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


class MessagingSettings(ServiceSettings, DatabaseSettings, IdentityClientSettings, NatsSettings):
    """What messaging is told by its environment."""

    master_key: MasterKey = setting(
        "wraps the keys of channels' credentials; during a change the new one first, then the old "
        "one, comma separated",
        unit="base64 of 32 bytes",
    )
    media_address: Addresses = setting(
        "media's replicas, asked about files that messages carry", unit="host:port list"
    )
    public_url: str = setting(
        "origin that browsers use; its pages may always show a chat box",
        default="http://localhost:8080",
        unit="URL",
    )
    message_writers: int = setting(
        "group commits that may be under way at once; several number their events in turns",
        default=1,
        unit="1",
    )
