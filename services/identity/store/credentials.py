"""Sessions, one-time tokens, API keys and signing keys."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Reading, Transaction
from chassis.ids import WorkspaceId
from services.identity.model.credentials import (
    ApiKey,
    ApiKeyId,
    OneTimeToken,
    Session,
    SessionId,
    SigningKey,
)
from services.identity.model.people import MemberId
from services.identity.store import rows

SIGNING_LOCK = "inbox.identity.signing_keys"


async def insert_session(transaction: Transaction, session: Session) -> None:
    """Open a session."""
    await transaction.raw.execute(
        f"INSERT INTO sessions ({rows.SESSION_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        session.id,
        session.workspace_id,
        session.member_id,
        session.digest,
        session.create_time,
        session.use_time,
        session.expire_time,
        session.end_time,
    )


async def find_session(reading: Reading, session_id: SessionId) -> Session | None:
    """Across workspaces (worker)."""
    row = await reading.raw.fetchrow(
        f"SELECT {rows.SESSION_COLUMNS} FROM sessions WHERE id = $1", session_id
    )
    return None if row is None else rows.session(row)


async def touch_session(
    transaction: Transaction, session: Session, *, at: datetime, expire_time: datetime
) -> None:
    """Write down that an open session was used; it lives on from now."""
    await transaction.raw.execute(
        "UPDATE sessions SET use_time = $3, expire_time = $4 "
        "WHERE workspace_id = $1 AND id = $2 AND end_time IS NULL",
        session.workspace_id,
        session.id,
        at,
        expire_time,
    )


async def end_session(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    member_id: MemberId,
    session_id: str,
    at: datetime,
) -> bool:
    """End a member's own session; whether it was open."""
    done: str = await transaction.raw.execute(
        "UPDATE sessions SET end_time = $4 "
        "WHERE workspace_id = $1 AND member_id = $2 AND id = $3 AND end_time IS NULL",
        workspace_id,
        member_id,
        session_id,
        at,
    )
    return done == "UPDATE 1"


async def end_sessions(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    member_id: MemberId,
    at: datetime,
    *,
    but: str | None = None,
) -> list[SessionId]:
    """End all sessions of a member, except perhaps one; those that were open."""
    ended = await transaction.raw.fetch(
        "UPDATE sessions SET end_time = $3 WHERE workspace_id = $1 AND member_id = $2 "
        "AND end_time IS NULL AND expire_time > $3 AND ($4::uuid IS NULL OR id <> $4) RETURNING id",
        workspace_id,
        member_id,
        at,
        but,
    )
    return [SessionId(str(row["id"])) for row in ended]


async def insert_token(transaction: Transaction, token: OneTimeToken) -> None:
    """Keep a one-time token."""
    await transaction.raw.execute(
        f"INSERT INTO one_time_tokens ({rows.ONE_TIME_COLUMNS}) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        token.id,
        token.workspace_id,
        token.kind.value,
        token.subject_id,
        token.digest,
        token.create_time,
        token.expire_time,
        token.use_time,
    )


async def find_token(transaction: Transaction, token_id: str) -> OneTimeToken | None:
    """Across workspaces (worker)."""
    row = await transaction.raw.fetchrow(
        f"SELECT {rows.ONE_TIME_COLUMNS} FROM one_time_tokens WHERE id = $1", token_id
    )
    return None if row is None else rows.one_time_token(row)


async def use_token(transaction: Transaction, token: OneTimeToken, at: datetime) -> bool:
    """Use it up; False if somebody else was faster."""
    done: str = await transaction.raw.execute(
        "UPDATE one_time_tokens SET use_time = $3 "
        "WHERE workspace_id = $1 AND id = $2 AND use_time IS NULL",
        token.workspace_id,
        token.id,
        at,
    )
    return done == "UPDATE 1"


async def void_tokens(
    transaction: Transaction, workspace_id: WorkspaceId, subject_id: str, at: datetime
) -> None:
    """Use up every open token of a member or key."""
    await transaction.raw.execute(
        "UPDATE one_time_tokens SET use_time = $3 "
        "WHERE workspace_id = $1 AND subject_id = $2 AND use_time IS NULL",
        workspace_id,
        subject_id,
        at,
    )


async def insert_api_key(
    transaction: Transaction,
    key: ApiKey,
    *,
    secret_mac: bytes,
    request_id: str,
    request_digest: bytes,
) -> bool:
    """Whether it was new."""
    done: str = await transaction.raw.execute(
        f"INSERT INTO api_keys ({rows.API_KEY_COLUMNS}, secret_mac, request_id, request_digest) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        key.id,
        key.workspace_id,
        key.display_name,
        key.role.value,
        key.create_time,
        key.expire_time,
        key.revoke_time,
        secret_mac,
        request_id,
        request_digest,
    )
    return done == "INSERT 0 1"


