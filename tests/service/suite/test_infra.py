"""PostgreSQL and nats-server under our own supervision, and the servers that tests share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import nats
import pytest
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from suite.databases import DatabaseUrls, connected
from suite.infra import running_nats, running_postgres
from suite.testing import fresh_database, fresh_nats_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from suite.testing import TestServers


def no_migration(owner_url: str) -> None:
    """Leave the database as it was created."""


@pytest.fixture(scope="module")
def database(servers: TestServers) -> Iterator[DatabaseUrls]:
    with fresh_database(servers, "conversation", no_migration) as urls:
        yield urls


async def test_a_stopped_postgres_continues_where_it_was(tmp_path: Path) -> None:
    with running_postgres(tmp_path) as server:
        async with connected(server.url) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 1 AS number")

    with running_postgres(tmp_path, password=server.password) as again:
        async with connected(again.url) as connection:
            assert await connection.fetchval("SELECT number FROM kept") == 1
            assert await connection.fetchval("SHOW fsync") == "on"
            assert await connection.fetchval("SHOW data_checksums") == "on"
            assert await connection.fetchval("SHOW password_encryption") == "scram-sha-256"


async def test_root_may_keep_the_data_below_a_folder_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with running_postgres(closed / "postgres", fsync=False) as server:
        async with connected(server.url) as connection:
            await connection.execute("CREATE EXTENSION pg_trgm")

    assert closed.stat().st_mode & 0o777 == 0o700


async def test_postgres_wants_a_password(database: DatabaseUrls) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with connected(database.app.replace(":test@", ":wrong@")):
            pass


async def test_a_services_roles_cannot_pass_by_row_security_or_enter_another_database(
    servers: TestServers, database: DatabaseUrls
) -> None:
    async with connected(database.app) as connection:
        row = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles "
            "WHERE rolname = current_user"
        )
    assert row is not None
    assert not any(row.values())

    with fresh_database(servers, "messaging", no_migration) as other:
        foreign = database.app.rpartition("/")[0] + f"/{other.name}"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connected(foreign):
                pass


async def test_every_module_gets_streams_of_its_own(servers: TestServers) -> None:
    one, other = fresh_nats_url(servers), fresh_nats_url(servers)

    for url in (one, other):
        client = await nats.connect(url)
        stream = await client.jetstream().add_stream(name="SAME", subjects=["same"])
        await client.jetstream().publish("same", b"")
        await client.close()

        assert stream.state.messages == 0


async def test_only_the_owning_service_writes_its_subjects_and_streams(tmp_path: Path) -> None:
    users = {"identity": "a", "messaging": "b", "suite": "c"}
    with running_nats(tmp_path, users=users) as server:
        owner = await nats.connect(server.url_of("messaging"))
        await owner.jetstream().add_stream(name="INBOX_MESSAGING", subjects=["inbox.messaging.>"])
        refusals: list[Exception] = []

        async def note(error: Exception) -> None:
            refusals.append(error)

        other = await nats.connect(server.url_of("identity"), error_cb=note)
        with pytest.raises((NatsError, APIError, TimeoutError)):
            await other.jetstream().publish("inbox.messaging.v1.forged.w", b"", timeout=0.5)
        with pytest.raises((NatsError, APIError, TimeoutError)):
            await asyncio.wait_for(other.jetstream().delete_stream("INBOX_MESSAGING"), 0.5)
        accepted = await owner.jetstream().publish("inbox.messaging.v1.sent.w", b"")
        await other.close()
        await owner.close()

    assert accepted.seq == 1
    assert any("permissions violation" in str(error).lower() for error in refusals)
