"""Ids: where they are made and how they are read."""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType
from uuid import UUID

import uuid_utils

from chassis.errors import FieldInvalid

WorkspaceId = NewType("WorkspaceId", str)
"""A workspace's UUID in its canonical form. It comes from the credential, never from a body."""


def new_id() -> str:
    """A fresh UUID (version 7, so ids made later sort later), canonical text."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str) -> str:
    """The same UUID for the same parts, for ids that a repeat must find again."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:16])
    # Version 8, variant RFC 9562, by hand: UUID() knows that version from Python 3.14 on.
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return str(UUID(int=number))


def parse_id(field: str, value: str) -> str:
    """The canonical form of a UUID from a request. Raises: FieldInvalid."""
    try:
        return str(UUID(value))
    except ValueError:
        raise FieldInvalid(field=field, rule="must be a UUID") from None


def new_secret() -> str:
    """256 random bits, url-safe."""
    return secrets.token_urlsafe(32)
