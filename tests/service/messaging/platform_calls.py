"""Platforms' calls as tests make them: events in a body, signed, handed to the intake."""

from __future__ import annotations

import json
from typing import Any

from chassis.ids import new_id
from services.messaging.actions.webhooks import ingest_webhook
from services.messaging.model.channel import ChannelKind
from suite.simulator.webhooks import SIGNATURE_HEADER, sign
from tests.service.messaging.platform_desk import SECRET, PlatformDesk


def a_call(*texts: str, customer: str = "ana", **more: Any) -> bytes:
    """A customer's messages, in one call."""
    events = [
        {
            "type": "message",
            "id": f"evt-{new_id()}",
            "message_id": f"m-{new_id()}",
            "from": {"id": customer, "name": "Ana"},
            "text": {"body": text},
            "time": "2026-11-02T09:00:00.000Z",
        }
        for text in texts
    ]
    return json.dumps({"account": "shop", "events": events, **more}).encode()


async def ingest(
    desk: PlatformDesk,
    body: bytes,
    *,
    secret: str | None = SECRET,
    signature: str | None = None,
    channel_id: str = "",
    kind: ChannelKind = ChannelKind.SIMULATOR,
    method: str = "POST",
) -> bool:
    """Whether the call had come before."""
    given = signature if signature is not None else sign(secret or "", body)
    return await ingest_webhook(
        desk.intake,
        kind=kind,
        channel_id=channel_id or desk.channel.id,
        headers={SIGNATURE_HEADER.lower(): given},
        body=body,
        method=method,
    )
