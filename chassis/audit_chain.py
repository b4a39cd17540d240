"""The chain of a workspace's audit entries: links are put on by one worker, verified by anybody.

An entry's hash is SHA-256 over the previous hash, its position and its digest, so whoever changes
or takes away one entry would have to compute every later hash anew, and would still be told from
the true chain by any hash that somebody kept outside (`Anchor`).

    process.supervise("audit chain", AuditChain(worker_database, process.clock).run)
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from chassis import metrics
from chassis.audit_entry import COLUMNS, entry_of
from chassis.clock import Clock, SystemClock
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId

POLL = timedelta(milliseconds=250)
MAX_BATCH = 500
HASH_BYTES = hashlib.sha256().digest_size

# The lock ends with the transaction and no sooner, so two replicas never chain at once.
TAKE_TURN = """
SELECT pg_try_advisory_xact_lock(hashtext('inbox.audit_chain'))
WHERE EXISTS (SELECT FROM audit_entries WHERE position IS NULL)
"""

WAITING = """
SELECT workspace_id, id, digest FROM audit_entries
WHERE position IS NULL ORDER BY create_time, id LIMIT $1
"""

END = "SELECT last_position, last_hash FROM audit_chains WHERE workspace_id = $1"

# By the end that is noted, and never a place that is taken: should somebody have moved an end
# back, the break is for `verify` to find, and no reason to leave other workspaces waiting.
NEWEST_LINKS = """
SELECT DISTINCT ON (workspace_id) workspace_id, position, hash FROM (
    SELECT workspace_id, last_position AS position, last_hash AS hash, 1 AS preference
    FROM audit_chains WHERE workspace_id = ANY ($1)
    UNION ALL
    SELECT waiting.workspace_id, newest.position, newest.hash, 2 AS preference
    FROM unnest($1::uuid[]) AS waiting (workspace_id), LATERAL (
        SELECT position, hash FROM audit_entries
        WHERE audit_entries.workspace_id = waiting.workspace_id AND position IS NOT NULL
        ORDER BY position DESC LIMIT 1
    ) AS newest
) AS links ORDER BY workspace_id, position DESC, preference
"""

LINK = """
UPDATE audit_entries SET position = links.position, hash = links.hash
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bytea[])
    AS links (workspace_id, id, position, hash)
WHERE audit_entries.workspace_id = links.workspace_id AND audit_entries.id = links.id
"""

MOVE_ENDS = """
INSERT INTO audit_chains (workspace_id, last_position, last_hash)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])
ON CONFLICT (workspace_id) DO UPDATE
SET last_position = EXCLUDED.last_position, last_hash = EXCLUDED.last_hash
"""

NEXT_ENTRIES = f"""
SELECT {COLUMNS}, position, hash FROM audit_entries
WHERE workspace_id = $1 AND position > $2 ORDER BY position LIMIT $3
"""

# Also a workspace of which somebody took the end, or every entry, away.
NEXT_WORKSPACE = """
SELECT workspace_id::text FROM (
    (SELECT workspace_id FROM audit_entries WHERE workspace_id > $1 ORDER BY 1 LIMIT 1)
    UNION ALL
    (SELECT workspace_id FROM audit_chains WHERE workspace_id > $1 ORDER BY 1 LIMIT 1)
) AS next ORDER BY workspace_id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in a chain."""

    position: int
    hash: bytes

    def then(self, digest: bytes) -> Anchor:
        """The next place, taken by an entry with this digest."""
        position = self.position + 1
        content = self.hash + position.to_bytes(8, "big") + digest
        return Anchor(position, hashlib.sha256(content).digest())


BEGINNING = Anchor(0, bytes(HASH_BYTES))
"""Before the first entry of any chain."""


class BreakKind(enum.Enum):
    """What is wrong with a chain."""

    CONTENTS_CHANGED = enum.auto()
    ENTRY_CHANGED = enum.auto()
    ENTRY_MISSING = enum.auto()
    HASH_CHANGED = enum.auto()
    ENTRY_ADDED = enum.auto()
    ANCHOR_MISSED = enum.auto()


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that is not as it was written."""

    kind: BreakKind
    position: int
    entry_id: str = ""
    """Empty when it is missing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along a chain gave."""

    reached: Anchor
    """As far as everything is as it was written."""
    broken: Break | None = None
    is_complete: bool = True
    """Whether the walk came to the chain's end."""


