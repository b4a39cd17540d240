"""All SQL of files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.media.model.files import Media, MediaNotFound
from services.media.schema import media as table

COLUMNS = (
    table.c.id,
    table.c.file_name,
    table.c.content_type,
    table.c.size_bytes,
    table.c.sha256,
    table.c.create_time,
    table.c.sniffed_type,
)


class Store:
    """The files of one workspace within one transaction."""

    def __init__(self, transaction: Transaction, workspace_id: WorkspaceId) -> None:
        self._sql = transaction.sql
        self._workspace_id = workspace_id

    async def get(self, media_id: str) -> Media:
        """One file. Raises: MediaNotFound."""
        wanted = select(*COLUMNS).where(
            table.c.workspace_id == self._workspace_id, table.c.id == media_id
        )
        row = (await self._sql.execute(wanted)).one_or_none()
        if row is None:
            raise MediaNotFound(media_id)
        return _media(row)

    async def add(self, media: Media, request_id: str) -> Media:
        """Add a file; gives the one that this request added before, where it did."""
        await self._sql.execute(
            insert(table)
            .values(
                workspace_id=self._workspace_id,
                id=media.id,
                request_id=request_id,
                file_name=media.file_name,
                content_type=media.content_type,
                size_bytes=media.size_bytes,
                sha256=media.sha256,
                create_time=media.create_time,
                sniffed_type=media.sniffed_type,
            )
            .on_conflict_do_nothing(index_elements=["workspace_id", "request_id"])
        )
        added = select(*COLUMNS).where(
            table.c.workspace_id == self._workspace_id, table.c.request_id == request_id
        )
        return _media((await self._sql.execute(added)).one())


def _media(row: Any) -> Media:
    return Media(
        id=row.id,
        file_name=row.file_name,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        create_time=row.create_time,
        sniffed_type=row.sniffed_type,
    )
