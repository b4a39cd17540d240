"""What platforms told us and nobody could process."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from services.messaging.model.channel import ChannelId


class WebhookPart(enum.StrEnum):
    """Which part of a platform's call."""

    CALL = "call"
    """All of it: its items could not even be told apart."""
    ITEM = "item"
    """A customer's message, or a receipt."""


@dataclass(frozen=True, slots=True)
class DeadWebhookId:
    """Calls and items are numbered apart."""

    part: WebhookPart
    number: int

    def __str__(self) -> str:
        return f"{self.part}-{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id a text stands for. Raises: ValueError."""
        found = re.fullmatch(r"(call|item)-(\d{1,18})", text, re.ASCII)
        if found is None:
            raise ValueError(text)
        return cls(WebhookPart(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class DeadWebhook:
    """A call or an item that failed too often and waits for a person."""

    id: DeadWebhookId
    channel_id: ChannelId
    try_count: int
    last_error: str
    receive_time: datetime
    size_bytes: int
    raw: bytes = field(default=b"", repr=False)
    """Customers' words are in it: empty unless asked for."""
