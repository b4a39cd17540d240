"""Tickets that were used, and what they were made by, many at a time in one workspace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from chassis.database import Transaction
from services.identity.model.credentials import ApiKey, Session
from services.identity.model.people import Member
from services.identity.model.tickets import Ticket
from services.identity.store import rows

USE = """
INSERT INTO used_tickets (workspace_id, id, expire_time)
SELECT $1, t.id, t.expire_time FROM unnest($2::uuid[], $3::timestamptz[]) AS t (id, expire_time)
ON CONFLICT DO NOTHING RETURNING id
"""
KEYS = f"SELECT {rows.API_KEY_COLUMNS} FROM api_keys WHERE workspace_id = $1 AND id = ANY($2)"
SESSIONS = f"SELECT {rows.SESSION_COLUMNS} FROM sessions WHERE workspace_id = $1 AND id = ANY($2)"
MEMBERS = f"SELECT {rows.MEMBER_COLUMNS} FROM members WHERE workspace_id = $1 AND id = ANY($2)"


async def use(transaction: Transaction, tickets: Sequence[Ticket]) -> set[str]:
    """Use them up; the ids of those that nobody had used."""
    # In one order everywhere, so that two who use the same ones do not wait for each other.
    ordered = sorted(tickets, key=lambda ticket: ticket.id)
    fresh = await transaction.raw.fetch(
        USE,
        transaction.workspace_id,
        [ticket.id for ticket in ordered],
        [ticket.expire_time for ticket in ordered],
    )
    return {str(row["id"]) for row in fresh}


async def keys(transaction: Transaction, key_ids: Collection[str]) -> list[ApiKey]:
    """The keys by these ids."""
    found = await transaction.raw.fetch(KEYS, transaction.workspace_id, list(key_ids))
    return [rows.api_key(row) for row in found]


async def sessions(
    transaction: Transaction, session_ids: Collection[str]
) -> list[tuple[Session, Member | None]]:
    """The sessions by these ids, and whose they are."""
    found = await transaction.raw.fetch(SESSIONS, transaction.workspace_id, list(session_ids))
    present = [rows.session(row) for row in found]
    whose = {session.member_id for session in present}
    members = await transaction.raw.fetch(MEMBERS, transaction.workspace_id, list(whose))
    by_id = {member.id: member for member in map(rows.member, members)}
    return [(session, by_id.get(session.member_id)) for session in present]


async def forget(transaction: Transaction, *, before: datetime) -> None:
    """Forget which ones were used, once their end has come (worker)."""
    await transaction.raw.execute("DELETE FROM used_tickets WHERE expire_time < $1", before)
