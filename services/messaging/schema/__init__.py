"""The tables of messaging; read by store and compared with the migrations by a test.

Rows of messages, attempts and receipts have no foreign keys: they are written only under the lock
of their thread's row and never deleted without it, and a check per row would cost the hot path a
tenth.
Fill factors leave room on the page, so that updates of unindexed columns stay HOT.
"""

from __future__ import annotations

from services.messaging.schema.channels import (
    channel_buckets,
    channel_credentials,
    channel_routes,
    channels,
    dispatch_lanes,
    webhook_inbox,
    webhook_items,
    workspace_keys,
)
from services.messaging.schema.columns import metadata
from services.messaging.schema.search import (
    message_texts,
    message_words,
    text_index,
    word_endings,
    words,
)
from services.messaging.schema.threads import (
    attempts,
    erased_threads,
    messages,
    messaging_settings,
    pending_receipts,
    receipts,
    request_ids,
    resume_timers,
    threads,
    web_chat_visitors,
)

__all__ = [
    "attempts",
    "channel_buckets",
    "channel_credentials",
    "channel_routes",
    "channels",
    "dispatch_lanes",
    "erased_threads",
    "message_texts",
    "message_words",
    "messages",
    "messaging_settings",
    "metadata",
    "pending_receipts",
    "receipts",
    "request_ids",
    "resume_timers",
    "text_index",
    "threads",
    "web_chat_visitors",
    "webhook_inbox",
    "webhook_items",
    "word_endings",
    "words",
    "workspace_keys",
]
