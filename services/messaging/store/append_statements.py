"""The SQL of group commits. Parameters are arrays in one string each, see `store.append`."""

from __future__ import annotations

from collections.abc import Sequence

from services.messaging.store.rows import MESSAGE_COLUMNS, THREAD_COLUMNS

# Every statement is a lookup by key; one plan each is made and kept. Before version 18 a plan made
# while a table was small and never analysed may pick any index that begins with the workspace, so
# the plans are thrown away whenever four times as many batches have gone by.
PLAN_LOOKUPS = """
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET plan_cache_mode = force_generic_plan
"""
# Locked one by one in the order of the given ids: two batches never wait for each other.
LOCK_THREADS = f"""
SELECT {THREAD_COLUMNS}, c.state
FROM unnest($2::text::uuid[]) WITH ORDINALITY AS n(conversation_id, place)
CROSS JOIN LATERAL (
    SELECT * FROM threads o
    WHERE o.workspace_id = $1 AND o.conversation_id = n.conversation_id FOR NO KEY UPDATE) t
LEFT JOIN channels c ON c.workspace_id = $1 AND c.id = t.channel_id
ORDER BY n.place
"""
# In the order of ids, like every lock; another replica may open the same thread meanwhile. One that
# was erased goes on counting where it ended.
OPEN_THREADS = f"""
INSERT INTO threads AS t (
    workspace_id, conversation_id, channel_id, channel_kind, external_id, customer_name,
    mode, mode_epoch, last_seq, inbound_count, create_time, version)
SELECT $1, n.conversation_id, n.channel_id, n.channel_kind, n.external_id, n.customer_name,
    coalesce((SELECT s.default_mode FROM messaging_settings s WHERE s.workspace_id = $1), 'manual'),
    coalesce(e.mode_epoch, 0) + 1, coalesce(e.last_seq, 0), coalesce(e.inbound_count, 0), $2,
    coalesce(e.version, 0) + 1
FROM unnest($3::text::uuid[], $4::text::uuid[], $5::text::text[], $6::text::text[],
            $7::text::text[])
    AS n(conversation_id, channel_id, channel_kind, external_id, customer_name)
LEFT JOIN erased_threads e ON e.workspace_id = $1 AND e.conversation_id = n.conversation_id
ORDER BY n.conversation_id
ON CONFLICT DO NOTHING
RETURNING {THREAD_COLUMNS}
"""
UNOPEN_THREADS = """
DELETE FROM threads t WHERE t.workspace_id = $1
    AND t.conversation_id = ANY((SELECT $2::text::uuid[])::uuid[])
    AND t.last_message_time IS NULL
"""
FIND_MESSAGES = f"""
SELECT {MESSAGE_COLUMNS} FROM unnest($2::text::uuid[]) AS n(client_message_id),
    LATERAL (SELECT * FROM messages o WHERE o.workspace_id = $1
             AND o.client_message_id = n.client_message_id OFFSET 0) m
"""
RENAME_CUSTOMERS = """
UPDATE threads t SET customer_name = n.customer_name
FROM unnest($2::text::uuid[], $3::text::text[]) AS n(conversation_id, customer_name)
WHERE t.workspace_id = $1 AND t.conversation_id = n.conversation_id
"""
# The lane's row is locked and looked at again even when it is not changed, so a dispatcher that
# clears a lane does so under the thread's lock, after looking for open attempts.
WRITE = """
WITH n AS MATERIALIZED (
    SELECT * FROM unnest(
        $3::text::uuid[], $4::text::uuid[], $5::text::bigint[], $6::text::uuid[],
        $7::text::uuid[], $8::text::text[], $9::text::text[], $10::text::text[],
        $11::text::text[], $12::text::text[], $13::text::text[], $14::text::bigint[],
        $15::text::timestamptz[])
    WITH ORDINALITY AS n(
        conversation_id, channel_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status, inbound_ordinal, platform_time,
        place)
), new_messages AS (
    INSERT INTO messages (
        workspace_id, conversation_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status, attempt_count, inbound_ordinal,
        create_time, platform_time, version)
    SELECT $1, conversation_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status,
        CASE WHEN delivery_status IS NULL THEN 0 ELSE 1 END, inbound_ordinal, $2, platform_time, 1
    FROM n
    ON CONFLICT (workspace_id, client_message_id) DO NOTHING
    RETURNING 1
), grown AS (
    UPDATE threads t SET (last_seq, inbound_count, version, manual_until, handover,
                          hold_member_id, hold_since) = (
            SELECT max(n.seq), max(n.inbound_ordinal), t.version + count(*),
                -- As model.message.appended has it: a person wrote.
                CASE WHEN bool_or(n.author_kind IN ('member', 'phone_app'))
                    AND t.manual_until IS NOT NULL THEN $2 + t.resume_ai_after
                    ELSE t.manual_until END,
                CASE WHEN bool_or(n.author_kind IN ('member', 'phone_app')) THEN NULL
                    ELSE t.handover END,
                -- A member has what they wrote in last, since they first did.
                coalesce((array_agg(n.author_id ORDER BY n.place DESC)
                    FILTER (WHERE n.author_kind = 'member'))[1], t.hold_member_id),
                CASE WHEN bool_or(n.author_kind = 'member'
                        AND n.author_id IS DISTINCT FROM t.hold_member_id) THEN $2
                    ELSE t.hold_since END
            FROM n WHERE n.conversation_id = t.conversation_id),
        last_message_time = $2
    WHERE t.workspace_id = $1
      -- In a query of its own, so that the array is read once and not for every row.
      AND t.conversation_id = ANY((SELECT $16::text::uuid[])::uuid[])
), new_attempts AS (
    INSERT INTO attempts (
        workspace_id, message_id, number, conversation_id, seq, channel_id, delivery_status,
        is_open, channel_key, create_time)
    SELECT $1, id, 1, conversation_id, seq, channel_id, delivery_status,
        delivery_status = 'queued', id::text, $2
    FROM n WHERE delivery_status IS NOT NULL
), new_receipts AS (
    INSERT INTO receipts (
        workspace_id, message_id, id, attempt_number, delivery_status, source, create_time)
    SELECT $1, id, gen_random_uuid(), 1, delivery_status, 'api', $2
    FROM n WHERE delivery_status IS NOT NULL
), lanes AS (
    INSERT INTO dispatch_lanes AS l (workspace_id, conversation_id, channel_id, next_attempt_time)
    SELECT DISTINCT $1, conversation_id, channel_id, $2
    FROM n WHERE delivery_status = 'queued'
    ORDER BY conversation_id
    ON CONFLICT (workspace_id, conversation_id) DO UPDATE
        SET next_attempt_time = excluded.next_attempt_time WHERE l.next_attempt_time IS NULL
){told}
SELECT count(*) {into} FROM new_messages
"""
TOLD = """, told AS (
    INSERT INTO outbox (
        event_id, workspace_id, subject, ordering_key, payload, create_time, traceparent)
    SELECT e.event_id, $1, e.subject, e.ordering_key, e.payload, $2, e.traceparent
    FROM unnest($17::text::uuid[], $18::text::text[], $19::text::text[], $20::bytea[],
                $21::text::text[])
        WITH ORDINALITY AS e(event_id, subject, ordering_key, payload, traceparent, place)
    ORDER BY e.place
)"""
APPEND = WRITE.format(into="", told=TOLD)
MESSAGE_TYPES = (
    "uuid", "uuid", "bigint", "uuid", "uuid", "text", "text", "text", "text", "text", "text",
    "bigint", "timestamptz",
)  # fmt: skip
"""Of the arrays of WRITE that have one value for each message."""
SEEN_TYPES = ("uuid", "bigint", "text")
"""Of those that tell threads as they were seen: id, version, state of the channel."""
CLIENT_ID_TAKEN = "IX001"
"""SQLSTATE of our own; class IX is nobody's."""
# Each statement of a function sees what was committed before it, so the rows that are compared are
# those under the lock. Functions of the session: they are this program's text, not the schema's.
MAKE_APPEND_IF_UNCHANGED = f"""
CREATE FUNCTION pg_temp.append_if_unchanged(
    uuid, timestamptz, {", ".join(f"{name}[]" for name in MESSAGE_TYPES + SEEN_TYPES)})
RETURNS boolean LANGUAGE plpgsql AS $function$
DECLARE
    unchanged bigint;
    stored bigint;
BEGIN
    PERFORM set_config('inbox.workspace', $1::text, true);
    SELECT count(*) INTO unchanged
    FROM unnest($16, $17, $18) WITH ORDINALITY AS n(conversation_id, version, channel_state, place)
    CROSS JOIN LATERAL (
        SELECT o.version, o.channel_id FROM threads o
        WHERE o.workspace_id = $1 AND o.conversation_id = n.conversation_id FOR NO KEY UPDATE) t
    JOIN channels c ON c.workspace_id = $1 AND c.id = t.channel_id
    WHERE t.version = n.version AND c.state = n.channel_state;
    IF unchanged <> cardinality($16) THEN
        RETURN false;
    END IF;
    {WRITE.format(into="INTO stored", told="").replace("::text::", "::")};
    IF stored <> cardinality($3) THEN
        RAISE EXCEPTION USING ERRCODE = '{CLIENT_ID_TAKEN}', MESSAGE = 'a client id is taken';
    END IF;
    RETURN true;
END
$function$
"""


