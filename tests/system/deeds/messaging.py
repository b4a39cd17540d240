"""Channels, modes, settings, retries."""

from __future__ import annotations

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1 as messaging_v1
from tests.system.deeds.stage import API_KEY, Deed, Stage

PLATFORM_TOKEN = "secret-token-of-the-platform"

# What a platform's refusal would have written, by hand: no platform is part of these tests.
FAIL_MESSAGE = """
UPDATE messages SET delivery_status = 'reported_failed', failure_reason = 'platform_error',
    failure_platform_code = '', failure_is_retryable = true, failure_may_have_arrived = false
WHERE id = $1
"""
FAIL_ATTEMPT = """
UPDATE attempts SET delivery_status = 'reported_failed', is_open = false,
    failure_reason = 'platform_error', failure_platform_code = '', failure_is_retryable = true,
    failure_may_have_arrived = false
WHERE message_id = $1
"""
ADD_DEAD_WEBHOOK = """
INSERT INTO webhook_items (workspace_id, channel_id, inbox_id, dedupe_key, contact_key, raw, state,
    receive_time)
SELECT workspace_id, id, 1, 'dead', '', '', 'dead', now() FROM channels WHERE id = $1
"""
BREAK_CONNECTION = "UPDATE channels SET state = 'reconnection_needed' WHERE id = $1"


async def create_channel(stage: Stage) -> None:
    created = await stage.to.channels.CreateChannel(
        messaging_v1.CreateChannelRequest(
            request_id=new_id(),
            kind=messaging_v1.CHANNEL_KIND_SIMULATOR,
            display_name="Simulator",
            simulator=messaging_v1.SimulatorSettings(
                base_url="http://127.0.0.1:9", account_id="shop"
            ),
            credentials=messaging_v1.ChannelCredentials(access_token=PLATFORM_TOKEN),
        ),
        metadata=stage.owner,
    )
    stage.secrets.append(PLATFORM_TOKEN)
    stage.made["channel"] = created.channel.id


async def update_channel(stage: Stage) -> None:
    fresh = f"{PLATFORM_TOKEN}-2"
    await stage.to.channels.UpdateChannel(
        messaging_v1.UpdateChannelRequest(
            channel_id=stage.made["channel"],
            credentials=messaging_v1.ChannelCredentials(access_token=fresh, webhook_secret=fresh),
        ),
        metadata=stage.tenant.owner_key,
    )


async def disconnect_channel(stage: Stage) -> None:
    await stage.to.channels.DisconnectChannel(
        messaging_v1.DisconnectChannelRequest(channel_id=stage.made["channel"]),
        metadata=stage.owner,
    )


async def try_channel(stage: Stage) -> None:
    await stage.write("messaging", BREAK_CONNECTION, row_id=stage.tenant.channel_id)
    await stage.to.channels.TestChannel(
        messaging_v1.TestChannelRequest(channel_id=stage.tenant.channel_id), metadata=stage.owner
    )


async def redrive_webhooks(stage: Stage) -> None:
    await stage.write("messaging", ADD_DEAD_WEBHOOK, row_id=stage.tenant.channel_id)
    await stage.to.channels.RedriveWebhooks(
        messaging_v1.RedriveWebhooksRequest(request_id=new_id()), metadata=stage.owner
    )


async def retry_message(stage: Stage) -> None:
    await stage.write("messaging", FAIL_MESSAGE, FAIL_ATTEMPT, row_id=stage.tenant.outbound_id)
    await stage.to.messaging.RetryMessage(
        messaging_v1.RetryMessageRequest(message_id=stage.tenant.outbound_id, request_id=new_id()),
        metadata=stage.owner,
    )


async def keep_manual(stage: Stage) -> None:
    """Before the AI is given the conversation."""
    await stage.to.messaging.KeepManual(
        messaging_v1.KeepManualRequest(
            conversation_id=stage.tenant.conversation_id, is_kept=True, request_id=new_id()
        ),
        metadata=stage.owner,
    )


async def set_mode(stage: Stage) -> None:
    await stage.to.messaging.SetMode(
        messaging_v1.SetModeRequest(
            conversation_id=stage.tenant.conversation_id,
            mode=messaging_v1.CONVERSATION_MODE_AI,
            request_id=new_id(),
        ),
        metadata=stage.owner,
    )


async def hand_over(stage: Stage) -> None:
    """After the AI was given it."""
    thread = await stage.to.messaging.GetThread(
        messaging_v1.GetThreadRequest(conversation_id=stage.tenant.conversation_id),
        metadata=stage.owner,
    )
    await stage.to.messaging.HandOver(
        messaging_v1.HandOverRequest(
            conversation_id=stage.tenant.conversation_id,
            request_id=new_id(),
            mode_epoch=thread.thread.mode_epoch,
            reason=messaging_v1.HANDOVER_REASON_UNSURE,
        ),
        metadata=stage.tenant.callers[Role.BOT],
    )


async def update_messaging_settings(stage: Stage) -> None:
    await stage.to.messaging.UpdateMessagingSettings(
        messaging_v1.UpdateMessagingSettingsRequest(default_mode=messaging_v1.CONVERSATION_MODE_AI),
        metadata=stage.owner,
    )


DEEDS: dict[str, Deed] = {
    "ChannelService/CreateChannel": Deed(create_channel),
    "ChannelService/UpdateChannel": Deed(update_channel, by=API_KEY),
    "ChannelService/DisconnectChannel": Deed(disconnect_channel),
    "ChannelService/TestChannel": Deed(try_channel),
    "ChannelService/RedriveWebhooks": Deed(redrive_webhooks),
    "MessagingService/RetryMessage": Deed(retry_message),
    "MessagingService/KeepManual": Deed(keep_manual),
    "MessagingService/SetMode": Deed(set_mode),
    "MessagingService/HandOver": Deed(hand_over, by=API_KEY),
    "MessagingService/UpdateMessagingSettings": Deed(update_messaging_settings),
}
"""In an order in which they can be done."""

NOT_AUDITED: dict[str, str] = {
    "MessagingService/SendMessage": "the message is its own record, with its author",
    "MessagingService/SendMessages": "the messages are their own record, with their authors",
    "ChannelService/IngestWebhook": "a platform's words, which are kept raw",
    "WebChatService/OpenSession": "a customer's, not a person's of the workspace",
    "WebChatService/PostMessage": "the message is its own record",
    "WebChatService/AcknowledgeMessages": "a receipt, which is kept in the message's timeline",
}
