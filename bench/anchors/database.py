"""A database of an anchor's own, on the PostgreSQL that Inbox uses."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chassis.ids import new_id
from suite.databases import connected, with_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def throwaway_database(superuser_url: str, schema: str) -> AsyncIterator[str]:
    """Its address, for the length of a block; `schema` makes its tables."""
    name = f"bench_{new_id().replace('-', '')}"
    url = with_database(superuser_url, name)
    async with connected(superuser_url) as administrator:
        await administrator.execute(f"CREATE DATABASE {name}")
        try:
            async with connected(url) as connection:
                await connection.execute(schema)
            yield url
        finally:
            await administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
