"""Drafts: what somebody began to write in a conversation and has not sent.

A draft has a version that goes on after its deletion. So a save that arrives late, after the text
was sent and the draft deleted, is refused and brings nothing back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import IdempotencyKeyReused, VersionConflict

MAX_DRAFT_CHARACTERS = 20_000
"""More than any channel takes at once, and little enough to save every two seconds."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One person's draft in one conversation."""

    conversation_id: str
    text: str
    """Empty once it was deleted."""
    update_time: datetime
    version: int
    request_id: str
    """The request that made it so; a repeat of it changes nothing."""


def saved(
    draft: Draft | None,
    conversation_id: str,
    text: str,
    *,
    request_id: str,
    expected_version: int,
    at: datetime,
) -> Draft:
    """The draft with a new text; the same object for a repeat.

    Raises: VersionConflict, IdempotencyKeyReused.
    """
    if draft is None:
        _check_version(0, expected_version)
        return Draft(conversation_id, text, at, 1, request_id)
    if draft.request_id == request_id:
        if draft.text != text:
            raise IdempotencyKeyReused("request_id")
        return draft
    _check_version(draft.version, expected_version)
    return replace(
        draft, text=text, update_time=at, version=draft.version + 1, request_id=request_id
    )


def deleted(draft: Draft, *, request_id: str, expected_version: int, at: datetime) -> Draft:
    """The draft without a text; the same object where it has none.

    Raises: VersionConflict, IdempotencyKeyReused.
    """
    if not draft.text:
        return draft
    return saved(
        draft,
        draft.conversation_id,
        "",
        request_id=request_id,
        expected_version=expected_version,
        at=at,
    )


def _check_version(version: int, expected_version: int) -> None:
    if expected_version != version:
        raise VersionConflict(expected_version, version)
