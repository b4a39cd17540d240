"""The audit: who changed what by which command, written in the transaction of the change.

    change = audit.Change.of("member", member.id, kept_of(member), kept_of(changed))
    await audit.append(transaction, caller, "IdentityService/UpdateMember", [change], at=now)

An entry is sealed when it is written (`chassis.audit_entry`) and gets its place in its workspace's
chain afterwards (`chassis.audit_chain`), so no request waits for another.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from chassis import tracing
from chassis.audit_entry import COLUMNS, Actor, ActorKind, Entry, contents_digest
from chassis.auth import Caller, Role
from chassis.database import Transaction
from chassis.ids import new_id

__all__ = [
    "SYSTEM",
    "WITHHELD",
    "Actor",
    "ActorKind",
    "Change",
    "Fields",
    "actor_of",
    "append",
    "erase",
]

SYSTEM = Actor(ActorKind.SYSTEM, "")
"""Nobody asked: the suite did it by itself, and the command says on what occasion."""
WITHHELD = "withheld"
"""Stands for a value that is never kept, a password or a credential: it was set, no more."""
SALT_BYTES = 16

Fields: TypeAlias = Mapping[str, Any]
"""Of an entity, by name: text, numbers, times, enums, and lists and mappings of them."""

APPEND = f"""
INSERT INTO audit_entries ({COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""

ERASE = """
UPDATE audit_entries SET before = NULL, after = NULL, salt = NULL, erase_time = $4
WHERE workspace_id = $1 AND entity_kind = $2 AND entity_id = ANY ($3) AND erase_time IS NULL
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What a command did to one entity: the fields that differ, before and after."""

    entity_kind: str
    entity_id: str
    before: Fields | None
    """None for a new entity."""
    after: Fields | None
    """None for one that is gone."""

    @classmethod
    def of(
        cls, entity_kind: str, entity_id: str, before: Fields | None, after: Fields | None
    ) -> Change:
        """Two looks at an entity, reduced to what differs."""
        if before is not None and after is not None:
            before, after = _without(before, after), _without(after, before)
        return cls(entity_kind, entity_id, before, after)

    @property
    def is_empty(self) -> bool:
        """Nothing differs."""
        return not self.before and not self.after


def actor_of(caller: Caller) -> Actor:
    """A caller as the actor of a change."""
    if caller.is_key:
        kind = ActorKind.API_KEY
    else:
        kind = ActorKind.SERVICE if caller.role is Role.SERVICE else ActorKind.MEMBER
    return Actor(kind, caller.id, caller.display_name)


async def append(
    transaction: Transaction,
    by: Caller | Actor,
    command: str,
    changes: Sequence[Change],
    *,
    at: datetime,
) -> None:
    """Write an entry for each change in the transaction's workspace; none where nothing differs.

    `command` is the RPC as `<Service>/<Method>`, or in snake_case what moved the system.
    """
    workspace_id = transaction.workspace_id
    assert workspace_id is not None  # noqa: S101 - a change belongs to a workspace
    actor = by if isinstance(by, Actor) else actor_of(by)
    entries = [
        _entry(workspace_id, actor, command, change, at)
        for change in changes
        if not change.is_empty
    ]
    if entries:
        await transaction.raw.executemany(APPEND, [entry.row() for entry in entries])


async def erase(
    transaction: Transaction, entity_kind: str, entity_ids: Sequence[str], *, at: datetime
) -> int:
    """Take away what was said of entities, as the worker; how many entries lost their contents.

    That something was changed, when and by whom stays, and the chain stays whole.
    """
    done = await transaction.raw.execute(
        ERASE, transaction.workspace_id, entity_kind, entity_ids, at
    )
    return int(done.rpartition(" ")[2])


def _without(fields: Fields, others: Fields) -> Fields:
    """The fields that the others lack or have with another value."""
    return {
        name: value for name, value in fields.items() if name not in others or others[name] != value
    }


def _entry(workspace_id: str, actor: Actor, command: str, change: Change, at: datetime) -> Entry:
    before, after, salt = _json(change.before), _json(change.after), secrets.token_bytes(SALT_BYTES)
    return Entry(
        id=new_id(),
        workspace_id=workspace_id,
        create_time=at,
        actor=actor,
        command=command,
        entity_kind=change.entity_kind,
        entity_id=change.entity_id,
        traceparent=tracing.traceparent(),
        before=before,
        after=after,
        salt=salt,
        contents_digest=contents_digest(before, after, salt),
    )


def _json(fields: Fields | None) -> str | None:
    return None if fields is None else orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
