"""What can be done with files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from chassis import audit
from chassis.audit import Change
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import IdempotencyKeyReused
from chassis.ids import WorkspaceId, new_id
from chassis.logs import log
from services.media.blobs import BlobMissing, BlobStore, staging
from services.media.model import files, links, sniffing
from services.media.model.files import Announcement, BytesMissing, Media, MediaMismatch
from services.media.model.links import Link, LinkKeys
from services.media.store import Store


@dataclass(frozen=True, slots=True)
class Means:
    """What every action works with."""

    database: Database
    blobs: BlobStore
    clock: Clock
    link_keys: LinkKeys


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload."""

    media: Media
    replayed: bool
    """It had been uploaded before; nothing was added."""


async def upload(
    means: Means, caller: Caller, announced: Announcement, chunks: AsyncIterator[bytes]
) -> Stored:
    """Store a file: first its bytes, durably, then the row that names them.

    A repeat of the same request returns the file that is there. A crash in between leaves bytes
    without a row, which nobody can see.
    Raises: MediaMismatch, IdempotencyKeyReused, BlobStoreUnavailable.
    """
    async with staging(means.blobs) as staged:
        async for chunk in chunks:
            await staged.write(chunk)
            if staged.size_bytes > announced.size_bytes:
                # Stop here: somebody who lies about the size shall not fill the disk.
                raise MediaMismatch("size_bytes", str(announced.size_bytes), "more")
        await staged.finish()
        sha256 = staged.sha256
        is_whole = len(staged.head) == staged.size_bytes
        sniffed_type = sniffing.sniff(staged.head, is_whole=is_whole)
        files.check_received(announced, size_bytes=staged.size_bytes, sha256=sha256)
        await means.blobs.keep(staged, files.blob_key(caller.workspace, sha256))
    media = Media(
        id=new_id(),
        file_name=announced.file_name,
        content_type=announced.content_type,
        size_bytes=announced.size_bytes,
        sha256=sha256,
        create_time=means.clock.now(),
        sniffed_type=sniffed_type,
    )
    async with means.database.begin(caller.workspace) as transaction:
        stored = await Store(transaction, caller.workspace).add(media, announced.request_id)
        if stored.id == media.id:
            changes = [_uploaded(media)]
            at = media.create_time
            await audit.append(transaction, caller, "MediaService/Upload", changes, at=at)
    if not files.says_the_same(stored, announced, sha256):
        raise IdempotencyKeyReused("header.request_id")
    return Stored(stored, replayed=stored.id != media.id)


async def get_media(means: Means, caller: Caller, media_id: str) -> Media:
    """One file. Raises: MediaNotFound."""
    async with means.database.begin(caller.workspace) as transaction:
        return await Store(transaction, caller.workspace).get(media_id)


async def create_link(
    means: Means, caller: Caller, media_id: str, *, is_for_saving: bool
) -> tuple[str, Link]:
    """A link to a file, as text and as what it stands for. Raises: MediaNotFound."""
    media = await get_media(means, caller, media_id)
    expire_time = links.expire_time(means.clock.now())
    link = Link(caller.workspace, media.id, expire_time, is_for_saving)
    return means.link_keys.write(link), link


async def resolve_link(means: Means, text: str) -> tuple[Link, Media]:
    """What a link stands for. Raises: LinkInvalid, LinkExpired, MediaNotFound."""
    link = means.link_keys.read(text, means.clock.now())
    async with means.database.begin(link.workspace_id) as transaction:
        return link, await Store(transaction, link.workspace_id).get(link.media_id)


async def read(
    means: Means, workspace_id: WorkspaceId, media: Media, wanted: range
) -> AsyncGenerator[bytes]:
    """Some bytes of a file, in parts. Raises: BytesMissing, BlobStoreUnavailable."""
    missing = len(wanted)
    key = files.blob_key(workspace_id, media.sha256)
    try:
        async with aclosing(means.blobs.read(key, wanted)) as parts:
            async for part in parts:
                missing -= len(part)
                yield part
    except BlobMissing as error:
        log.error("blob_missing", media_id=media.id)
        raise BytesMissing(media.id) from error
    if missing:
        log.error("blob_short", media_id=media.id, missing_bytes=missing)
        raise BytesMissing(media.id)


def _uploaded(media: Media) -> Change:
    kept = {
        "file_name": media.file_name,
        "content_type": media.content_type,
        "size_bytes": media.size_bytes,
        "sha256": media.sha256,
    }
    return Change.of("media", media.id, None, kept)
