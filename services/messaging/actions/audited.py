"""What the audit keeps of channels, conversations and settings: never a credential itself."""

from __future__ import annotations

from dataclasses import asdict, fields

from chassis.audit import WITHHELD, Change, Fields
from services.messaging.model.channel import Channel
from services.messaging.model.connect import Credentials
from services.messaging.model.message import Message
from services.messaging.model.settings import MessagingSettings
from services.messaging.model.thread import Thread
from services.messaging.model.webhook import DeadWebhookId


def channel_changed(
    before: Channel | None, after: Channel, credentials: Credentials | None = None
) -> Change:
    """A channel, new or changed; of credentials only that they were given."""
    earlier = None if before is None else _of_channel(before)
    # A channel of our own platform has no use for credentials and keeps none.
    given = {} if credentials is None or after.kind.is_own_platform else _of(credentials)
    return Change.of("channel", after.id, earlier, {**_of_channel(after), **given})


def mode_switched(before: Thread, after: Thread) -> Change:
    """Somebody else answers in a conversation."""
    return Change.of("conversation", after.conversation_id, _of_mode(before), _of_mode(after))


def message_retried(before: Message, after: Message) -> Change:
    """A failed message is tried again."""
    return Change.of("message", after.id, _of_delivery(before), _of_delivery(after))


def webhook_redriven(webhook_id: DeadWebhookId) -> Change:
    """A dead webhook is tried again; what the platform said in it is not kept here."""
    return Change.of("webhook", str(webhook_id), {"state": "dead"}, {"state": "waiting"})


def settings_changed(
    workspace_id: str, before: MessagingSettings, after: MessagingSettings
) -> Change:
    """The workspace's messaging settings."""
    return Change.of("messaging_settings", workspace_id, _of_settings(before), _of_settings(after))


def _of_channel(channel: Channel) -> Fields:
    settings = {} if channel.settings is None else asdict(channel.settings)
    return {
        "kind": channel.kind,
        "display_name": channel.display_name,
        "state": channel.state,
        "state_reason": channel.state_reason,
        **{f"settings.{name}": value for name, value in settings.items()},
    }


def _of(credentials: Credentials) -> Fields:
    given = [field.name for field in fields(credentials) if getattr(credentials, field.name)]
    return {f"credentials.{name}": WITHHELD for name in given}


def _of_mode(thread: Thread) -> Fields:
    return {
        "mode": thread.mode,
        "mode_epoch": thread.mode_epoch,
        "is_manual_kept": thread.is_manual_kept,
        "held_by": None if thread.hold is None else thread.hold.member_id,
        "handover_reason": None if thread.handover is None else thread.handover.reason,
    }


def _of_delivery(message: Message) -> Fields:
    status = message.delivery_status
    return {"delivery_status": None if status is None else status.name.lower()}


def _of_settings(settings: MessagingSettings) -> Fields:
    return {
        "default_mode": settings.default_mode,
        "resume_ai_after_seconds": settings.resume_ai_after.total_seconds(),
    }
