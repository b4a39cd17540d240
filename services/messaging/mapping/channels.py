"""Channels as protobuf."""

from __future__ import annotations

from inbox.messaging import v1
from services.messaging.mapping.attachments import limit_to_proto
from services.messaging.mapping.times import timestamp
from services.messaging.model.channel import (
    Capabilities,
    Channel,
    ChannelKind,
    ChannelSettings,
    ChannelState,
    LengthUnit,
    SimulatorSettings,
    WebChatSettings,
)
from services.messaging.model.connect import Credentials

CHANNEL_KINDS = {kind: v1.ChannelKind.Value(f"CHANNEL_KIND_{kind.name}") for kind in ChannelKind}
CHANNEL_KINDS_BACK = {number: kind for kind, number in CHANNEL_KINDS.items()}
CHANNEL_STATES = {
    state: v1.ChannelState.Value(f"CHANNEL_STATE_{state.name}") for state in ChannelState
}
LENGTH_UNITS = {unit: v1.LengthUnit.Value(f"LENGTH_UNIT_{unit.name}") for unit in LengthUnit}


def channel_to_proto(channel: Channel) -> v1.Channel:
    """A channel as the contract has it; never its credentials."""
    made = v1.Channel(
        id=channel.id,
        kind=CHANNEL_KINDS[channel.kind],
        display_name=channel.display_name,
        state=CHANNEL_STATES[channel.state],
        state_reason=channel.state_reason,
        capabilities=capabilities_to_proto(channel.capabilities),
        webhook_path=channel.webhook_path,
        create_time=timestamp(channel.create_time),
        state_time=timestamp(channel.state_time),
        version=channel.version,
    )
    settings = channel.settings
    if isinstance(settings, WebChatSettings):
        made.web_chat.CopyFrom(
            v1.WebChatSettings(
                allowed_origins=settings.allowed_origins,
                greeting=settings.greeting,
                accent_color=settings.accent_color,
            )
        )
    elif isinstance(settings, SimulatorSettings):
        made.simulator.CopyFrom(
            v1.SimulatorSettings(
                base_url=settings.base_url,
                account_id=settings.account_id,
                is_idempotent=settings.is_idempotent,
            )
        )
    return made


def capabilities_to_proto(capabilities: Capabilities) -> v1.ChannelCapabilities:
    """What a channel can do, as the contract has it."""
    return v1.ChannelCapabilities(
        has_delivered_receipts=capabilities.has_delivered_receipts,
        has_read_receipts=capabilities.has_read_receipts,
        is_idempotent=capabilities.is_idempotent,
        max_text_length=capabilities.max_text_length,
        text_length_unit=LENGTH_UNITS[capabilities.text_length_unit],
        attachment_limits=map(limit_to_proto, capabilities.attachments.by_kind),
        max_attachments=capabilities.attachments.max_count,
        max_caption_length=capabilities.attachments.max_caption_length,
    )


def settings_from_proto(
    request: v1.CreateChannelRequest | v1.UpdateChannelRequest,
) -> ChannelSettings | None:
    """The settings a request gives; None when it gives none."""
    match request.WhichOneof("settings"):
        case "web_chat":
            return WebChatSettings(
                allowed_origins=tuple(request.web_chat.allowed_origins),
                greeting=request.web_chat.greeting,
                accent_color=request.web_chat.accent_color,
            )
        case "simulator":
            return SimulatorSettings(
                base_url=request.simulator.base_url,
                account_id=request.simulator.account_id,
                is_idempotent=request.simulator.is_idempotent,
            )
    return None


def credentials_from_proto(credentials: v1.ChannelCredentials) -> Credentials:
    """What lets us in at a platform."""
    return Credentials(
        access_token=credentials.access_token,
        webhook_secret=credentials.webhook_secret,
        previous_webhook_secret=credentials.previous_webhook_secret,
    )
