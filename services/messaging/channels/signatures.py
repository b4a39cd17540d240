"""Signatures of webhooks: HMAC-SHA256 over the raw body, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac

from services.messaging.model.connect import Credentials

PREFIX = "sha256="


def is_signed(credentials: Credentials, signature: str, body: bytes) -> bool:
    """Whether either of the channel's secrets made the signature.

    Both are always tried, so the time tells nobody which one matched. An empty secret signs
    nothing: a channel without one takes no webhooks.
    """
    given = signature.removeprefix(PREFIX).encode()
    is_any = False
    for secret in (credentials.webhook_secret, credentials.previous_webhook_secret):
        wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        is_any |= hmac.compare_digest(wanted, given) and bool(secret)
    return is_any and signature.startswith(PREFIX)
