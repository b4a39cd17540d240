"""A workspace's settings in SQL, and the sealed key of its provider."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from chassis.database import Transaction
from services.assistant.model.settings import (
    AgentSettings,
    AssistantSettings,
    OpenAiSettings,
    ProviderKind,
    Tool,
)

READ = """
SELECT content::text, api_key, version FROM assistant_settings WHERE workspace_id = $1
"""
LOCK = f"{READ} FOR UPDATE"
# A row to lock: version 0 is what nobody has changed yet.
ENSURE = """
INSERT INTO assistant_settings (workspace_id, content, update_time, version)
VALUES ($1, '{}', $2, 0) ON CONFLICT (workspace_id) DO NOTHING
"""
SAVE = """
UPDATE assistant_settings SET content = $2, api_key = $3, update_time = $4, version = $5
WHERE workspace_id = $1
"""
READ_KEY = "SELECT wrapped_key FROM workspace_keys WHERE workspace_id = $1"
CREATE_KEY = """
INSERT INTO workspace_keys (workspace_id, wrapped_key, create_time) VALUES ($1, $2, $3)
ON CONFLICT (workspace_id) DO NOTHING
"""
DEFAULTS = AssistantSettings()


@dataclass(frozen=True, slots=True)
class Stored:
    """The settings, and the sealed key beside them."""

    settings: AssistantSettings
    api_key: bytes | None


async def read(transaction: Transaction) -> Stored:
    """The settings, or the defaults where nobody has changed them."""
    row = await transaction.raw.fetchrow(READ, transaction.workspace_id)
    return Stored(DEFAULTS, None) if row is None else _stored(row)


async def lock(transaction: Transaction, *, at: datetime) -> Stored:
    """The settings, held until the transaction ends."""
    await transaction.raw.execute(ENSURE, transaction.workspace_id, at)
    row = await transaction.raw.fetchrow(LOCK, transaction.workspace_id)
    return Stored(DEFAULTS, None) if row is None else _stored(row)


async def save(transaction: Transaction, stored: Stored, *, at: datetime) -> None:
    """Write them; the caller holds their lock."""
    await transaction.raw.execute(
        SAVE,
        transaction.workspace_id,
        json.dumps(_content(stored.settings)),
        stored.api_key,
        at,
        stored.settings.version,
    )


async def read_key(transaction: Transaction) -> bytes | None:
    """The workspace's wrapped data key."""
    wrapped: bytes | None = await transaction.raw.fetchval(READ_KEY, transaction.workspace_id)
    return wrapped


async def create_key(transaction: Transaction, wrapped: bytes, *, at: datetime) -> None:
    """Keep a wrapped data key, unless another transaction was faster."""
    await transaction.raw.execute(CREATE_KEY, transaction.workspace_id, wrapped, at)


def _content(settings: AssistantSettings) -> dict[str, Any]:
    return {
        "provider": settings.provider.value,
        "display_name": settings.display_name,
        "instructions": settings.instructions,
        "allowed_tools": sorted(tool.value for tool in settings.allowed_tools),
        "reply_delay_millis": _millis(settings.reply_delay),
        "longest_reply_delay_millis": _millis(settings.longest_reply_delay),
        "answer_within_millis": _millis(settings.answer_within),
        "min_coverage_percent": settings.min_coverage_percent,
        "context_size": settings.context_size,
        "openai": {
            "base_url": settings.openai.base_url,
            "model": settings.openai.model,
            "max_output_tokens": settings.openai.max_output_tokens,
            "max_turn_tokens": settings.openai.max_turn_tokens,
        },
        "agent": {
            "address": settings.agent.address,
            "is_plaintext": settings.agent.is_plaintext,
        },
    }


def _stored(row: asyncpg.Record) -> Stored:
    """What a newer version knows and this one does not is left out; what is missing is default."""
    content = json.loads(row["content"])
    known = _content(DEFAULTS) | content
    settings = AssistantSettings(
        provider=ProviderKind(known["provider"]),
        display_name=known["display_name"],
        instructions=known["instructions"],
        allowed_tools=frozenset(tool for tool in Tool if tool.value in known["allowed_tools"]),
        reply_delay=timedelta(milliseconds=known["reply_delay_millis"]),
        longest_reply_delay=timedelta(milliseconds=known["longest_reply_delay_millis"]),
        answer_within=timedelta(milliseconds=known["answer_within_millis"]),
        min_coverage_percent=known["min_coverage_percent"],
        context_size=known["context_size"],
        openai=OpenAiSettings(**known["openai"]),
        agent=AgentSettings(**known["agent"]),
        has_api_key=row["api_key"] is not None,
        version=row["version"],
    )
    return Stored(settings, row["api_key"])


def _millis(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))
