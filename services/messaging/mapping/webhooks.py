"""Dead webhooks as protobuf."""

from __future__ import annotations

from inbox.messaging import v1
from services.messaging.mapping.times import timestamp
from services.messaging.model.webhook import DeadWebhook, WebhookPart

WEBHOOK_PARTS = {part: v1.WebhookPart.Value(f"WEBHOOK_PART_{part.name}") for part in WebhookPart}


def dead_webhook_to_proto(dead: DeadWebhook) -> v1.DeadWebhook:
    """A dead webhook as the contract has it."""
    return v1.DeadWebhook(
        id=str(dead.id),
        channel_id=dead.channel_id,
        part=WEBHOOK_PARTS[dead.id.part],
        attempt_count=dead.try_count,
        last_error=dead.last_error,
        receive_time=timestamp(dead.receive_time),
        size_bytes=dead.size_bytes,
        raw=dead.raw,
    )
