"""Handovers: the AI gives a conversation to people and says why."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FieldInvalid

MAX_SUMMARY = 2_000
MAX_FIELDS = 16
MAX_KEY = 64
MAX_VALUE = 500
"""Characters, and fields; small because every event of a waiting thread carries them."""


class HandoverReason(enum.Enum):
    """Why the AI gave it to people; values are the names in SQL."""

    CUSTOMER_ASKED = "customer_asked"
    UNSURE = "unsure"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_SLOW = "provider_slow"
    POLICY = "policy"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CollectedField:
    """One detail the AI learned from the customer."""

    key: str
    value: str
    source_seq: int = 0
    """The message it was read from; 0 when it is none in particular."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a person should know who takes it from here."""

    reason: HandoverReason
    summary: str
    fields: tuple[CollectedField, ...]
    create_time: datetime


def refuse_unless_sound(handover: Handover) -> None:
    """Raises: FieldInvalid."""
    _refuse_unless_storable("summary", handover.summary, MAX_SUMMARY)
    if len(handover.fields) > MAX_FIELDS:
        raise FieldInvalid(field="fields", rule=f"must be at most {MAX_FIELDS}")
    if len({field.key for field in handover.fields}) < len(handover.fields):
        raise FieldInvalid(field="fields.key", rule="must be given once")
    for field in handover.fields:
        if not field.key.strip():
            raise FieldInvalid(field="fields.key", rule="must not be empty")
        _refuse_unless_storable("fields.key", field.key, MAX_KEY)
        _refuse_unless_storable("fields.value", field.value, MAX_VALUE)
        if field.source_seq < 0:
            raise FieldInvalid(field="fields.source_seq", rule="must not be negative")


def _refuse_unless_storable(field: str, text: str, max_length: int) -> None:
    if len(text) > max_length:
        raise FieldInvalid(field=field, rule=f"must have at most {max_length} characters")
    if "\x00" in text:
        raise FieldInvalid(field=field, rule="must not contain the character U+0000")
