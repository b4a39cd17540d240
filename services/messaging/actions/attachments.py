"""Files: asked about before a message with them is stored, and brought to platforms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Protocol

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Fault
from chassis.ids import WorkspaceId
from services.messaging.channels.port import Channel, Connection, Uploaded
from services.messaging.model.attachment import Attachment, StoredFile, Wanted, attached
from services.messaging.model.attachment_faults import MediaNotFound
from services.messaging.model.channel import ChannelId
from services.messaging.model.delivery import Failure, FailureReason
from services.messaging.model.dispatch import Ambiguous, NotSent, Rejected, SendOutcome
from services.messaging.store import platform_media as store

MEDIA_AWAY = "MEDIA_AWAY"
MEDIA_GONE = "MEDIA_NOT_FOUND"
UPLOAD_EXPIRES_EARLY = timedelta(hours=1)
"""Before the platform forgets a file, so that no message names one that is just being forgotten."""


class Files(Protocol):
    """The media service."""

    async def get(self, workspace_id: WorkspaceId, media_id: str) -> StoredFile:
        """One file. Raises: MediaNotFound, TemporarilyUnavailable."""
        ...

    def read(self, workspace_id: WorkspaceId, media_id: str) -> AsyncIterator[bytes]:
        """Its bytes, in parts. Raises: MediaNotFound, TemporarilyUnavailable."""
        ...


async def look_up(
    files: Files, workspace_id: WorkspaceId, wanted: Sequence[Wanted]
) -> tuple[Attachment, ...]:
    """Files as a message will carry them, in order.

    Raises: MediaNotFound, FieldInvalid, TemporarilyUnavailable (then the same may be repeated).
    """
    return tuple([attached(await files.get(workspace_id, one.media_id), one) for one in wanted])


async def bring_to_platform(
    database: Database,
    files: Files,
    clock: Clock,
    adapter: Channel,
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    channel_id: ChannelId,
    attachment: Attachment,
    within: timedelta,
) -> str | SendOutcome:
    """The platform's id of a file: the one it has, or that of an upload; else what came of it.

    Nobody has seen anything of an upload that failed, so the send may begin anew.
    """
    async with database.begin(workspace_id) as transaction:
        known = await store.find(
            transaction, channel_id, attachment.media_id, at=clock.now() + UPLOAD_EXPIRES_EARLY
        )
    if known is not None:
        return known
    stopped_by: list[Fault] = []

    async def parts() -> AsyncIterator[bytes]:
        try:
            async for part in files.read(workspace_id, attachment.media_id):
                yield part
        except Fault as fault:
            # Whoever sends the parts sees a broken connection; why it broke is known here.
            stopped_by.append(fault)
            raise

    outcome = await adapter.upload(connection, attachment, parts(), within=within)
    if any(isinstance(fault, MediaNotFound) for fault in stopped_by):
        failure = Failure(FailureReason.CONTENT_REJECTED, MEDIA_GONE, is_retryable=False)
        return Rejected(failure)
    if stopped_by:
        return NotSent(MEDIA_AWAY)
    if isinstance(outcome, Ambiguous):
        return NotSent(outcome.code)
    if not isinstance(outcome, Uploaded):
        return outcome
    async with database.begin(workspace_id) as transaction:
        await store.keep(
            transaction,
            channel_id,
            attachment.media_id,
            outcome.platform_media_id,
            expire_time=clock.now() + outcome.kept_for,
        )
    return outcome.platform_media_id