def _slices(types: Sequence[str], part: str, *, first: int) -> str:
    return ", ".join(
        f"a{place}[{part}_from:{part}_to]" for place in range(first, first + len(types))
    )


# $1 is the time and $2 the workspaces; $3 and $4 say where each workspace's part of the arrays of
# messages and threads ends. The last arrays are of events, each of a workspace named by its place.
MAKE_APPEND_EACH_IF_UNCHANGED = f"""
CREATE FUNCTION pg_temp.append_each_if_unchanged(
    timestamptz, text, text, text, {16 * "text, "} text, text, text, text, bytea[], text,
    OUT done boolean[], OUT base bigint, OUT epoch text)
LANGUAGE plpgsql AS $function$
DECLARE
    workspaces uuid[] := $2::uuid[];
    message_ends integer[] := $3::integer[];
    thread_ends integer[] := $4::integer[];
    message_from integer := 1; message_to integer;
    thread_from integer := 1; thread_to integer;
{{declared}}
    places integer[] := $21::integer[];
    ids uuid[] := $22::uuid[];
    subjects text[] := $23::text[];
    keys text[] := $24::text[];
    payloads bytea[] := $25;
    traces text[] := $26::text[];
BEGIN
    done := '{{{{}}}}';
    FOR place IN 1 .. cardinality(workspaces) LOOP
        message_to := message_ends[place];
        thread_to := thread_ends[place];
        done := done || pg_temp.append_if_unchanged(
            workspaces[place], $1, {_slices(MESSAGE_TYPES, "message", first=5)},
            {_slices(SEEN_TYPES, "thread", first=18)});
        message_from := message_to + 1;
        thread_from := thread_to + 1;
    END LOOP;
    IF false = ANY(done) THEN
        SELECT array_agg(n.place ORDER BY n.nth), array_agg(n.id ORDER BY n.nth),
               array_agg(n.subject ORDER BY n.nth), array_agg(n.key ORDER BY n.nth),
               array_agg(n.payload ORDER BY n.nth), array_agg(n.trace ORDER BY n.nth)
        INTO places, ids, subjects, keys, payloads, traces
        FROM unnest(places, ids, subjects, keys, payloads, traces) WITH ORDINALITY
            AS n(place, id, subject, key, payload, trace, nth)
        WHERE done[n.place];
    END IF;
    IF places IS NOT NULL THEN
        SELECT t.base, t.epoch INTO base, epoch FROM pg_temp.tell(
            ids, ARRAY(SELECT workspaces[p.place] FROM unnest(places) WITH ORDINALITY
                       AS p(place, nth) ORDER BY p.nth),
            subjects, keys, payloads, $1, traces) t;
    END IF;
END
$function$
""".format(
    # Each array is read once, from the one text it came in, see `store.append`.
    declared="\n".join(
        f"    a{place} {name}[] := ${place}::{name}[];"
        for place, name in enumerate(MESSAGE_TYPES + SEEN_TYPES, start=5)
    )
)
APPEND_EACH_IF_UNCHANGED = (
    "SELECT * FROM pg_temp.append_each_if_unchanged("
    f"{', '.join(f'${place}' for place in range(1, 27))})"
)
