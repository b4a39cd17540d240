"""The port to a platform: what any kind of channel must be able to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.messaging.model.attachment import Attachment
from services.messaging.model.channel import ChannelSettings
from services.messaging.model.connect import Credentials
from services.messaging.model.delivery import DeliveryStatus, Failure
from services.messaging.model.dispatch import SendOutcome
from services.messaging.model.special import Special


@dataclass(frozen=True, slots=True)
class Connection:
    """One channel as its adapter sees it."""

    settings: ChannelSettings | None
    credentials: Credentials
    is_idempotent: bool


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to hand over."""

    recipient: str
    text: str
    channel_key: str
    """The same for every attempt of a message: an idempotent platform drops a repeat by it."""
    callback_data: str
    """Comes back in statuses, so that even an unanswered call can be told apart."""
    attachment: Attachment | None = None
    """The file it carries; the text is its caption."""
    platform_media_id: str = ""
    """What the platform calls that file."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A platform has a file."""

    platform_media_id: str
    kept_for: timedelta


@dataclass(frozen=True, slots=True)
class InboundText:
    """A customer's message, as a webhook told of it."""

    dedupe_key: str
    external_id: str
    customer_name: str
    platform_message_id: str
    text: str
    platform_time: datetime | None
    special: Special | None = None
    """What it is when it is no text; the text then says the same in words."""


@dataclass(frozen=True, slots=True)
class EchoedText:
    """A message of the business, as its platform tells of it again."""

    dedupe_key: str
    external_id: str
    platform_message_id: str
    callback_data: str
    text: str
    platform_time: datetime | None
    is_ours: bool
    """It was sent through our credential, and not from the platform's own app."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A platform's word about one of our messages."""

    dedupe_key: str
    external_id: str
    platform_message_id: str
    callback_data: str
    status: DeliveryStatus
    failure: Failure | None
    platform_time: datetime | None


@dataclass(frozen=True, slots=True)
class WatermarkReport:
    """A platform's word that everything up to a time was delivered or read."""

    dedupe_key: str
    external_id: str
    status: DeliveryStatus
    up_to: datetime


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """Something a platform sent that we do not understand; kept, never in the way of others."""

    dedupe_key: str
    external_id: str
    reason: str


WebhookItem = InboundText | EchoedText | StatusReport | WatermarkReport | UnknownItem


@dataclass(frozen=True, slots=True)
class FoundSend:
    """What a look-up says about a send whose answer never came."""

    platform_message_id: str
    status: DeliveryStatus
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What the platform says to our credential."""

    is_working: bool
    is_refused: bool = False
    """It was refused, as opposed to: nobody answered."""
    detail: str = ""


class Channel(Protocol):
    """An adapter for one kind of channel. It holds no state of any one channel."""

    @property
    def has_lookup(self) -> bool:
        """Whether the platform can be asked what became of a send."""
        ...

    async def send(
        self, connection: Connection, message: OutboundMessage, *, within: timedelta
    ) -> SendOutcome:
        """Hand a message over. Never raises for anything the platform or the network does."""
        ...

    async def upload(
        self,
        connection: Connection,
        attachment: Attachment,
        parts: AsyncIterator[bytes],
        *,
        within: timedelta,
    ) -> Uploaded | SendOutcome:
        """Give the platform a file that a message will name; nobody sees anything yet.

        Never raises for what the platform or the network does; parts that end too early are NotSent
        or Ambiguous.
        """
        ...

    async def find(
        self, connection: Connection, callback_data: str, *, within: timedelta
    ) -> FoundSend | None:
        """What became of a send; None when the platform does not know, or does not answer."""
        ...

    async def check(self, connection: Connection, *, within: timedelta) -> TokenCheck:
        """Whether our credential works."""
        ...

    def is_genuine(self, credentials: Credentials, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a webhook call was signed with one of the channel's secrets."""
        ...

    def read(self, body: bytes) -> list[tuple[WebhookItem, bytes]]:
        """The items of a webhook call with their raw form, each isolated from the others.

        What cannot be read is an UnknownItem.
        """
        ...

    def read_item(self, raw: bytes) -> WebhookItem:
        """One item again, from its raw form."""
        ...
