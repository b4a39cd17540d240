"""Lanes in SQL: leased with SKIP LOCKED under a fence, with a token of the channel's bucket.

Times are compared by the database's clock, so workers whose clocks differ agree on a lease; a test
that owns time gives its own instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.messaging.model.channel import ChannelId
from services.messaging.model.delivery import DeliveryStatus
from services.messaging.model.dispatch import LEASE, START_WITHIN, OpenAttempt
from services.messaging.model.message import MessageId
from services.messaging.model.thread import ConversationId
from services.messaging.store.contents import attachments_of
from services.messaging.store.rows import AUTHOR_KINDS, STATUSES, Row

MAX_OPEN_READ = 100
"""Open attempts of one lane that are looked at together; the rest have their turn later."""
MAX_REVIVED = 100

NOW = "coalesce($1::timestamptz, clock_timestamp())"
TOKENS = (
    "least(b.max_tokens, b.tokens + b.tokens_per_second * "
    "greatest(0, extract(epoch FROM (SELECT now FROM t) - b.refill_time)))"
)
# Channels with something due are found by hopping over the index, and only lanes of those that may
# be called are read: however much waits for a resting channel, it is in nobody's way. Who waits
# longest comes first. Buckets are locked after lanes, in the order of ids, and read again then.
LEASE_TO_CALL = f"""
WITH RECURSIVE t AS MATERIALIZED (SELECT {NOW} AS now),
active AS (
    (SELECT l.channel_id, l.next_attempt_time AS oldest FROM dispatch_lanes l
     WHERE l.next_attempt_time IS NOT NULL ORDER BY l.channel_id, l.next_attempt_time LIMIT 1)
    UNION ALL
    SELECT n.channel_id, n.next_attempt_time FROM active a CROSS JOIN LATERAL (
        SELECT l.channel_id, l.next_attempt_time FROM dispatch_lanes l
        WHERE l.next_attempt_time IS NOT NULL AND l.channel_id > a.channel_id
        ORDER BY l.channel_id, l.next_attempt_time LIMIT 1) n
), callable AS MATERIALIZED (
    SELECT a.channel_id, coalesce(floor({TOKENS}), $2)::int AS free
    FROM active a LEFT JOIN channel_buckets b ON b.channel_id = a.channel_id
    WHERE a.oldest <= (SELECT now FROM t)
      AND (b.channel_id IS NULL OR (
           (b.paused_until IS NULL OR b.paused_until <= (SELECT now FROM t)) AND {TOKENS} >= 1))
    ORDER BY a.oldest
), due AS MATERIALIZED (
    SELECT l.* FROM callable c CROSS JOIN LATERAL (
        SELECT d.workspace_id, d.conversation_id, d.channel_id, d.next_attempt_time
        FROM dispatch_lanes d
        WHERE d.channel_id = c.channel_id AND d.next_attempt_time <= (SELECT now FROM t)
          AND (d.lease_until IS NULL OR d.lease_until <= (SELECT now FROM t))
        ORDER BY d.next_attempt_time LIMIT least($2, c.free) FOR UPDATE SKIP LOCKED) l
    LIMIT $2
), granted AS MATERIALIZED (
    SELECT b.channel_id,
        CASE WHEN b.paused_until > (SELECT now FROM t) THEN 0 ELSE floor({TOKENS}) END AS free
    FROM channel_buckets b WHERE b.channel_id IN (SELECT channel_id FROM due)
    ORDER BY b.channel_id FOR UPDATE
), placed AS (
    SELECT d.*, row_number() OVER (
        PARTITION BY d.channel_id ORDER BY d.next_attempt_time, d.conversation_id) AS place
    FROM due d
), chosen AS MATERIALIZED (
    SELECT p.workspace_id, p.conversation_id, p.channel_id
    FROM placed p LEFT JOIN granted g ON g.channel_id = p.channel_id
    WHERE g.channel_id IS NULL OR p.place <= g.free
), spent AS (
    UPDATE channel_buckets b SET tokens = {TOKENS} - c.taken, refill_time = (SELECT now FROM t)
    FROM (SELECT channel_id, count(*) AS taken FROM chosen GROUP BY channel_id) c
    WHERE b.channel_id = c.channel_id
)
UPDATE dispatch_lanes l
SET lease_until = t.now + $3, lease_owner = $4, fence = l.fence + 1,
    next_attempt_time = t.now + $3, decision_time = t.now + $3
