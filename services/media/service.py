"""MediaService: requests to arguments, one action, answers to responses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from chassis.audit_log import AuditLog
from chassis.auth import require_caller
from chassis.errors import FieldInvalid
from chassis.ids import parse_id
from chassis.rpc import Context
from inbox.media import v1 as media_v1
from services.media import actions
from services.media.actions import Means
from services.media.mapping import announcement_from, link_to, media_to, resolved_to
from services.media.model import files

MAX_CHUNK_BYTES = 1024 * 1024


class MediaService(media_v1.MediaServiceServicer):
    """Files of conversations."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def Upload(
        self, request_iterator: AsyncIterator[media_v1.UploadRequest], context: Context
    ) -> media_v1.UploadResponse:
        """Stores a file."""
        first = await anext(request_iterator, None)
        if first is None or first.WhichOneof("part") != "header":
            raise FieldInvalid("header", "must come first")
        announced = announcement_from(first.header)
        async with aclosing(_chunks(request_iterator)) as chunks:
            stored = await actions.upload(self._means, require_caller(), announced, chunks)
        return media_v1.UploadResponse(media=media_to(stored.media), replayed=stored.replayed)

    async def GetMedia(
        self, request: media_v1.GetMediaRequest, context: Context
    ) -> media_v1.GetMediaResponse:
        """Tells about a file."""
        media_id = parse_id("media_id", request.media_id)
        media = await actions.get_media(self._means, require_caller(), media_id)
        return media_v1.GetMediaResponse(media=media_to(media))

    async def Download(
        self, request: media_v1.DownloadRequest, context: Context
    ) -> AsyncIterator[media_v1.DownloadResponse]:
        """Reads a file's bytes."""
        caller = require_caller()
        media_id = parse_id("media_id", request.media_id)
        media = await actions.get_media(self._means, caller, media_id)
        wanted = files.byte_range(media, request.offset_bytes, request.limit_bytes)
        yield media_v1.DownloadResponse(media=media_to(media))
        async with aclosing(actions.read(self._means, caller.workspace, media, wanted)) as parts:
            async for part in parts:
                yield media_v1.DownloadResponse(chunk=part)

    async def CreateLink(
        self, request: media_v1.CreateLinkRequest, context: Context
    ) -> media_v1.CreateLinkResponse:
        """Makes an address for a file."""
        media_id = parse_id("media_id", request.media_id)
        made = await actions.create_link(
            self._means, require_caller(), media_id, is_for_saving=request.is_for_saving
        )
        return link_to(*made)

    async def ResolveLink(
        self, request: media_v1.ResolveLinkRequest, context: Context
    ) -> media_v1.ResolveLinkResponse:
        """Tells what a link stands for."""
        return resolved_to(*await actions.resolve_link(self._means, request.link))


class MediaAuditService(AuditLog, media_v1.MediaAuditServiceServicer):
    """Who changed what in media."""


async def _chunks(parts: AsyncIterator[media_v1.UploadRequest]) -> AsyncGenerator[bytes]:
    async for part in parts:
        if part.WhichOneof("part") != "chunk":
            raise FieldInvalid("chunk", "must follow the header, which comes once")
        if len(part.chunk) > MAX_CHUNK_BYTES:
            raise FieldInvalid("chunk", f"must have at most {MAX_CHUNK_BYTES} bytes")
        yield part.chunk
