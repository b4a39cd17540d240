"""Turns and collected fields in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from chassis.database import Transaction
from services.assistant.model.settings import ProviderKind, Tool
from services.assistant.model.turns import (
    CollectedField,
    Decision,
    Handover,
    HandoverReason,
    Outcome,
    ToolCall,
    Turn,
    Usage,
)

COLUMNS = (
    "id, conversation_id, number, seen_ordinal, mode_epoch, provider, model, prompt_version, "
    "input_tokens, output_tokens, provider_millis, tool_calls::text, article_ids, "
    "decision::text, handover_reason, outcome, message_id, start_time, end_time"
)
FIND_OPEN = f"""
SELECT {COLUMNS} FROM turns
WHERE workspace_id = $1 AND conversation_id = $2 AND end_time IS NULL
"""
SAVE = """
INSERT INTO turns (
    workspace_id, id, conversation_id, number, seen_ordinal, mode_epoch, provider, model,
    prompt_version, input_tokens, output_tokens, provider_millis, tool_calls, article_ids,
    decision, handover_reason, outcome, message_id, start_time, end_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (workspace_id, id) DO UPDATE SET
    decision = excluded.decision, handover_reason = excluded.handover_reason,
    outcome = excluded.outcome, message_id = excluded.message_id, end_time = excluded.end_time
"""
LIST = f"""
SELECT {COLUMNS} FROM turns
WHERE workspace_id = $1 AND (end_time, id) < ($2::timestamptz, $3::uuid) {{filter}}
ORDER BY end_time DESC, id DESC LIMIT $4
"""
IN_CONVERSATION = "AND conversation_id = $5"
FORGET_OPEN = """
DELETE FROM turns
WHERE workspace_id = $1 AND conversation_id = ANY ($2::uuid[]) AND end_time IS NULL
"""
SAVE_FIELD = """
INSERT INTO collected_fields (workspace_id, conversation_id, key, value, source_seq, update_time)
SELECT $1, $2, $3, $4, $5, $6
WHERE EXISTS (SELECT FROM collected_fields
              WHERE workspace_id = $1 AND conversation_id = $2 AND key = $3)
   OR (SELECT count(*) FROM collected_fields
       WHERE workspace_id = $1 AND conversation_id = $2) < $7
ON CONFLICT (workspace_id, conversation_id, key) DO UPDATE SET
    value = excluded.value, source_seq = excluded.source_seq, update_time = excluded.update_time
"""
READ_FIELDS = """
SELECT key, value, source_seq FROM collected_fields
WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY update_time DESC, key LIMIT $3
"""
FORGET_FIELDS = """
DELETE FROM collected_fields WHERE workspace_id = $1 AND conversation_id = ANY ($2::uuid[])
"""
FORGET_PARKED = """
DELETE FROM parked_events WHERE workspace_id = $1 AND ordering_key = ANY ($2::text[])
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list: what comes after it is on the next page."""

    end_time: datetime
    turn_id: str


async def find_open(transaction: Transaction, conversation_id: str) -> Turn | None:
    """The turn that was decided and is not carried out, if there is one."""
    row = await transaction.raw.fetchrow(FIND_OPEN, transaction.workspace_id, conversation_id)
    return None if row is None else _turn(row)


async def save(transaction: Transaction, turn: Turn) -> None:
    """Write a turn, new or decided before."""
    reason, decision = turn.handover_reason, turn.decision
    await transaction.raw.execute(
        SAVE,
        transaction.workspace_id,
        turn.id,
        turn.conversation_id,
        turn.number,
        turn.seen_ordinal,
        turn.mode_epoch,
        turn.provider.value,
        turn.usage.model,
        turn.usage.prompt_version,
        turn.usage.input_tokens,
        turn.usage.output_tokens,
        turn.usage.provider_millis,
        json.dumps([[call.tool and call.tool.value, call.is_refused] for call in turn.tool_calls]),
        list(turn.article_ids),
        None if decision is None else json.dumps(_decision_to(decision)),
        None if reason is None else reason.value,
        None if turn.outcome is None else turn.outcome.value,
        turn.message_id or None,
        turn.start_time,
        turn.end_time,
    )


async def page(
    transaction: Transaction, after: Place, *, conversation_id: str, size: int
) -> list[Turn]:
    """Turns that ended, after a place, newest first."""
    arguments = [transaction.workspace_id, after.end_time, after.turn_id, size]
    if conversation_id:
        arguments.append(conversation_id)
    statement = LIST.format(filter=IN_CONVERSATION if conversation_id else "")
    return [_turn(row) for row in await transaction.raw.fetch(statement, *arguments)]


async def save_field(
    transaction: Transaction,
    conversation_id: str,
    field: CollectedField,
    *,
    at: datetime,
    at_most: int,
) -> bool:
    """Keep a detail, in place of an earlier one of its key; False when there are too many."""
    done: str = await transaction.raw.execute(
        SAVE_FIELD,
        transaction.workspace_id,
        conversation_id,
        field.key,
        field.value,
        field.source_seq,
        at,
        at_most,
    )
    return done != "INSERT 0 0"


async def read_fields(
    transaction: Transaction, conversation_id: str, *, at_most: int
) -> list[CollectedField]:
    """What was collected in a conversation, the newest first."""
    rows = await transaction.raw.fetch(
        READ_FIELDS, transaction.workspace_id, conversation_id, at_most
    )
    return [CollectedField(row["key"], row["value"], row["source_seq"]) for row in rows]


async def forget(transaction: Transaction, conversation_ids: Sequence[str]) -> None:
    """Remove what was said: fields, and decisions that were not carried out."""
    for statement in (FORGET_OPEN, FORGET_FIELDS):
        await transaction.raw.execute(statement, transaction.workspace_id, conversation_ids)


async def forget_parked(transaction: Transaction, conversation_ids: Sequence[str]) -> None:
    """Remove events that could not be applied: they carry messages. For the worker role."""
    await transaction.raw.execute(FORGET_PARKED, transaction.workspace_id, conversation_ids)


def _decision_to(decision: Decision) -> dict[str, Any]:
    handover = decision.handover
    return {
        "text": decision.text,
        "handover": handover and {"reason": handover.reason.value, "summary": handover.summary},
    }


def _decision_of(text: str | None) -> Decision | None:
    if text is None:
        return None
    stored = json.loads(text)
    handover = stored["handover"]
    if handover is None:
        return Decision(stored["text"])
    reason = HandoverReason(handover["reason"])
    return Decision(stored["text"], Handover(reason, handover["summary"]))


def _turn(row: asyncpg.Record) -> Turn:
    reason, outcome = row["handover_reason"], row["outcome"]
    return Turn(
        id=str(row["id"]),
        conversation_id=str(row["conversation_id"]),
        number=row["number"],
        seen_ordinal=row["seen_ordinal"],
        mode_epoch=row["mode_epoch"],
        provider=ProviderKind(row["provider"]),
        start_time=row["start_time"],
        usage=Usage(
            model=row["model"],
            prompt_version=row["prompt_version"],
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            provider_millis=row["provider_millis"],
        ),
        tool_calls=tuple(
            ToolCall(None if name is None else Tool(name), is_refused)
            for name, is_refused in json.loads(row["tool_calls"])
        ),
        article_ids=tuple(map(str, row["article_ids"])),
        decision=_decision_of(row["decision"]),
        handover_reason=None if reason is None else HandoverReason(reason),
        outcome=None if outcome is None else Outcome(outcome),
        message_id=str(row["message_id"] or ""),
        end_time=row["end_time"],
    )
