"""An inbox as a busy team has it, written straight into the database of conversation.

Most conversations are solved or archived, about one in forty is unread, a quarter of the channels
has nine tenths of them, and tags are anything from one in five to one in a thousand. Every figure
follows from the dice of PostgreSQL, seeded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from chassis.ids import WorkspaceId, derived_id
from services.conversation.model.tags import PRIORITY
from services.conversation.model.thread import ChannelKind

OWN = WorkspaceId(derived_id("bench", "own"))
MEMBER = derived_id("bench", "member")
"""Who looks after one in fifty conversations."""
NEIGHBOURS = 10
NEIGHBOUR_SHARE = 0.02
"""Each of them has so many conversations for one of the own workspace's."""
CHURN = 50
"""One in so many has had a message since the last vacuum."""
WEB, WHATSAPP, TELEGRAM = ChannelKind.WEB_CHAT, ChannelKind.WHATSAPP, ChannelKind.TELEGRAM


@dataclass(frozen=True)
class Channel:
    """A channel, and how much of the inbox came by it."""

    share: float
    kind: ChannelKind

    @property
    def id(self) -> str:
        return derived_id("bench", "channel", str(CHANNELS.index(self)))


HOT = Channel(0.45, WEB)
COLD = Channel(0.001, TELEGRAM)
CHANNELS = [
    HOT,
    Channel(0.30, WHATSAPP),
    Channel(0.14, ChannelKind.INSTAGRAM),
    Channel(0.06, ChannelKind.MESSENGER),
    *(Channel(0.0095 + number / 1e9, WHATSAPP) for number in range(5)),
    Channel(0.0015, TELEGRAM),
    COLD,
]


def tag_id(key: str) -> str:
    """The id of one of `TAGS`."""
    return PRIORITY.id if key == PRIORITY.key else derived_id("bench", "tag", key)


TAGS = {
    PRIORITY.key: "dice[4] < 0.04",
    "billing": "dice[5] < 0.20",
    "complaint": "dice[5] >= 0.19995 AND dice[5] < 0.40",
    "returns": "dice[6] < 0.03",
    "press": "dice[7] < 0.001",
}
"""By key, and who has them: billing and complaint are common and hardly ever meet."""
GIVEN_TAGS = ", ".join(
    f"CASE WHEN {given} THEN '{tag_id(key)}'::uuid END" for key, given in TAGS.items()
)
CLEAR_DICE = "SELECT setseed(0.5)"
CONTACTS = """
INSERT INTO contacts
SELECT $1, md5(concat($1::uuid, 'contact', n))::uuid, 'Customer ' || n, now(), 1
FROM generate_series($2::int, $3::int) AS n
"""
IDENTITIES = """
INSERT INTO contact_identities
SELECT $1, channel_id, 'visitor-' || n || '-' || channel_kind,
       md5(concat($1::uuid, 'contact', n))::uuid, channel_kind, 'Customer ' || n, 1, 'life'
FROM generate_series($2::int, $3::int) AS n,
     (VALUES ($4::uuid, 'web_chat'), ($5::uuid, 'telegram')) AS way (channel_id, channel_kind)
WHERE channel_kind = 'web_chat' OR n % 8 = 0
"""
CONVERSATIONS = f"""
INSERT INTO conversations (
    workspace_id, id, contact_id, channel_id, channel_kind, folder, preview_seq,
    preview_author_kind, preview_text, preview_create_time, inbound_count, read_ordinal,
    solved_ordinal, mode, mode_epoch, log_epoch, create_time, version, tag_ids, assignee_id,
    waiting_since)
SELECT $1, md5(concat($1::uuid, 'conversation', n))::uuid,
       md5(concat($1::uuid, 'contact', n))::uuid,
       ($4::uuid[])[place], ($5::text[])[place], folder, 12, 'customer',
       'Hola, quisiera saber cuándo llega el pedido ' || n,
       create_time - ln(1 - dice[3]) * interval '2 days', 6,
       CASE WHEN dice[9] < CASE folder WHEN 'open' THEN 0.4 ELSE 0.004 END THEN 4 ELSE 6 END,
       0, 'manual', 1, 'life', create_time, 9,
       array_remove(ARRAY[{GIVEN_TAGS}], NULL),
       CASE WHEN dice[8] < 0.02 THEN '{MEMBER}'::uuid WHEN dice[8] < 0.4 THEN $1 END,
       CASE WHEN folder = 'open' AND dice[8] > 0.9 THEN create_time END
FROM (
    SELECT n, dice, timestamptz '2026-01-01' + n * interval '25 seconds' AS create_time,
           1 + width_bucket(dice[1], $6::float8[]) AS place,
           CASE WHEN dice[2] < 0.06 THEN 'open' WHEN dice[2] < 0.08 THEN 'spam'
                WHEN dice[2] < 0.68 THEN 'solved' ELSE 'archived' END AS folder
    FROM (
        SELECT n, ARRAY[{", ".join(["random()"] * 9)}] AS dice
        FROM generate_series($2::int, $3::int) AS n OFFSET 0
    ) AS thrown OFFSET 0
) AS conversation
"""
TAGGED = """
INSERT INTO conversation_tags
SELECT workspace_id, id, unnest(tag_ids), channel_id, channel_kind, folder, last_activity_time,
       inbound_count > read_ordinal
FROM conversations
WHERE workspace_id = $1 AND create_time >= timestamptz '2026-01-01' + $2 * interval '25 seconds'
"""
TAG = """
INSERT INTO tags VALUES ($1, $2, $3, $3, 'blue', now(), false, 1) ON CONFLICT DO NOTHING
"""
CHURNED = f"""
WITH written AS (
    UPDATE conversations SET preview_seq = preview_seq + 1, version = version + 1
    WHERE workspace_id = $1 AND abs(hashtext(id::text)) % {CHURN} = 0 RETURNING id
)
UPDATE conversation_tags SET is_unread = is_unread FROM written
WHERE workspace_id = $1 AND conversation_id = id
"""


