"""Channels in SQL: what they are, their sealed credentials, their buckets and routes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.messaging.model.channel import (
    Channel,
    ChannelId,
    ChannelKind,
    ChannelSettings,
    ChannelState,
    SimulatorSettings,
    WebChatSettings,
)
from services.messaging.store.rows import KINDS, Row

COLUMNS = (
    "c.id, c.workspace_id, c.kind, c.display_name, c.state, c.state_reason, c.settings::text, "
    "c.create_time, c.state_time, c.version"
)
STATES = {state.value: state for state in ChannelState}

CREATE = """
INSERT INTO channels (workspace_id, id, kind, display_name, state, state_reason, settings,
    create_time, state_time, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
CREATE_ROUTE = "INSERT INTO channel_routes (channel_id, workspace_id, kind) VALUES ($1, $2, $3)"
CREATE_BUCKET = """
INSERT INTO channel_buckets
    (channel_id, workspace_id, tokens, tokens_per_second, max_tokens, refill_time)
VALUES ($1, $2, $3, $4, $3, $5)
"""
OPEN_BUCKET = "UPDATE channel_buckets SET paused_until = NULL WHERE channel_id = $1"
CLOSE_BUCKET = "UPDATE channel_buckets SET paused_until = 'infinity' WHERE channel_id = $1"
READ = f"SELECT {COLUMNS} FROM channels c WHERE c.workspace_id = $1 AND c.id = $2"
LIST = f"""
SELECT {COLUMNS} FROM channels c
WHERE c.workspace_id = $1 AND (c.create_time, c.id) > ($2, $3::uuid)
ORDER BY c.create_time, c.id LIMIT $4
"""
SAVE = """
UPDATE channels SET display_name = $3, state = $4, state_reason = $5, settings = $6,
    state_time = $7, version = $8
WHERE workspace_id = $1 AND id = $2
"""
READ_CREDENTIALS = """
SELECT ciphertext, version FROM channel_credentials WHERE workspace_id = $1 AND channel_id = $2
"""
SAVE_CREDENTIALS = """
INSERT INTO channel_credentials (workspace_id, channel_id, ciphertext, update_time, version)
VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (workspace_id, channel_id) DO UPDATE
SET ciphertext = excluded.ciphertext, update_time = excluded.update_time,
    version = channel_credentials.version + 1
"""
READ_KEY = "SELECT wrapped_key FROM workspace_keys WHERE workspace_id = $1"
CREATE_KEY = """
INSERT INTO workspace_keys (workspace_id, wrapped_key, create_time) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
"""
READ_ROUTE = "SELECT workspace_id, kind FROM channel_routes WHERE channel_id = $1"


@dataclass(frozen=True, slots=True)
class SealedCredentials:
    """Credentials as they are stored."""

    ciphertext: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Route:
    """Where a channel belongs."""

    workspace_id: WorkspaceId
    kind: ChannelKind


async def create(
    transaction: Transaction, channel: Channel, *, calls_per_second: float, calls_at_once: float
) -> None:
    """Add a channel with its route and its bucket."""
    await transaction.raw.execute(
        CREATE,
        channel.workspace_id,
        channel.id,
        channel.kind.value,
        channel.display_name,
        channel.state.value,
        channel.state_reason,
        settings_to_json(channel.settings),
        channel.create_time,
        channel.state_time,
        channel.version,
    )
    await transaction.raw.execute(
        CREATE_ROUTE, channel.id, channel.workspace_id, channel.kind.value
    )
    await transaction.raw.execute(
        CREATE_BUCKET,
        channel.id,
        channel.workspace_id,
        calls_at_once,
        calls_per_second,
        channel.create_time,
    )


async def read(transaction: Transaction, channel_id: str, *, lock: str = "") -> Channel | None:
    """A channel; `lock` is FOR SHARE or FOR UPDATE, held until the transaction ends."""
    statement = f"{READ} {lock}" if lock else READ
    row = await transaction.raw.fetchrow(statement, transaction.workspace_id, channel_id)
    return None if row is None else channel_of(row)


async def list_page(
    transaction: Transaction, *, after: tuple[datetime, str], limit: int
) -> list[Channel]:
    """Channels in the order they were created."""
    rows = await transaction.raw.fetch(LIST, transaction.workspace_id, *after, limit)
    return [channel_of(row) for row in rows]


async def save(transaction: Transaction, channel: Channel) -> None:
    """Write what may change of a channel."""
    await transaction.raw.execute(
        SAVE,
        channel.workspace_id,
        channel.id,
        channel.display_name,
        channel.state.value,
        channel.state_reason,
        settings_to_json(channel.settings),
        channel.state_time,
        channel.version,
    )


async def save_state(transaction: Transaction, channel: Channel) -> None:
    """Write a channel whose state changed: its bucket opens and closes with it."""
    await save(transaction, channel)
    is_on = channel.state is ChannelState.CONNECTED
    await transaction.raw.execute(OPEN_BUCKET if is_on else CLOSE_BUCKET, channel.id)


async def read_credentials(transaction: Transaction, channel_id: str) -> SealedCredentials | None:
    """A channel's sealed credentials."""
    row = await transaction.raw.fetchrow(READ_CREDENTIALS, transaction.workspace_id, channel_id)
    return None if row is None else SealedCredentials(row[0], row[1])


async def save_credentials(
    transaction: Transaction, channel_id: str, ciphertext: bytes, *, at: datetime
) -> None:
    """Put sealed credentials in the place of the earlier ones."""
    await transaction.raw.execute(
        SAVE_CREDENTIALS, transaction.workspace_id, channel_id, ciphertext, at
    )


async def read_key(transaction: Transaction) -> bytes | None:
    """The workspace's wrapped data key."""
    wrapped: bytes | None = await transaction.raw.fetchval(READ_KEY, transaction.workspace_id)
    return wrapped


async def create_key(transaction: Transaction, wrapped: bytes, *, at: datetime) -> None:
    """Keep a wrapped data key, unless another transaction was faster."""
    await transaction.raw.execute(CREATE_KEY, transaction.workspace_id, wrapped, at)


async def read_route(transaction: Transaction, channel_id: str) -> Route | None:
    """The workspace and kind of a channel, across workspaces: for the worker role."""
    row = await transaction.raw.fetchrow(READ_ROUTE, channel_id)
    return None if row is None else Route(WorkspaceId(str(row[0])), KINDS[row[1]])


def channel_of(row: Row) -> Channel:
    """A channel from COLUMNS at the start of a row."""
    kind = KINDS[row[2]]
    return Channel(
        id=ChannelId(str(row[0])),
        workspace_id=WorkspaceId(str(row[1])),
        kind=kind,
        display_name=row[3],
        state=STATES[row[4]],
        state_reason=row[5],
        settings=settings_of_json(kind, row[6]),
        create_time=row[7],
        state_time=row[8],
        version=row[9],
    )


def settings_to_json(settings: ChannelSettings | None) -> str:
    """Settings as they are stored."""
    return json.dumps({} if settings is None else asdict(settings))


def settings_of_json(kind: ChannelKind, text: str) -> ChannelSettings | None:
    """Stored settings, read for their kind; fields of a newer version are left out."""
    stored = json.loads(text)
    if kind is ChannelKind.WEB_CHAT:
        return WebChatSettings(
            allowed_origins=tuple(stored.get("allowed_origins", ())),
            greeting=stored.get("greeting", ""),
            accent_color=stored.get("accent_color", ""),
        )
    if kind is ChannelKind.SIMULATOR:
        return SimulatorSettings(
            base_url=stored.get("base_url", ""),
            account_id=stored.get("account_id", ""),
            is_idempotent=stored.get("is_idempotent", False),
        )
    return None
