"""Sending: a message of a person or of the AI, stored for good and on its way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis.auth import Caller, Role
from chassis.errors import RoleNotAllowed
from services.messaging.actions.writers import Writers
from services.messaging.model.attachment import Attachment
from services.messaging.model.draft import Draft, Stored
from services.messaging.model.message import Author, AuthorKind, refuse_unless_text
from services.messaging.model.thread import ConversationId

SENDERS = {
    Role.OWNER: AuthorKind.MEMBER,
    Role.AGENT: AuthorKind.MEMBER,
    Role.BOT: AuthorKind.AI,
}
"""Who may send, and as what."""
SENDING_ROLES = ", ".join(sorted(role.value for role in SENDERS))


def author_of(caller: Caller) -> Author:
    """The caller as a message's author. Raises: RoleNotAllowed."""
    kind = SENDERS.get(caller.role)
    if kind is None:
        raise RoleNotAllowed(role=caller.role.value, allowed_roles=SENDING_ROLES)
    return Author(kind, caller.id, caller.display_name)


def begin_send(
    writers: Writers,
    caller: Caller,
    *,
    conversation_id: str,
    client_message_id: str,
    text: str,
    mode_epoch: int,
    within: timedelta,
    traceparent: str = "",
    attachments: tuple[Attachment, ...] = (),
) -> asyncio.Future[Stored]:
    """Queue a message; the future holds what became of it.

    A repeat with the same client_message_id and content returns the original, with `replayed`.
    Raises, or the future does: RoleNotAllowed, TextEmpty, TextTooLong, ConversationNotFound,
    ConversationInAiMode, ConversationInManualMode, ModeEpochStale, ChannelNotConnected,
    AttachmentsOnlyByPeople, TooManyAttachments, AttachmentNotSupported, AttachmentTooLarge,
    CaptionNotSupported,
    ClientMessageIdReused, TooManyWaiting, TemporarilyUnavailable (then the same may be repeated).
    """
    refuse_unless_text(text, has_attachments=bool(attachments))
    draft = Draft(
        conversation_id=ConversationId(conversation_id),
        client_message_id=client_message_id,
        author=author_of(caller),
        text=text,
        mode_epoch=mode_epoch,
        attachments=attachments,
    )
    return writers.submit(caller.workspace, draft, within=within, traceparent=traceparent)
