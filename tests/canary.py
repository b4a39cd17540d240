"""A word that nobody else writes, and where it lies: every row of every table, byte for byte."""

from __future__ import annotations

import secrets

import asyncpg

TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""


def a_canary() -> str:
    """Lower-case letters and digits: one word to whoever cuts text into words."""
    return f"canary{secrets.token_hex(8)}"


async def tables_with(connection: asyncpg.Connection[asyncpg.Record], canary: str) -> set[str]:
    """Names of the tables in which it lies, as text, in JSON or in bytes; as a superuser."""
    found: set[str] = set()
    # A row as text shows bytes in hexadecimal.
    patterns = [f"%{canary}%", f"%{canary.encode().hex()}%"]
    for table in await connection.fetch(TABLES):
        name = table["relname"]
        if await connection.fetchval(
            f'SELECT EXISTS (SELECT FROM "{name}" AS t WHERE t::text ILIKE ANY ($1))', patterns
        ):
            found.add(name)
    return found
