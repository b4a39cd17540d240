"""The audit of one service, served to whoever owns the workspace.

Each service gives it the name that calls reach it by:

    class MediaAuditService(AuditLog, media_v1.MediaAuditServiceServicer):
        \"\"\"Who changed what in media.\"\"\"
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import paging
from chassis.audit_chain import (
    BEGINNING,
    HASH_BYTES,
    Anchor,
    Break,
    BreakKind,
    verify,
    workspace_after,
)
from chassis.audit_entry import COLUMNS, ActorKind, entry_of
from chassis.auth import require_caller
from chassis.database import Database
from chassis.errors import FieldInvalid
from chassis.ids import WorkspaceId
from chassis.requests import page_size
from inbox.audit import v1 as audit_v1

MAX_ANSWER_BYTES = 3 * 2**20
"""Below the 4 MiB that a message may have; a single entry is far smaller."""
MAX_VERIFIED = 1000
"""Entries that one answer is about: a fraction of a second."""
NO_WORKSPACE = WorkspaceId(str(UUID(int=0)))
"""Comes before every workspace."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

ACTOR_KINDS = {
    ActorKind.MEMBER: audit_v1.ACTOR_KIND_MEMBER,
    ActorKind.API_KEY: audit_v1.ACTOR_KIND_API_KEY,
    ActorKind.SERVICE: audit_v1.ACTOR_KIND_SERVICE,
    ActorKind.SYSTEM: audit_v1.ACTOR_KIND_SYSTEM,
}
BREAK_KINDS = {
    BreakKind.CONTENTS_CHANGED: audit_v1.AUDIT_BREAK_KIND_CONTENTS_CHANGED,
    BreakKind.ENTRY_CHANGED: audit_v1.AUDIT_BREAK_KIND_ENTRY_CHANGED,
    BreakKind.ENTRY_MISSING: audit_v1.AUDIT_BREAK_KIND_ENTRY_MISSING,
    BreakKind.HASH_CHANGED: audit_v1.AUDIT_BREAK_KIND_HASH_CHANGED,
    BreakKind.ENTRY_ADDED: audit_v1.AUDIT_BREAK_KIND_ENTRY_ADDED,
    BreakKind.ANCHOR_MISSED: audit_v1.AUDIT_BREAK_KIND_ANCHOR_MISSED,
}

LIST = f"""
SELECT {COLUMNS}, position, hash FROM audit_entries
WHERE workspace_id = $1 AND create_time >= $2 AND (create_time, id) < ($3, $4)
  {{filters}}
ORDER BY create_time DESC, id DESC LIMIT $5
"""
AFTER_ALL = (datetime(9999, 1, 1, tzinfo=UTC), str(UUID(int=0)))


class AuditLog:
    """Lists and verifies the entries of one database."""

    def __init__(self, app: Database, worker: Database) -> None:
        """The two roles' pools; the worker's is for a look at all workspaces."""
        self._app = app
        self._worker = worker

    async def ListAuditEntries(
        self, request: audit_v1.ListAuditEntriesRequest, context: Any
    ) -> audit_v1.ListAuditEntriesResponse:
        """Lists the workspace's entries, newest first."""
        workspace_id = require_caller().workspace
        count = page_size(request.page_size)
        since = _since(request)
        query = ("ListAuditEntries", workspace_id, request.entity_id, request.actor_id, since)
        before = paging.position_in(request.page_token, query, (_time_in_token, _id_in_token))
        filters = [
            (column, value)
            for column, value in (
                ("entity_id", request.entity_id),
                ("actor_id", request.actor_id),
            )
            if value
        ]
        statement = LIST.format(
            filters=" ".join(f"AND {name} = ${6 + at}" for at, (name, _) in enumerate(filters))
        )
        async with self._app.begin(workspace_id) as transaction:
            rows = await transaction.raw.fetch(
                statement,
                workspace_id,
                since,
                *(before or AFTER_ALL),
                count + 1,
                *(value for _, value in filters),
            )
        page = _fitting([_message(row) for row in rows[:count]])
        token = ""
        if len(rows) > len(page):
            last = rows[len(page) - 1]
            token = paging.next_token(query, (last["create_time"].isoformat(), str(last["id"])))
        return audit_v1.ListAuditEntriesResponse(audit_entries=page, next_page_token=token)

    async def VerifyAuditChain(
        self, request: audit_v1.VerifyAuditChainRequest, context: Any
    ) -> audit_v1.VerifyAuditChainResponse:
        """Verifies the workspace's chain; without a workspace, all of them one after the other."""
        own = require_caller().workspace_id
        anchor = _anchor_in(request, own)
        query = ("VerifyAuditChain", own, anchor)
        place = paging.position_in(request.page_token, query, (_id_in_token, _anchor_in_token))
        workspace_id, start = place or (own or NO_WORKSPACE, BEGINNING)
        database = self._app if own else self._worker
        async with database.begin(own) as transaction:
            verdict = await verify(
                transaction, workspace_id, start=start, anchor=anchor, at_most=MAX_VERIFIED
            )
            following = None if own else await workspace_after(transaction, workspace_id)
        token = ""
        if not verdict.is_complete:
            token = _verify_token(query, workspace_id, verdict.reached)
        elif following is not None and verdict.broken is None:
            token = _verify_token(query, following, BEGINNING)
        return audit_v1.VerifyAuditChainResponse(
            verified_count=verdict.reached.position - start.position,
            broken=_break_message(workspace_id, verdict.broken),
            anchor=_anchor_message(verdict.reached) if own else None,
            next_page_token=token,
        )


