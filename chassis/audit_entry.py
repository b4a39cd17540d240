"""An audit entry as it is kept, and the digest that seals it.

The digest covers what was said of an entity only by a salted digest of that. Once an erase took
the words and the salt away, what is left still proves the entry and tells nothing of them.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import orjson

FORM = "inbox.audit.v1"
"""Opens what is digested; another form of entry gets another name."""

COLUMNS = """
id, workspace_id, create_time, actor_kind, actor_id, actor_name, command, entity_kind, entity_id,
traceparent, before, after, salt, contents_digest, erase_time, digest
"""


class ActorKind(enum.Enum):
    """What kind of caller caused a change; values are the names in SQL."""

    MEMBER = "member"
    API_KEY = "api_key"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change, as they were called then."""

    kind: ActorKind
    id: str
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything the digest covers."""

    id: str
    workspace_id: str
    create_time: datetime
    actor: Actor
    command: str
    entity_kind: str
    entity_id: str
    traceparent: str
    before: str | None
    """JSON, byte for byte what was digested."""
    after: str | None
    salt: bytes | None
    """Gone with the contents once they were erased."""
    contents_digest: bytes
    erase_time: datetime | None = None

    def digest(self) -> bytes:
        """SHA-256 over everything but the contents, and over the contents' own digest."""
        return _digest(
            FORM,
            self.id,
            self.workspace_id,
            self.create_time.astimezone(UTC).isoformat(timespec="microseconds"),
            self.actor.kind.value,
            self.actor.id,
            self.actor.display_name,
            self.command,
            self.entity_kind,
            self.entity_id,
            self.traceparent,
            self.contents_digest.hex(),
        )

    def has_its_contents(self) -> bool:
        """Whether the contents are what was written, or were erased altogether."""
        if self.erase_time is not None:
            return self.before is None and self.after is None
        return contents_digest(self.before, self.after, self.salt) == self.contents_digest

    def row(self) -> tuple[object, ...]:
        """Its values in the order of `COLUMNS`."""
        return (
            self.id,
            self.workspace_id,
            self.create_time,
            self.actor.kind.value,
            self.actor.id,
            self.actor.display_name,
            self.command,
            self.entity_kind,
            self.entity_id,
            self.traceparent,
            self.before,
            self.after,
            self.salt,
            self.contents_digest,
            self.erase_time,
            self.digest(),
        )


def entry_of(row: asyncpg.Record) -> Entry:
    """An entry from a row of `COLUMNS`."""
    return Entry(
        id=str(row["id"]),
        workspace_id=str(row["workspace_id"]),
        create_time=row["create_time"],
        actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"], row["actor_name"]),
        command=row["command"],
        entity_kind=row["entity_kind"],
        entity_id=row["entity_id"],
        traceparent=row["traceparent"],
        before=row["before"],
        after=row["after"],
        salt=row["salt"],
        contents_digest=row["contents_digest"],
        erase_time=row["erase_time"],
    )


def contents_digest(before: str | None, after: str | None, salt: bytes | None) -> bytes:
    """SHA-256 over what was said of an entity; nobody can guess at it without the salt."""
    return _digest((salt or b"").hex(), before, after)


def _digest(*parts: str | None) -> bytes:
    # A JSON list says where each part ends, so no two lists of parts are the same bytes.
    return hashlib.sha256(orjson.dumps(parts)).digest()
