"""Taking in what customers write, from chat boxes and from platforms."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from chassis.ids import WorkspaceId, derived_id
from services.messaging.actions.writers import Writers
from services.messaging.model.channel import ChannelId
from services.messaging.model.draft import Draft, Opening, Stored
from services.messaging.model.message import Author, AuthorKind, storable_text
from services.messaging.model.special import Special
from services.messaging.model.thread import conversation_id_of


def client_message_id_of(channel_id: ChannelId, platform_message_id: str) -> str:
    """The id under which a platform's message is stored once (invariant I2)."""
    return derived_id("inbound", channel_id, platform_message_id)


def accept_inbound(
    writers: Writers,
    workspace_id: WorkspaceId,
    *,
    opening: Opening,
    platform_message_id: str,
    text: str,
    platform_time: datetime | None,
    within: timedelta,
    author_kind: AuthorKind = AuthorKind.CUSTOMER,
    special: Special | None = None,
    traceparent: str = "",
) -> asyncio.Future[Stored]:
    """Queue a message that a platform reports; the future holds what became of it.

    The first message of a customer opens the conversation in its own transaction. Messages of one
    customer are stored in the order of these calls. A repeat of the platform's id, in whatever
    wording, returns the message that is stored. `author_kind` PHONE_APP is a person's message from
    the platform's own app. Characters the database cannot keep are replaced, never refused.
    Raises, or the future does: TooManyWaiting, TemporarilyUnavailable; give it again later.
    """
    draft = Draft(
        conversation_id=conversation_id_of(opening.channel_id, opening.external_id),
        client_message_id=client_message_id_of(opening.channel_id, platform_message_id),
        author=Author(
            author_kind,
            display_name=opening.customer_name if author_kind is AuthorKind.CUSTOMER else "",
        ),
        text=storable_text(text),
        opening=opening,
        platform_time=platform_time,
        is_platform_id=True,
        special=special,
    )
    return writers.submit(workspace_id, draft, within=within, traceparent=traceparent)
