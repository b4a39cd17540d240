"""No file crosses workspaces: the code's check and row security each suffice alone (I14)."""

from __future__ import annotations

import asyncpg
import pytest

from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.media.model.files import Media, MediaNotFound
from services.media.store import Store
from suite.databases import DatabaseUrls, with_database
from suite.testing import TestServers
from tests.fakes import START
from tests.serving import new_workspace_id


async def add_file(app: Database, workspace_id: WorkspaceId) -> Media:
    media = Media(new_id(), "a.bin", "image/png", 1, "0" * 64, START)
    async with app.begin(workspace_id) as transaction:
        return await Store(transaction, workspace_id).add(media, new_id())


async def test_row_security_holds_with_the_codes_check_off(app: Database) -> None:
    ours, theirs = new_workspace_id(), new_workspace_id()
    media = await add_file(app, ours)

    for seen in (theirs, None):
        async with app.begin(seen) as transaction:
            # The code asks for the workspace that it must not see.
            with pytest.raises(MediaNotFound):
                await Store(transaction, ours).get(media.id)
            assert await transaction.raw.fetchval("SELECT count(*) FROM media") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with app.begin(theirs) as transaction:
            await transaction.raw.execute(
                "INSERT INTO media VALUES ($1, $2, $2, '', '', 0, $3, now(), '')",
                ours,
                new_id(),
                "0" * 64,
            )


async def test_the_codes_check_holds_with_row_security_off(
    app: Database, servers: TestServers, urls: DatabaseUrls
) -> None:
    ours, theirs = new_workspace_id(), new_workspace_id()
    media = await add_file(app, ours)
    superuser = Database(with_database(servers.database_url, urls.name))

    async with superuser.begin() as transaction:
        with pytest.raises(MediaNotFound):
            await Store(transaction, theirs).get(media.id)
        assert await Store(transaction, ours).get(media.id) == media
    await superuser.close()
