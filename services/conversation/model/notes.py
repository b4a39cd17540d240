"""Notes: what members write about contacts for each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import FieldInvalid, VersionConflict
from services.conversation.model.authors import Author

MAX_NOTES = 500
MAX_NOTE_CHARACTERS = 5000


@dataclass(frozen=True, slots=True)
class Note:
    """What a member wrote about a contact. It never reaches the customer."""

    id: str
    contact_id: str
    body: str
    author: Author
    create_time: datetime
    update_time: datetime
    is_deleted: bool = False
    version: int = 1


def body_of(value: str) -> str:
    """What a note says, without space around it. Raises: FieldInvalid."""
    body = value.strip()
    if not body or len(body) > MAX_NOTE_CHARACTERS:
        raise FieldInvalid("body", f"must have 1 to {MAX_NOTE_CHARACTERS} characters")
    return body


def changed(note: Note, body: str, at: datetime, *, expected_version: int = 0) -> Note:
    """The note with another body; the same object where it says so already.

    Raises: VersionConflict.
    """
    _check_version(note, expected_version)
    if body == note.body:
        return note
    return replace(note, body=body, update_time=at, version=note.version + 1)


def deleted(note: Note, at: datetime, *, expected_version: int = 0) -> Note:
    """The note as it is told of for the last time. Raises: VersionConflict."""
    _check_version(note, expected_version)
    return replace(note, body="", update_time=at, is_deleted=True, version=note.version + 1)


def _check_version(note: Note, expected_version: int) -> None:
    if expected_version not in (0, note.version):
        raise VersionConflict(expected_version, note.version)
