"""Checks of request fields that the servicers share."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from chassis.errors import FieldInvalid
from chassis.requests import required
from services.conversation.model.tags import MAX_TAG_CHARACTERS


def not_negative(field: str, value: int) -> int:
    """A number from 0. Raises: FieldInvalid."""
    if value < 0:
        raise FieldInvalid(field, "must not be negative")
    return value


def tag_name(value: str) -> str:
    """What a request calls a tag: its id in canonical form, its key or an alias.

    Raises: FieldInvalid.
    """
    name = required("tag", value).lower()
    try:
        return str(UUID(name))
    except ValueError:
        pass
    if len(name) > MAX_TAG_CHARACTERS:
        raise FieldInvalid("tag", "must be a tag's id or key")
    return name


def time_in_token(part: str) -> datetime:
    """A time in a page token. Raises: ValueError, TypeError."""
    time = datetime.fromisoformat(part)
    if time.tzinfo is None:
        raise ValueError("not a point in time")
    return time.astimezone(UTC)


def id_in_token(part: str) -> str:
    """An id in a page token. Raises: ValueError, AttributeError."""
    return str(UUID(part))


def text_in_token(part: str) -> str:
    """A text in a page token. Raises: ValueError."""
    if not isinstance(part, str) or "\x00" in part:
        raise ValueError("not a text")
    return part
