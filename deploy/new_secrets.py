"""Prints a fresh .env for docker-compose.yml: `python deploy/new_secrets.py > .env`.

Standard library only, so it runs anywhere. Keep the output: without INBOX_MASTER_KEY the stored
channel credentials and signing keys cannot be read.
"""

from __future__ import annotations

import base64
import secrets

SERVICES_WITH_DATA = ("identity", "conversation", "messaging", "media", "assistant")
ROLES = ("owner", "app", "worker")
NATS_USERS = ("identity", "conversation", "messaging", "assistant", "realtime")


def lines() -> list[str]:
    """The settings, one per line, each with a new secret."""
    names = ["POSTGRES_PASSWORD"]
    names += [
        f"INBOX_{service}_{role}_PASSWORD".upper()
        for service in SERVICES_WITH_DATA
        for role in ROLES
    ]
    names += [f"INBOX_NATS_{user}_PASSWORD".upper() for user in NATS_USERS]
    return [
        *(f"{name}={secrets.token_urlsafe(24)}" for name in names),
        f"INBOX_SERVICE_KEY=service.{secrets.token_urlsafe(32)}",
        f"INBOX_MASTER_KEY={base64.b64encode(secrets.token_bytes(32)).decode()}",
    ]


if __name__ == "__main__":
    print("\n".join(lines()))