class AuditChain:
    """Gives each entry of one service database its place, in the order in which they came."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        """`database` is the worker role's."""
        self._database = database
        self._clock = clock or SystemClock()

    async def run(self) -> None:
        """Link for ever. Raises: DatabaseUnavailable; a supervisor calls it again."""
        while True:
            while await self.link_some() == MAX_BATCH:
                continue
            await self._clock.sleep(POLL)

    async def link_some(self) -> int:
        """Link the oldest waiting entries; how many. None while another replica does it."""
        async with self._database.begin() as transaction:
            if not await transaction.raw.fetchval(TAKE_TURN):
                return 0
            rows = await transaction.raw.fetch(WAITING, MAX_BATCH)
            if not rows:
                return 0  # the replica that had the turn before did it
            workspaces = list({row["workspace_id"] for row in rows})
            ends = dict.fromkeys(workspaces, BEGINNING)
            for newest in await transaction.raw.fetch(NEWEST_LINKS, workspaces):
                ends[newest["workspace_id"]] = Anchor(newest["position"], newest["hash"])
            links = []
            for row in rows:
                link = ends[row["workspace_id"]].then(row["digest"])
                ends[row["workspace_id"]] = link
                links.append((row["workspace_id"], row["id"], link.position, link.hash))
            await transaction.raw.execute(LINK, *zip(*links, strict=True))
            moved = [(workspace, end.position, end.hash) for workspace, end in ends.items()]
            await transaction.raw.execute(MOVE_ENDS, *zip(*moved, strict=True))
        metrics.AUDIT_LINKED.inc(len(links))
        return len(links)


async def verify(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    *,
    start: Anchor = BEGINNING,
    anchor: Anchor = BEGINNING,
    at_most: int,
) -> Verdict:
    """Walk a workspace's chain on from a place, at most so many entries, to the first break.

    The chain must lead through `anchor`, an end it had when somebody noted it. This has to come
    first in its transaction, so that all of it sees one moment.
    """
    await transaction.raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    noted = await transaction.raw.fetchrow(END, workspace_id)
    end = BEGINNING if noted is None else Anchor(noted["last_position"], noted["last_hash"])
    rows = await transaction.raw.fetch(NEXT_ENTRIES, workspace_id, start.position, at_most)
    reached = start
    for row in rows:
        link = reached.then(row["digest"])
        kind = _fault_in(row, link, end, anchor)
        if kind is BreakKind.ENTRY_MISSING:
            return Verdict(reached, Break(kind, link.position))
        if kind is not None:
            return Verdict(reached, Break(kind, link.position, str(row["id"])))
        reached = link
    if len(rows) == at_most:
        return Verdict(reached, is_complete=False)
    if reached.position < max(end.position, anchor.position):
        return Verdict(reached, Break(BreakKind.ENTRY_MISSING, reached.position + 1))
    return Verdict(reached)


def _fault_in(row: asyncpg.Record, link: Anchor, end: Anchor, anchor: Anchor) -> BreakKind | None:
    """What is wrong with the entry that should be this link of the chain."""
    entry = entry_of(row)
    if row["position"] != link.position:
        return BreakKind.ENTRY_MISSING
    if link.position > end.position:
        return BreakKind.ENTRY_ADDED
    if not entry.has_its_contents():
        return BreakKind.CONTENTS_CHANGED
    if entry.digest() != row["digest"]:
        return BreakKind.ENTRY_CHANGED
    if link.hash != row["hash"] or (link.position == end.position and link.hash != end.hash):
        return BreakKind.HASH_CHANGED
    if link.position == anchor.position and link.hash != anchor.hash:
        return BreakKind.ANCHOR_MISSED
    return None


async def workspace_after(transaction: Transaction, workspace_id: str) -> WorkspaceId | None:
    """The workspace with a chain that comes after another, as the worker; None after the last."""
    found: str | None = await transaction.raw.fetchval(NEXT_WORKSPACE, workspace_id)
    return WorkspaceId(found) if found else None
