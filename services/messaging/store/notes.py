"""Handovers and rows for the team as JSON columns."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from services.messaging.model.handover import CollectedField, Handover, HandoverReason
from services.messaging.model.message import (
    AiResumed,
    Author,
    AuthorKind,
    ModeSwitched,
    SystemNote,
)
from services.messaging.model.thread import ConversationMode


def handover_to_json(handover: Handover) -> str:
    """A handover for its column."""
    return json.dumps(_handover_to(handover))


def handover_of(text: str) -> Handover:
    """A handover from its column."""
    return _handover_from(json.loads(text))


def note_to_json(note: SystemNote) -> str:
    """What a row for the team tells, for its column."""
    match note:
        case ModeSwitched(mode, author):
            by = [author.kind.value, author.id, author.display_name]
            return json.dumps({"mode_switched": {"mode": mode.value, "author": by}})
        case Handover():
            return json.dumps({"handover": _handover_to(note)})
        case AiResumed():
            return json.dumps({"ai_resumed": {}})


def note_of(text: str) -> SystemNote:
    """What a row for the team tells, from its column."""
    ((kind, told),) = json.loads(text).items()
    match kind:
        case "mode_switched":
            author_kind, author_id, display_name = told["author"]
            author = Author(AuthorKind(author_kind), author_id, display_name)
            return ModeSwitched(ConversationMode(told["mode"]), author)
        case "handover":
            return _handover_from(told)
        case "ai_resumed":
            return AiResumed()
    raise ValueError(kind)


def _handover_to(handover: Handover) -> dict[str, Any]:
    return {
        "reason": handover.reason.value,
        "summary": handover.summary,
        "fields": [[field.key, field.value, field.source_seq] for field in handover.fields],
        "create_time": handover.create_time.isoformat(),
    }


def _handover_from(told: dict[str, Any]) -> Handover:
    return Handover(
        HandoverReason(told["reason"]),
        told["summary"],
        tuple(CollectedField(*field) for field in told["fields"]),
        datetime.fromisoformat(told["create_time"]),
    )
