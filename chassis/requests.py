"""Checks of request fields: each refusal names the field and the rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import FieldInvalid
from chassis.ids import parse_id

__all__ = ["no_nul", "not_negative", "page_size", "parse_id", "required", "text"]

MAX_NAME_CHARACTERS = 80
MAX_DEPTH = 32


def required(field: str, value: str) -> str:
    """A value that must not be empty. Raises: FieldInvalid."""
    if not value:
        raise FieldInvalid(field=field, rule="must be set")
    return value


def text(field: str, value: str, *, at_most: int = MAX_NAME_CHARACTERS) -> str:
    """One line of 1 to `at_most` characters, without space around it. Raises: FieldInvalid."""
    trimmed = value.strip()
    if not trimmed:
        raise FieldInvalid(field=field, rule="must not be empty")
    if len(trimmed) > at_most:
        raise FieldInvalid(field=field, rule=f"must have at most {at_most} characters")
    if not trimmed.isprintable():
        raise FieldInvalid(field=field, rule="must not contain control characters")
    return trimmed


def page_size(value: int, *, default: int = 50, at_most: int = 200) -> int:
    """The size of a page: 0 is the default, more than the maximum is the maximum.

    Raises: FieldInvalid, for a negative one.
    """
    if value < 0:
        raise FieldInvalid(field="page_size", rule="must not be negative")
    return min(value or default, at_most)


def not_negative(field: str, value: int) -> int:
    """A count or version. Raises: FieldInvalid."""
    if value < 0:
        raise FieldInvalid(field=field, rule="must not be negative")
    return value


def no_nul(message: Message, path: str = "", depth: int = 0) -> None:
    """Refuse U+0000 in any text: PostgreSQL cannot hold it. Raises: FieldInvalid."""
    if depth > MAX_DEPTH:
        raise FieldInvalid(field=path, rule="is nested too deeply")
    for field, value in message.ListFields():
        name = f"{path}.{field.name}" if path else field.name
        for item in _items(field, value):
            if isinstance(item, str) and "\x00" in item:
                raise FieldInvalid(field=name, rule="must not contain U+0000")
            if isinstance(item, Message):
                no_nul(item, name, depth + 1)


def _items(field: FieldDescriptor, value: Any) -> Iterable[Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return [*value.keys(), *value.values()]
    return value if field.is_repeated else (value,)
