"""Channels as protobuf."""

from __future__ import annotations

from inbox.messaging import v1
from services.messaging.mapping.times import timestamp
from services.messaging.model.channel import (
    Capabilities,
    Channel,
    ChannelKind,
    ChannelState,
    LengthUnit,
    SimulatorSettings,
    WebChatSettings,
)

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
    )
