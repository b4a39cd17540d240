"""The adapter for our own chat box: there is no platform but us, so nobody is called.

A message to a chat box is sent the moment it is committed (`model.message.first_status`); its
receipts come through WebChatService. This adapter answers for the few calls that any channel gets.
"""
# ruff: noqa: ARG002 - the port gives more than a box needs

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

from services.messaging.channels.port import (
    Connection,
    FoundSend,
    OutboundMessage,
    TokenCheck,
    UnknownItem,
    Uploaded,
    WebhookItem,
)
from services.messaging.model.attachment import Attachment
from services.messaging.model.connect import Credentials
from services.messaging.model.dispatch import Accepted, SendOutcome


class WebChatChannel:
    """Our own box."""

    has_lookup = False

    async def send(
        self,
        connection: Connection,
        message: OutboundMessage,
        *,
        within: timedelta,
    ) -> SendOutcome:
        """It is in the database, which is all there is to do."""
        return Accepted(message.channel_key)

    async def upload(
        self,
        connection: Connection,
        attachment: Attachment,
        parts: AsyncIterator[bytes],
        *,
        within: timedelta,
    ) -> Uploaded | SendOutcome:
        """We have the file already."""
        return Uploaded(attachment.media_id, timedelta.max)

    async def find(
        self,
        connection: Connection,
        callback_data: str,
        *,
        within: timedelta,
    ) -> FoundSend | None:
        """Nothing is ever in doubt."""
        return None

    async def check(
        self,
        connection: Connection,
        *,
        within: timedelta,
    ) -> TokenCheck:
        """A box needs no credential."""
        return TokenCheck(is_working=True)

    def is_genuine(
        self,
        credentials: Credentials,
        headers: Mapping[str, str],
        body: bytes,
    ) -> bool:
        """Nobody calls a webhook of ours for a box."""
        return False

    def read(self, body: bytes) -> list[tuple[WebhookItem, bytes]]:
        """Nothing comes this way."""
        return []

    def read_item(self, raw: bytes) -> WebhookItem:
        """Nothing comes this way."""
        return UnknownItem("", "", "a chat box has no webhooks")