def _message(row: asyncpg.Record) -> audit_v1.AuditEntry:
    entry = entry_of(row)
    return audit_v1.AuditEntry(
        id=entry.id,
        create_time=_timestamp(entry.create_time),
        actor=audit_v1.Actor(
            kind=ACTOR_KINDS[entry.actor.kind],
            id=entry.actor.id,
            display_name=entry.actor.display_name,
        ),
        command=entry.command,
        entity_kind=entry.entity_kind,
        entity_id=entry.entity_id,
        before=_struct(entry.before),
        after=_struct(entry.after),
        erase_time=_timestamp(entry.erase_time),
        traceparent=entry.traceparent,
        position=row["position"] or 0,
        hash=row["hash"] or b"",
    )


def _break_message(workspace_id: WorkspaceId, broken: Break | None) -> audit_v1.AuditBreak | None:
    if broken is None:
        return None
    return audit_v1.AuditBreak(
        kind=BREAK_KINDS[broken.kind],
        workspace_id=workspace_id,
        position=broken.position,
        audit_entry_id=broken.entry_id,
    )


def _anchor_message(anchor: Anchor) -> audit_v1.AuditAnchor:
    if anchor == BEGINNING:
        return audit_v1.AuditAnchor()
    return audit_v1.AuditAnchor(position=anchor.position, hash=anchor.hash)


def _fitting(messages: list[audit_v1.AuditEntry]) -> list[audit_v1.AuditEntry]:
    """As many as one answer may hold, and one at least."""
    size = 0
    for count, message in enumerate(messages):
        size += message.ByteSize()
        if count and size > MAX_ANSWER_BYTES:
            return messages[:count]
    return messages


def _since(request: audit_v1.ListAuditEntriesRequest) -> datetime:
    if not request.HasField("since_time"):
        return EARLIEST
    try:
        return request.since_time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise FieldInvalid(field="since_time", rule="must be a valid time") from None


def _anchor_in(request: audit_v1.VerifyAuditChainRequest, own: WorkspaceId | None) -> Anchor:
    if not request.HasField("anchor"):
        return BEGINNING
    if own is None:
        raise FieldInvalid(field="anchor", rule="needs a credential bound to a workspace")
    given = request.anchor
    if given == audit_v1.AuditAnchor():
        return BEGINNING
    if given.position < 1 or len(given.hash) != HASH_BYTES:
        raise FieldInvalid(field="anchor", rule="must be one of an earlier answer")
    return Anchor(given.position, given.hash)


def _verify_token(query: tuple[object, ...], workspace_id: WorkspaceId, at: Anchor) -> str:
    return paging.next_token(query, (workspace_id, f"{at.position} {at.hash.hex()}"))


def _anchor_in_token(part: str) -> Anchor:
    position, content = part.split(" ")
    anchor = Anchor(int(position), bytes.fromhex(content))
    if anchor.position not in range(2**62) or len(anchor.hash) != HASH_BYTES:
        raise ValueError("not a place in a chain")
    return anchor


def _time_in_token(part: str) -> datetime:
    time = datetime.fromisoformat(part)
    if time.tzinfo is None:
        raise ValueError("not a point in time")
    return time


def _id_in_token(part: str) -> WorkspaceId:
    return WorkspaceId(str(UUID(part)))


def _struct(fields: str | None) -> Struct | None:
    return None if fields is None else json_format.Parse(fields, Struct())


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
