"""Where files' bytes are kept: a folder or an S3-compatible bucket, behind one port.

Bytes come in through a staging file that counts and hashes them, so an upload costs the same
memory at any size, and only what was checked gets its name. What has a name is complete, durable
and never changes, because the name is made of the content.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from chassis.errors import TemporarilyUnavailable
from services.media.model.sniffing import HEAD_BYTES
from services.media.settings import MediaSettings

WRITE_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024
PART_BYTES = 8 * 1024 * 1024
PARTS_AT_ONCE = 2
"""Of a large object on its way to a bucket: both together are the memory it costs."""
STAGING_FOLDER = ".staging"
STALE_AFTER = timedelta(hours=1)
"""No upload may last that long; what is older was left behind by a crash."""
CONNECT_WITHIN = timedelta(seconds=5)
ANSWER_WITHIN = timedelta(seconds=30)
RETRY_WITHIN = timedelta(seconds=20)

Result = TypeVar("Result")


class BlobMissing(Exception):
    """The store does not have these bytes."""


class BlobStoreUnavailable(TemporarilyUnavailable):
    """The store does not answer, or has no space left."""

    def __init__(self) -> None:
        super().__init__("the file store")


class Staged:
    """Bytes on their way in, without a name yet."""

    def __init__(self, file: IO[bytes]) -> None:
        self.path = Path(file.name)
        self.size_bytes = 0
        self.head = b""
        """The beginning, as far as it tells what the file is."""
        self._file = file
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def sha256(self) -> str:
        """Of everything written, once `finish` was called."""
        return self._digest.hexdigest()

    async def write(self, chunk: bytes) -> None:
        """Add bytes. Raises: BlobStoreUnavailable."""
        self.size_bytes += len(chunk)
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        # A thread for every crumb would cost more than the crumb.
        if self._waiting_bytes >= WRITE_BYTES:
            await self._write_waiting()

    async def finish(self) -> None:
        """Everything was written: make it durable. Raises: BlobStoreUnavailable."""
        await self._write_waiting()
        await _in_thread(self._sync)

    async def _write_waiting(self) -> None:
        content = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0

        def work() -> None:
            self._digest.update(content)
            self._file.write(content)

        await _in_thread(work)

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


class BlobStore(Protocol):
    """Keeps bytes under names made of their content."""

    @property
    def staging(self) -> Path:
        """The folder for bytes on their way in."""
        ...

    async def keep(self, staged: Staged, key: str) -> None:
        """Give finished bytes their name; durable on return. A repeat changes nothing.

        Raises: BlobStoreUnavailable.
        """
        ...

    def read(self, key: str, wanted: range) -> AsyncGenerator[bytes]:
        """The wanted bytes, in parts of at most READ_BYTES.

        Raises: BlobMissing, BlobStoreUnavailable.
        """
        ...


class FolderBlobs:
    """Blobs as files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.staging = folder / STAGING_FOLDER
        self.staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = LocalStore(prefix=folder)

    async def keep(self, staged: Staged, key: str) -> None:
        """Rename it into place, and make both folders remember."""

        def work() -> None:
            target = self._folder / key
            target.parent.mkdir(exist_ok=True, mode=0o700)
            staged.path.replace(target)
            _sync_folder(target.parent)
            _sync_folder(self._folder)

        await _in_thread(work)

    def read(self, key: str, wanted: range) -> AsyncGenerator[bytes]:
        """The wanted bytes, in parts."""
        return _read(self._store, key, wanted)


class BucketBlobs:
    """Blobs as objects of a bucket, or of any other store that obstore knows."""

    def __init__(self, store: ObjectStore, staging: Path) -> None:
        self._store = store
        self.staging = staging
        self.staging.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def keep(self, staged: Staged, key: str) -> None:
        """Put it; the bucket shows an object only when it is whole."""
        try:
            await obstore.put_async(
                self._store,
                key,
                staged.path,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        except (BaseError, OSError) as error:
            raise BlobStoreUnavailable from error

    def read(self, key: str, wanted: range) -> AsyncGenerator[bytes]:
        """The wanted bytes, in parts."""
        return _read(self._store, key, wanted)


def open_blobs(settings: MediaSettings) -> BlobStore:
    """The store the settings name."""
    url = urlsplit(settings.blob_url)
    if url.scheme == "file":
        return FolderBlobs(Path(unquote(url.path)))
    given = {
        "endpoint": settings.blob_endpoint,
        "access_key_id": settings.blob_access_key_id,
        "secret_access_key": settings.blob_secret_access_key.get_secret_value(),
    }
    store = S3Store.from_url(
        settings.blob_url,
        region=settings.blob_region,
        client_options={
            "allow_http": settings.blob_endpoint.startswith("http://"),
            "connect_timeout": CONNECT_WITHIN,
            "timeout": ANSWER_WITHIN,
        },
        retry_config={"retry_timeout": RETRY_WITHIN},
        # What is empty here comes from the machine: environment, container or instance role.
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]
    )
    return BucketBlobs(store, Path(tempfile.gettempdir()) / "inbox-media-staging")


@asynccontextmanager
async def staging(blobs: BlobStore) -> AsyncGenerator[Staged]:
    """A place for bytes that come in; what was not kept is gone afterwards.

    Raises: BlobStoreUnavailable.
    """
    file = await _in_thread(
        lambda: tempfile.NamedTemporaryFile(dir=blobs.staging, delete=False)  # noqa: SIM115
    )
    staged = Staged(file)
    try:
        yield staged
    finally:
        file.close()
        staged.path.unlink(missing_ok=True)


def sweep_staging(blobs: BlobStore, now: datetime) -> int:
    """Remove what crashes left behind; returns how many files that were."""
    stale = [
        path
        for path in blobs.staging.iterdir()
        if now.timestamp() - path.stat().st_mtime > STALE_AFTER.total_seconds()
    ]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


async def _read(store: ObjectStore, key: str, wanted: range) -> AsyncGenerator[bytes]:
    if not wanted:
        return
    try:
        found = await obstore.get_async(store, key, options={"range": (wanted.start, wanted.stop)})
        async for part in found.stream(min_chunk_size=READ_BYTES):
            # At least so many bytes come, but a store may give more at once.
            for start in range(0, len(part), READ_BYTES):
                yield bytes(part[start : start + READ_BYTES])
    except FileNotFoundError as error:
        raise BlobMissing from error
    except (BaseError, OSError) as error:
        raise BlobStoreUnavailable from error


async def _in_thread(work: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise BlobStoreUnavailable from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