@dataclass
class Inbox:
    """What was written so far."""

    count: int = 0
    """Conversations of the own workspace."""
    neighbours: list[WorkspaceId] = field(
        default_factory=lambda: [
            WorkspaceId(derived_id("bench", str(number))) for number in range(NEIGHBOURS)
        ]
    )

    async def grow(self, superuser: asyncpg.Connection, upto: int) -> None:
        """Write what is missing to a size, also next door, vacuum, and let some messages come."""
        await superuser.execute(CLEAR_DICE)
        # What refers to what is right as it is written: looking each up doubles the time.
        await superuser.execute("SET session_replication_role = replica")
        own, self.count = self.count, upto
        await self._write(superuser, OWN, own, upto)
        for workspace_id in self.neighbours:
            ends = (int(end * NEIGHBOUR_SHARE) for end in (own, upto))
            await self._write(superuser, workspace_id, *ends)
        await superuser.execute("VACUUM ANALYZE", timeout=1200)
        await superuser.execute(CHURNED, OWN, timeout=1200)

    async def _write(
        self, superuser: asyncpg.Connection, workspace_id: WorkspaceId, done: int, upto: int
    ) -> None:
        bounds, total = list[float](), 0.0
        for channel in CHANNELS[:-1]:
            total += channel.share
            bounds.append(total)
        columns: tuple[Any, ...] = (
            [UUID(channel.id) for channel in CHANNELS],
            [channel.kind.value for channel in CHANNELS],
            bounds,
        )
        for key in TAGS:
            await superuser.execute(TAG, workspace_id, tag_id(key), key)
        span = (workspace_id, done + 1, upto)
        for statement, arguments in (
            (CONTACTS, span),
            (IDENTITIES, (*span, HOT.id, COLD.id)),
            (CONVERSATIONS, (*span, *columns)),
            (TAGGED, span[:2]),
        ):
            await superuser.execute(statement, *arguments, timeout=1200)
