"""Media behind the gateway, made small: one link to one file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from inbox.media import v1 as media_v1
from tests.service.gateway.doubles import WORKSPACE, metadata_of, refuse

CHUNK_BYTES = 64 * 1024
LINK = "link-to-the-file"


@dataclass
class Media(media_v1.MediaServiceServicer):
    """Gives the file's bytes as they are asked for; may be told to break off."""

    content: bytes = b"0123456789"
    file_name: str = "cat.png"
    sniffed_type: str = "image/png"
    is_inline: bool = True
    expires_at: int = 4_000_000_000
    break_after: int | None = None
    """So many bytes of a download are given, then it fails."""
    refusal: tuple[grpc.StatusCode, str] | None = None
    downloads: list[tuple[int, int]] = field(default_factory=list)
    read_bytes: int = 0
    under_way: int = 0

    @property
    def media(self) -> media_v1.Media:
        return media_v1.Media(
            id="m1",
            file_name=self.file_name,
            content_type="text/html",
            sniffed_type=self.sniffed_type,
            size_bytes=len(self.content),
            sha256="ab" * 32,
        )

    async def ResolveLink(self, request: Any, context: Any) -> Any:
        assert metadata_of(context)["authorization"].startswith("Bearer service.")
        if self.refusal is not None:
            await refuse(context, *self.refusal)
        if request.link != LINK:
            await refuse(context, grpc.StatusCode.NOT_FOUND, "MEDIA_LINK_INVALID")
        answer = media_v1.ResolveLinkResponse(
            workspace_id=WORKSPACE, media=self.media, is_inline=self.is_inline
        )
        answer.expire_time.seconds = self.expires_at
        return answer

    async def Download(self, request: Any, context: Any) -> AsyncIterator[Any]:
        assert metadata_of(context)["x-inbox-workspace"] == WORKSPACE
        self.downloads.append((request.offset_bytes, request.limit_bytes))
        self.under_way += 1
        try:
            async for answer in self._parts(request, context):
                yield answer
        finally:
            self.under_way -= 1

    async def _parts(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield media_v1.DownloadResponse(media=self.media)
        end = min(request.offset_bytes + request.limit_bytes, len(self.content))
        for start in range(request.offset_bytes, end, CHUNK_BYTES):
            if self.break_after is not None and self.read_bytes >= self.break_after:
                await refuse(context, grpc.StatusCode.UNAVAILABLE, "TEMPORARILY_UNAVAILABLE")
            chunk = self.content[start : min(start + CHUNK_BYTES, end)]
            self.read_bytes += len(chunk)
            yield media_v1.DownloadResponse(chunk=chunk)
