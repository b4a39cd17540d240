"""Files of conversations, which media keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId
from chassis.rpc import Channel, in_workspace
from chassis.rpc.faults import AWAY
from inbox.media import v1 as media_v1
from services.messaging.model.attachment import StoredFile
from services.messaging.model.attachment_faults import MediaNotFound

ANSWER_WITHIN_SECONDS = 3.0
READ_WITHIN_SECONDS = 30.0


class MediaFiles:
    """Asks media; implements `actions.attachments.Files`."""

    def __init__(self, channel: Channel) -> None:
        self._stub = media_v1.MediaServiceStub(channel)

    async def get(self, workspace_id: WorkspaceId, media_id: str) -> StoredFile:
        """One file. Raises: MediaNotFound, TemporarilyUnavailable."""
        request = media_v1.GetMediaRequest(media_id=media_id)
        metadata = in_workspace(workspace_id)
        try:
            response = await self._stub.GetMedia(
                request, timeout=ANSWER_WITHIN_SECONDS, metadata=metadata
            )
        except grpc.aio.AioRpcError as error:
            raise _fault_of(error, media_id) from error
        media = response.media
        return StoredFile(media.id, media.file_name, media.content_type, media.size_bytes)

    async def read(self, workspace_id: WorkspaceId, media_id: str) -> AsyncIterator[bytes]:
        """Its bytes, in parts. Raises: MediaNotFound, TemporarilyUnavailable."""
        call = self._stub.Download(
            media_v1.DownloadRequest(media_id=media_id),
            timeout=READ_WITHIN_SECONDS,
            metadata=in_workspace(workspace_id),
        )
        try:
            async for part in call:
                yield part.chunk
        except grpc.aio.AioRpcError as error:
            raise _fault_of(error, media_id) from error
        finally:
            call.cancel()


def _fault_of(error: grpc.aio.AioRpcError, media_id: str) -> Exception:
    if error.code() is grpc.StatusCode.NOT_FOUND:
        return MediaNotFound(media_id=media_id)
    if error.code() in AWAY:
        return TemporarilyUnavailable(part="media")
    return error
