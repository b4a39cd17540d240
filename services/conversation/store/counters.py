"""Counters of the workspace, and how far they are from what they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import asyncpg

from chassis.database import Reading, Transaction
from services.conversation.model.conversation import Folder
from services.conversation.model.counters import Counter, CounterKey, CounterKind, Tally
from services.conversation.store.rows import columns

# The rows are locked in the order they are given in, which is that of their keys everywhere.
ADD = """
INSERT INTO counters AS kept
    (workspace_id, kind, subject_id, folder, conversation_count, unread_count, waiting_count,
     version)
SELECT $1, *, 1
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
ON CONFLICT (workspace_id, kind, subject_id, folder) DO UPDATE SET
    conversation_count = kept.conversation_count + excluded.conversation_count,
    unread_count = kept.unread_count + excluded.unread_count,
    waiting_count = kept.waiting_count + excluded.waiting_count,
    version = kept.version + 1
RETURNING kind, subject_id, folder, conversation_count, unread_count, waiting_count, version
"""
EVERY = """
SELECT * FROM counters
WHERE workspace_id = $1 AND (conversation_count, unread_count, waiting_count) <> (0, 0, 0)
ORDER BY kind, subject_id, folder
"""
FORGET_TAG = "DELETE FROM counters WHERE workspace_id = $1 AND kind = 'tag' AND subject_id = $2"
RAREST_FIRST = """
SELECT wanted.id FROM unnest($2::uuid[]) AS wanted (id)
LEFT JOIN counters ON workspace_id = $1 AND kind IN ('channel', 'tag')
                  AND subject_id = wanted.id AND folder = $3
ORDER BY coalesce(CASE WHEN $4 THEN unread_count ELSE conversation_count END, 0), wanted.id
"""
# A cursor shows one moment however long it is read, so both sides are of the same and need no lock.
# Conversations are counted range by range as rows are fetched: no statement lasts long.
COMPARE = """
DECLARE comparison NO SCROLL CURSOR FOR
WITH RECURSIVE ranges (after) AS (
    SELECT '00000000-0000-0000-0000-000000000000'::uuid
    UNION ALL
    SELECT (SELECT id FROM conversations WHERE workspace_id = $1 AND id > after
            ORDER BY id OFFSET $2::int - 1 LIMIT 1)
    FROM ranges WHERE after IS NOT NULL
)
SELECT counted.* FROM ranges CROSS JOIN LATERAL (
    SELECT kind, subject_id, folder, count(*) AS conversations,
           count(*) FILTER (WHERE inbound_count > read_ordinal) AS unread,
           count(waiting_since) AS waiting
    FROM (
        SELECT * FROM conversations WHERE workspace_id = $1 AND id > after ORDER BY id LIMIT $2
    ) AS part, LATERAL (
        SELECT 'folder', '00000000-0000-0000-0000-000000000000'::uuid
        UNION ALL SELECT 'channel', channel_id
        UNION ALL SELECT 'tag', tag_id FROM unnest(tag_ids) AS tag_id WHERE tag_id <> ALL (
            SELECT id FROM tags WHERE workspace_id = $1 AND is_deleted)
    ) AS counts (kind, subject_id)
    GROUP BY kind, subject_id, folder
) AS counted
UNION ALL
SELECT kind, subject_id, folder, -conversation_count, -unread_count, -waiting_count FROM counters
WHERE workspace_id = $1
"""
FETCH = "FETCH 20 FROM comparison"
CLOSE = "CLOSE comparison"
RANGE = 10_000
"""Conversations counted in one go; each range gives at least two rows, so a fetch counts ten."""
# Whoever mends waits here for the one before, and then looks anew.
CHECK_ALONE = "SELECT pg_advisory_xact_lock(hashtext('conversation-counters'), hashtext($1::text))"


async def add(transaction: Transaction, differences: Mapping[CounterKey, Tally]) -> list[Counter]:
    """Add to counters, in the order of the keys, as the last rows a transaction locks.

    Every change of the workspace waits for these, so nothing but the events may follow.
    """
    if not differences:
        return []
    rows = [(*key, *tally) for key, tally in differences.items()]
    changed = await transaction.raw.fetch(ADD, transaction.workspace_id, *columns(rows))
    return [_counter(row) for row in changed]


async def every(reading: Reading) -> list[Counter]:
    """The counters that are not zero."""
    rows = await reading.raw.fetch(EVERY, reading.workspace_id)
    return [_counter(row) for row in rows]


async def forget_tag(transaction: Transaction, tag_id: str) -> None:
    """Remove the counters of a tag that is locked and being deleted."""
    await transaction.raw.execute(FORGET_TAG, transaction.workspace_id, tag_id)


async def rarest_first(
    reading: Reading, subject_ids: list[str], folder: Folder, *, unread_only: bool
) -> list[str]:
    """Tags and channels in the order of how many conversations of a folder have them."""
    rows = await reading.raw.fetch(
        RAREST_FIRST, reading.workspace_id, subject_ids, folder.value, unread_only
    )
    return [str(row["id"]) for row in rows]


async def drift(transaction: Transaction) -> dict[CounterKey, Tally]:
    """What would have to be added to each counter that is not what it counts: nothing, if all is
    well. Nobody else can mend the workspace's counters until the end."""
    await transaction.raw.execute(CHECK_ALONE, transaction.workspace_id)
    await transaction.raw.execute(COMPARE, transaction.workspace_id, RANGE)
    sums: defaultdict[CounterKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    while rows := await transaction.raw.fetch(FETCH):
        for row in rows:
            tally = sums[CounterKey(row["kind"], str(row["subject_id"]), row["folder"])]
            tally[0] += row["conversations"]
            tally[1] += row["unread"]
            tally[2] += row["waiting"]
    await transaction.raw.execute(CLOSE)
    return {key: Tally(*sums[key]) for key in sorted(sums) if any(sums[key])}


def _counter(row: asyncpg.Record) -> Counter:
    return Counter(
        kind=CounterKind(row["kind"]),
        subject_id=str(row["subject_id"]),
        folder=Folder(row["folder"]),
        tally=Tally(row["conversation_count"], row["unread_count"], row["waiting_count"]),
        version=row["version"],
    )