FROM chosen c, t
WHERE l.workspace_id = c.workspace_id AND l.conversation_id = c.conversation_id
RETURNING l.workspace_id, l.conversation_id, l.channel_id, l.fence, t.now
"""
# Deadlines decide whether or not the channel may be called; a lane that nobody has looked at since
# its first message came has no decision time yet.
LEASE_TO_DECIDE = f"""
WITH t AS MATERIALIZED (SELECT {NOW} AS now),
decided AS MATERIALIZED (
    SELECT l.workspace_id, l.conversation_id FROM dispatch_lanes l
    WHERE l.decision_time <= (SELECT now FROM t)
      AND (l.lease_until IS NULL OR l.lease_until <= (SELECT now FROM t))
    ORDER BY l.decision_time LIMIT $2 FOR UPDATE SKIP LOCKED
), aged AS MATERIALIZED (
    SELECT l.workspace_id, l.conversation_id FROM dispatch_lanes l
    WHERE l.next_attempt_time <= (SELECT now FROM t) - $5::interval
      AND (l.lease_until IS NULL OR l.lease_until <= (SELECT now FROM t))
    ORDER BY l.next_attempt_time LIMIT $2 FOR UPDATE SKIP LOCKED
), due AS (SELECT * FROM decided UNION SELECT * FROM aged LIMIT $2)
UPDATE dispatch_lanes l
SET lease_until = t.now + $3, lease_owner = $4, fence = l.fence + 1,
    next_attempt_time = t.now + $3, decision_time = t.now + $3
FROM due d, t
WHERE l.workspace_id = d.workspace_id AND l.conversation_id = d.conversation_id
RETURNING l.workspace_id, l.conversation_id, l.channel_id, l.fence, t.now
"""
LOCK_LANE = """
SELECT fence, revivable_until FROM dispatch_lanes
WHERE workspace_id = $1 AND conversation_id = $2 FOR UPDATE
"""
RELEASE = """
UPDATE dispatch_lanes
SET lease_until = NULL, lease_owner = NULL, next_attempt_time = $4, decision_time = $5,
    revivable_until = $6
WHERE workspace_id = $1 AND conversation_id = $2 AND fence = $3
"""
READ_OPEN = f"""
SELECT a.message_id, a.conversation_id, a.seq, a.number, a.delivery_status, a.channel_key,
    a.try_count, a.create_time, m.author_kind, m.text, a.due_time, a.first_try_time, a.fence,
    a.is_doubtful, m.content::text,
    EXISTS (SELECT FROM attempts e WHERE e.workspace_id = a.workspace_id
            AND e.message_id = a.message_id AND e.number < a.number
            AND e.delivery_status IN ('sent', 'delivered', 'read')) AS has_arrived
FROM attempts a JOIN messages m
    ON m.workspace_id = a.workspace_id AND m.conversation_id = a.conversation_id AND m.seq = a.seq
WHERE a.workspace_id = $1 AND a.conversation_id = $2 AND a.is_open
ORDER BY a.seq, a.number LIMIT {MAX_OPEN_READ}
"""
# The fence says which call this is: null between calls.
NOTE_CALL = """
UPDATE attempts SET fence = $4, try_count = $5, first_try_time = $6, due_time = $7,
    is_doubtful = $10, answer_time = coalesce($8, answer_time),
    platform_message_id = coalesce(platform_message_id, $9)