async def find_api_key_of_request(
    transaction: Transaction, workspace_id: WorkspaceId, request_id: str
) -> tuple[ApiKey, bytes, bytes] | None:
    """The key a request made, its request's digest and its secret's keyed digest."""
    row = await transaction.raw.fetchrow(
        f"SELECT {rows.API_KEY_COLUMNS}, request_digest, secret_mac FROM api_keys "
        "WHERE workspace_id = $1 AND request_id = $2",
        workspace_id,
        request_id,
    )
    return None if row is None else (rows.api_key(row), row["request_digest"], row["secret_mac"])


async def find_api_key(reading: Reading, api_key_id: str) -> tuple[ApiKey, bytes] | None:
    """Across workspaces (worker): a key and its secret's keyed digest."""
    row = await reading.raw.fetchrow(
        f"SELECT {rows.API_KEY_COLUMNS}, secret_mac FROM api_keys WHERE id = $1", api_key_id
    )
    return None if row is None else (rows.api_key(row), row["secret_mac"])


async def get_api_key(
    transaction: Transaction, workspace_id: WorkspaceId, api_key_id: ApiKeyId
) -> ApiKey | None:
    """A workspace's key, its row locked."""
    row = await transaction.raw.fetchrow(
        f"SELECT {rows.API_KEY_COLUMNS} FROM api_keys WHERE workspace_id = $1 AND id = $2 "
        "FOR UPDATE",
        workspace_id,
        api_key_id,
    )
    return None if row is None else rows.api_key(row)


async def revoke_api_key(transaction: Transaction, key: ApiKey, at: datetime) -> None:
    """Write down the end of a key whose row is locked."""
    await transaction.raw.execute(
        "UPDATE api_keys SET revoke_time = $3 WHERE workspace_id = $1 AND id = $2",
        key.workspace_id,
        key.id,
        at,
    )


async def list_api_keys(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[ApiKey]:
    """Newest first."""
    condition, values = ("AND (create_time, id) < ($3, $4)", before) if before else ("", ())
    found = await transaction.raw.fetch(
        f"SELECT {rows.API_KEY_COLUMNS} FROM api_keys WHERE workspace_id = $1 {condition} "
        "ORDER BY create_time DESC, id DESC LIMIT $2",
        workspace_id,
        limit,
        *values,
    )
    return [rows.api_key(row) for row in found]


async def list_api_keys_by_id(
    transaction: Transaction, workspace_id: WorkspaceId, *, after: str, limit: int
) -> list[ApiKey]:
    """In the order of their ids."""
    found = await transaction.raw.fetch(
        f"SELECT {rows.API_KEY_COLUMNS} FROM api_keys WHERE workspace_id = $1 AND id > $2 "
        "ORDER BY id LIMIT $3",
        workspace_id,
        after,
        limit,
    )
    return [rows.api_key(row) for row in found]


async def lock_signing_keys(transaction: Transaction) -> None:
    """One replica at a time looks whether a key has to be made."""
    await transaction.raw.execute("SELECT pg_advisory_xact_lock(hashtext($1))", SIGNING_LOCK)


async def list_signing_keys(transaction: Transaction) -> list[SigningKey]:
    """All of them, the oldest first."""
    found = await transaction.raw.fetch(
        f"SELECT {rows.SIGNING_KEY_COLUMNS} FROM signing_keys ORDER BY sign_from, id"
    )
    return [rows.signing_key(row) for row in found]


async def insert_signing_key(transaction: Transaction, key: SigningKey) -> None:
    """Keep a new key."""
    await transaction.raw.execute(
        f"INSERT INTO signing_keys ({rows.SIGNING_KEY_COLUMNS}) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        key.id,
        key.sealed_private,
        key.public_jwk,
        key.create_time,
        key.sign_from,
        key.sign_until,
        key.verify_until,
    )


async def seal_signing_key_again(
    transaction: Transaction, key_id: str, sealed_private: bytes
) -> None:
    """Replace the wrapping after the master key changed."""
    await transaction.raw.execute(
        "UPDATE signing_keys SET sealed_private = $2 WHERE id = $1", key_id, sealed_private
    )


async def sweep(transaction: Transaction, *, now: datetime, ended_before: datetime) -> None:
    """Forget what has ended long ago (worker)."""
    await transaction.raw.execute(
        "DELETE FROM one_time_tokens WHERE expire_time < $1", ended_before
    )
    await transaction.raw.execute("DELETE FROM sessions WHERE expire_time < $1", ended_before)
    await transaction.raw.execute("DELETE FROM signing_keys WHERE verify_until < $1", now)
