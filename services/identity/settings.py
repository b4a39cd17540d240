"""Identity's settings."""

from __future__ import annotations

from pydantic import AnyHttpUrl

from chassis.settings import DatabaseSettings, MasterKey, NatsSettings, ServiceSettings, setting


class Settings(ServiceSettings, DatabaseSettings, NatsSettings):
    """What identity needs."""

    master_key: MasterKey = setting(
        "wraps signing keys and makes API keys; during a change the new one first, then the old "
        "one, comma separated",
        unit="base64 of 32 bytes",
    )
    public_url: AnyHttpUrl = setting(
        "origin that browsers use; invitations point there",
        default=AnyHttpUrl("http://localhost:8080"),
        unit="URL",
    )