WHERE workspace_id = $1 AND message_id = $2 AND number = $3
"""
PAUSE = """
UPDATE channel_buckets SET paused_until = $2
WHERE channel_id = $1 AND (paused_until IS NULL OR paused_until < $2)
"""
READ_PAUSED = """
SELECT coalesce(paused_until > $2, false) FROM channel_buckets WHERE channel_id = $1
"""
WAKE_REVIVABLE = """
UPDATE dispatch_lanes l SET next_attempt_time = $1
FROM (
    SELECT d.workspace_id, d.conversation_id FROM dispatch_lanes d
    JOIN channel_buckets b ON b.channel_id = d.channel_id
    WHERE d.revivable_until > $1 AND (b.paused_until IS NULL OR b.paused_until <= $1)
      AND (d.next_attempt_time IS NULL OR d.next_attempt_time > $1)
      AND (d.lease_until IS NULL OR d.lease_until <= $1)
    LIMIT 1000 FOR UPDATE OF d SKIP LOCKED
) w
WHERE l.workspace_id = w.workspace_id AND l.conversation_id = w.conversation_id
"""
DECIDE_CHANNEL = """
UPDATE dispatch_lanes l SET decision_time = $3
FROM (
    SELECT d.conversation_id FROM dispatch_lanes d
    WHERE d.workspace_id = $1 AND d.channel_id = $2 AND d.next_attempt_time IS NOT NULL
    FOR UPDATE SKIP LOCKED
) w
WHERE l.workspace_id = $1 AND l.conversation_id = w.conversation_id
"""
READ_REVIVABLE = f"""
SELECT m.id FROM messages m
JOIN attempts a ON a.workspace_id = m.workspace_id AND a.message_id = m.id
    AND a.number = m.attempt_count
WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.direction = 'outbound'
  AND m.seq > $4 - 1000
  AND m.delivery_status = 'reported_failed' AND m.failure_reason = 'channel_needs_reconnection'
  AND a.create_time > $3
  -- What people took over from is not said later, whoever answers now (invariant I15).
  AND NOT (m.author_kind = 'ai' AND EXISTS (
      SELECT FROM messages s WHERE s.workspace_id = m.workspace_id
      AND s.conversation_id = m.conversation_id AND s.seq > m.seq
      AND s.system_note ?| ARRAY['mode_switched', 'handover']))
ORDER BY m.seq LIMIT {MAX_REVIVED}
"""


@dataclass(frozen=True, slots=True)
class LeasedLane:
    """A lane this worker alone may work on, until the lease ends."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId
    channel_id: ChannelId
    fence: int
    now: datetime
    """When it was leased, on the clock that leases are compared by."""
    may_call: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """What a lane's row holds beside its lease."""

    fence: int
    revivable_until: datetime | None


async def lease_to_call(
    transaction: Transaction, *, limit: int, owner: str, at: datetime | None
) -> list[LeasedLane]:
    """Lease lanes that are due, as many as their channels' buckets have tokens for."""
    rows = await transaction.raw.fetch(LEASE_TO_CALL, at, limit, LEASE, owner)
    return [_leased(row, may_call=True) for row in rows]


async def lease_to_decide(
    transaction: Transaction, *, limit: int, owner: str, at: datetime | None
) -> list[LeasedLane]:
    """Lease lanes in which a deadline has passed; nothing may be sent under these leases."""
    rows = await transaction.raw.fetch(LEASE_TO_DECIDE, at, limit, LEASE, owner, START_WITHIN)
    return [_leased(row, may_call=False) for row in rows]


async def lock_lane(transaction: Transaction, conversation_id: str) -> Lane | None:
    """The lane, held until the transaction ends; the thread's lock comes before it."""
    row = await transaction.raw.fetchrow(LOCK_LANE, transaction.workspace_id, conversation_id)
    return None if row is None else Lane(row[0], row[1])


