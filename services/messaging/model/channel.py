"""Channels: what a customer writes on, and what it can carry."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NewType

from chassis.ids import WorkspaceId
from services.messaging.model.attachment import (
    MIB,
    TEXT_ONLY,
    AttachmentKind,
    AttachmentLimit,
    AttachmentLimits,
)

ChannelId = NewType("ChannelId", str)


class ChannelKind(enum.Enum):
    """The kinds of channel; values are the names in SQL and in paths."""

    WEB_CHAT = "web_chat"
    SIMULATOR = "simulator"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    TELEGRAM = "telegram"

    @property
    def is_own_platform(self) -> bool:
        """We are the platform: committing a message is what makes it sent; nobody is called."""
        return self is ChannelKind.WEB_CHAT


class ChannelState(enum.Enum):
    """Whether messages flow; values are the names in SQL."""

    CONNECTED = "connected"
    NOT_CONNECTED = "not_connected"
    RECONNECTION_NEEDED = "reconnection_needed"


class LengthUnit(enum.Enum):
    """What a length limit counts."""

    CHARACTERS = "characters"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of channel can do."""

    has_delivered_receipts: bool
    has_read_receipts: bool
    is_idempotent: bool
    max_text_length: int
    text_length_unit: LengthUnit = LengthUnit.CHARACTERS
    attachments: AttachmentLimits = TEXT_ONLY


SIMULATOR_ATTACHMENTS = AttachmentLimits(
    by_kind=(
        AttachmentLimit(AttachmentKind.IMAGE, 5 * MIB, ("image/jpeg", "image/png")),
        AttachmentLimit(AttachmentKind.VIDEO, 16 * MIB, ("video/mp4", "video/3gpp")),
        AttachmentLimit(
            AttachmentKind.AUDIO,
            16 * MIB,
            ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
            has_caption=False,
        ),
        AttachmentLimit(AttachmentKind.VOICE, 16 * MIB, ("audio/ogg",), has_caption=False),
        AttachmentLimit(AttachmentKind.DOCUMENT, 100 * MIB),
        AttachmentLimit(AttachmentKind.STICKER, MIB // 2, ("image/webp",), has_caption=False),
    ),
    # A message is one call to the platform, so that it has one outcome.
    max_count=1,
    max_caption_length=1024,
)
"""As WhatsApp has them, so that everything a real platform refuses can be tried out."""
CAPABILITIES: dict[ChannelKind, Capabilities] = {
    ChannelKind.WEB_CHAT: Capabilities(True, True, True, 4096),
    ChannelKind.SIMULATOR: Capabilities(True, True, False, 4096, attachments=SIMULATOR_ATTACHMENTS),
    ChannelKind.WHATSAPP: Capabilities(True, True, False, 4096),
    ChannelKind.MESSENGER: Capabilities(True, True, False, 2000),
    ChannelKind.INSTAGRAM: Capabilities(False, True, False, 1000, LengthUnit.BYTES),
    ChannelKind.TELEGRAM: Capabilities(False, False, False, 4096),
}
"""By kind; a simulator's settings may make it idempotent. The others carry text only, so far."""


@dataclass(frozen=True, slots=True)
class WebChatSettings:
    """Settings of a chat box."""

    allowed_origins: tuple[str, ...] = ()
    greeting: str = ""
    accent_color: str = ""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Settings of a simulator channel."""

    base_url: str = ""
    account_id: str = ""
    is_idempotent: bool = False


ChannelSettings = WebChatSettings | SimulatorSettings


@dataclass(frozen=True, slots=True)
class Channel:
    """One connection to one platform account."""

    id: ChannelId
    workspace_id: WorkspaceId
    kind: ChannelKind
    display_name: str
    state: ChannelState
    create_time: datetime
    state_time: datetime
    state_reason: str = ""
    settings: ChannelSettings | None = field(default=None)
    version: int = 1

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        by_kind = CAPABILITIES[self.kind]
        if isinstance(self.settings, SimulatorSettings) and self.settings.is_idempotent:
            return replace(by_kind, is_idempotent=True)
        return by_kind

    @property
    def webhook_path(self) -> str:
        """The path on our side that the platform calls; a chat box needs none."""
        if self.kind.is_own_platform:
            return ""
        return f"/webhooks/{self.kind.value}/{self.id}"


def with_state(channel: Channel, state: ChannelState, *, reason: str, at: datetime) -> Channel:
    """The channel in that state; the same object when it is in it already."""
    if channel.state is state:
        return channel
    return replace(
        channel,
        state=state,
        state_reason=reason,
        state_time=at,
        version=channel.version + 1,
    )


def connection_broken(channel: Channel, *, reason: str, at: datetime) -> Channel:
    """The platform refuses our credential; what a person disconnected stays disconnected."""
    if channel.state is ChannelState.NOT_CONNECTED:
        return channel
    return with_state(channel, ChannelState.RECONNECTION_NEEDED, reason=reason, at=at)
