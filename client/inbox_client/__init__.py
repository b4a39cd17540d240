"""Inbox for teams that call it by gRPC: a channel that repeats safely, and a watch that resumes.

Owns nothing and knows only the contracts, so that it can be installed by itself.
"""

from inbox_client.async_inbox import AsyncInbox
from inbox_client.async_watch import AsyncWatch
from inbox_client.errors import InboxError
from inbox_client.following import Event, Frame, Resync, ResyncIgnored
from inbox_client.inbox import Inbox
from inbox_client.retries import Retries
from inbox_client.watch import Watch

__all__ = [
    "AsyncInbox",
    "AsyncWatch",
    "Event",
    "Frame",
    "Inbox",
    "InboxError",
    "Resync",
    "ResyncIgnored",
    "Retries",
    "Watch",
]