async def release(
    transaction: Transaction,
    lane: LeasedLane,
    *,
    next_attempt_time: datetime | None,
    decision_time: datetime | None,
    revivable_until: datetime | None,
) -> None:
    """Give the lane back and say when somebody should look at it again."""
    await transaction.raw.execute(
        RELEASE,
        transaction.workspace_id,
        lane.conversation_id,
        lane.fence,
        next_attempt_time,
        decision_time,
        revivable_until,
    )


async def read_open(
    transaction: Transaction, conversation_id: str
) -> tuple[list[OpenAttempt], list[OpenAttempt]]:
    """Attempts that owe an outcome, in order; and those whose message has arrived by another."""
    rows = await transaction.raw.fetch(READ_OPEN, transaction.workspace_id, conversation_id)
    attempts = [(_open(row), row["has_arrived"]) for row in rows]
    is_over = [
        has_arrived and not attempt.is_in_call and attempt.status < DeliveryStatus.UNKNOWN
        for attempt, has_arrived in attempts
    ]
    owing = [attempt for (attempt, _), over in zip(attempts, is_over, strict=True) if not over]
    arrived = [attempt for (attempt, _), over in zip(attempts, is_over, strict=True) if over]
    return owing, arrived


async def note_call(
    transaction: Transaction,
    attempt: OpenAttempt,
    *,
    answer_time: datetime | None = None,
    platform_message_id: str | None = None,
) -> None:
    """Write what the dispatcher keeps about an attempt."""
    await transaction.raw.execute(
        NOTE_CALL,
        transaction.workspace_id,
        attempt.message_id,
        attempt.number,
        attempt.fence,
        attempt.try_count,
        attempt.first_try_time,
        attempt.due_time,
        answer_time,
        platform_message_id,
        attempt.is_doubtful,
    )


async def pause(transaction: Transaction, channel_id: str, until: datetime) -> None:
    """Let a channel rest; a longer rest stays."""
    await transaction.raw.execute(PAUSE, channel_id, until)


async def is_paused(transaction: Transaction, channel_id: str, now: datetime) -> bool:
    """Whether the channel rests."""
    return bool(await transaction.raw.fetchval(READ_PAUSED, channel_id, now))


async def wake_revivable(transaction: Transaction, now: datetime) -> int:
    """Let lanes be looked at whose channel is connected again; across workspaces."""
    status: str = await transaction.raw.execute(WAKE_REVIVABLE, now)
    return int(status.rpartition(" ")[2])


async def decide_channel(transaction: Transaction, channel_id: str, *, at: datetime) -> None:
    """Let every lane of a channel be decided that still has something to send."""
    await transaction.raw.execute(DECIDE_CHANNEL, transaction.workspace_id, channel_id, at)


async def read_revivable(
    transaction: Transaction, conversation_id: str, *, younger_than: datetime, last_seq: int
) -> Sequence[MessageId]:
    """Messages that failed because the channel needed reconnection, in order."""
    rows = await transaction.raw.fetch(
        READ_REVIVABLE, transaction.workspace_id, conversation_id, younger_than, last_seq
    )
    return [MessageId(str(row[0])) for row in rows]


def _leased(row: Row, *, may_call: bool) -> LeasedLane:
    return LeasedLane(
        WorkspaceId(str(row[0])),
        ConversationId(str(row[1])),
        ChannelId(str(row[2])),
        row[3],
        row[4],
        may_call,
    )


def _open(row: Row) -> OpenAttempt:
    return OpenAttempt(
        message_id=MessageId(str(row[0])),
        conversation_id=ConversationId(str(row[1])),
        seq=row[2],
        number=row[3],
        status=STATUSES[row[4]],
        channel_key=row[5],
        try_count=row[6],
        create_time=row[7],
        author_kind=AUTHOR_KINDS[row[8]],
        text=row[9],
        attachments=() if row[14] is None else attachments_of(row[14]),
        due_time=row[10],
        first_try_time=row[11],
        fence=row[12],
        is_doubtful=row[13],
    )
