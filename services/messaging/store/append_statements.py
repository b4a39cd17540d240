"""The SQL of group commits. Parameters are arrays in one string each, see `store.append`."""

from __future__ import annotations

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
# Of the few messages that carry more than text, so that those of plain text stay as they are.
ADD_CONTENTS = """
UPDATE messages m SET content = n.content::jsonb
FROM unnest($2::uuid[], $3::bigint[], $4::text[])
    AS n(conversation_id, seq, content)
WHERE m.workspace_id = $1 AND m.conversation_id = n.conversation_id AND m.seq = n.seq
"""
# The lane's row is locked and looked at again even when it is not changed, so a dispatcher that
# clears a lane does so under the thread's lock, after looking for open attempts.
WRITE = """
WITH n AS MATERIALIZED (
    SELECT * FROM unnest(
        $3::text::uuid[], $4::text::uuid[], $5::text::uuid[], $6::text::bigint[],
        $7::text::uuid[], $8::text::uuid[], $9::text::text[], $10::text::text[],
        $11::text::text[], $12::text::text[], $13::text::text[], $14::text::text[],
        $15::text::bigint[], $16::text::timestamptz[])
    WITH ORDINALITY AS n(
        workspace_id, conversation_id, channel_id, seq, id, client_message_id, direction,
        author_kind, author_id, author_display_name, text, delivery_status, inbound_ordinal,
        platform_time, place)
    {where}
), new_messages AS (
    INSERT INTO messages (
        workspace_id, conversation_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status, attempt_count, inbound_ordinal,
        create_time, platform_time, version)
    SELECT workspace_id, conversation_id, seq, id, client_message_id, direction, author_kind,
        author_id, author_display_name, text, delivery_status,
        CASE WHEN delivery_status IS NULL THEN 0 ELSE 1 END, inbound_ordinal, $2, platform_time, 1
    FROM n
    ON CONFLICT (workspace_id, client_message_id) DO NOTHING
    RETURNING 1
), said AS (
    SELECT workspace_id, conversation_id, count(*) AS count, max(seq) AS last_seq,
        max(inbound_ordinal) AS inbound_count,
        bool_or(author_kind IN ('member', 'phone_app')) AS is_by_person,
        array_agg(author_id ORDER BY place DESC) FILTER (WHERE author_kind = 'member') AS members
    FROM n GROUP BY workspace_id, conversation_id
), grown AS (
    UPDATE threads t SET
        last_seq = s.last_seq, inbound_count = s.inbound_count, version = t.version + s.count,
        last_message_time = $2,
        -- As model.message.appended has it: a person wrote.
        manual_until = CASE WHEN s.is_by_person AND t.manual_until IS NOT NULL
            THEN $2 + t.resume_ai_after ELSE t.manual_until END,
        handover = CASE WHEN s.is_by_person THEN NULL ELSE t.handover END,
        -- A member has what they wrote in last, since they first did.
        hold_member_id = coalesce(s.members[1], t.hold_member_id),
        hold_since = CASE WHEN cardinality(s.members) > 0
                AND (t.hold_member_id IS NULL OR t.hold_member_id <> ANY (s.members))
            THEN $2 ELSE t.hold_since END
    FROM said s
    WHERE t.workspace_id = s.workspace_id AND t.conversation_id = s.conversation_id
), new_attempts AS (
    INSERT INTO attempts (
        workspace_id, message_id, number, conversation_id, seq, channel_id, delivery_status,
        is_open, channel_key, create_time)
    SELECT workspace_id, id, 1, conversation_id, seq, channel_id, delivery_status,
        delivery_status = 'queued', id::text, $2
    FROM n WHERE delivery_status IS NOT NULL
), new_receipts AS (
    INSERT INTO receipts (
        workspace_id, message_id, id, attempt_number, delivery_status, source, create_time)
    SELECT workspace_id, id, gen_random_uuid(), 1, delivery_status, 'api', $2
    FROM n WHERE delivery_status IS NOT NULL
), lanes AS (
    INSERT INTO dispatch_lanes AS l (workspace_id, conversation_id, channel_id, next_attempt_time)
    SELECT DISTINCT workspace_id, conversation_id, channel_id, $2
    FROM n WHERE delivery_status = 'queued'
    ORDER BY workspace_id, conversation_id
    ON CONFLICT (workspace_id, conversation_id) DO UPDATE
        SET next_attempt_time = excluded.next_attempt_time WHERE l.next_attempt_time IS NULL
){told}
SELECT count(*), (SELECT count(*) FROM n) {into} FROM new_messages
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
APPEND = WRITE.format(where="", told=TOLD, into="")
WRITE_UNCHANGED = WRITE.format(
    where="WHERE n.workspace_id = ANY (unchanged)", told="", into="INTO stored, wanted"
)
CLIENT_ID_TAKEN = "IX001"
"""SQLSTATE of our own; class IX is nobody's."""
# $1 is the workspaces and $2 the time; then come the arrays of messages, of threads as they were
# seen (id, version, state of the channel), and of events. Each statement of a function sees what
# was committed before it, so the rows that are compared are those under the lock. It is a function
# of the session: this program's text, not the schema's.
MAKE_APPEND_EACH_IF_UNCHANGED = f"""
CREATE FUNCTION pg_temp.append_each_if_unchanged(
    text, timestamptz, {14 * "text, "} text, text, text, text, text, text, text, text, bytea[],
    text, OUT unchanged uuid[], OUT base bigint, OUT epoch text)
LANGUAGE plpgsql AS $function$
DECLARE
    stored bigint;
    wanted bigint;
    workspaces uuid[] := $21::uuid[];
    ids uuid[] := $22::uuid[];
    subjects text[] := $23::text[];
    keys text[] := $24::text[];
    payloads bytea[] := $25;
    traces text[] := $26::text[];
BEGIN
    PERFORM set_config('inbox.workspace', $1, true);
    WITH seen AS MATERIALIZED (
        SELECT n.workspace_id, t.version = n.version AND c.state = n.channel_state AS is_same
        FROM unnest($17::uuid[], $18::uuid[], $19::bigint[], $20::text[])
            AS n(workspace_id, conversation_id, version, channel_state)
        LEFT JOIN LATERAL (
            SELECT o.version, o.channel_id FROM threads o
            WHERE o.workspace_id = n.workspace_id AND o.conversation_id = n.conversation_id
            FOR NO KEY UPDATE) t ON true
        LEFT JOIN channels c ON c.workspace_id = n.workspace_id AND c.id = t.channel_id
    )
    SELECT coalesce(array_agg(workspace_id), '{{}}') INTO unchanged FROM (
        SELECT workspace_id FROM seen GROUP BY workspace_id
        HAVING bool_and(coalesce(is_same, false))) same;
    IF unchanged = '{{}}' THEN
        RETURN;
    END IF;
    {WRITE_UNCHANGED};
    IF stored <> wanted THEN
        RAISE EXCEPTION USING ERRCODE = '{CLIENT_ID_TAKEN}', MESSAGE = 'a client id is taken';
    END IF;
    IF NOT workspaces <@ unchanged THEN
        SELECT array_agg(e.workspace_id ORDER BY e.place), array_agg(e.id ORDER BY e.place),
               array_agg(e.subject ORDER BY e.place), array_agg(e.key ORDER BY e.place),
               array_agg(e.payload ORDER BY e.place), array_agg(e.trace ORDER BY e.place)
        INTO workspaces, ids, subjects, keys, payloads, traces
        FROM unnest(workspaces, ids, subjects, keys, payloads, traces) WITH ORDINALITY
            AS e(workspace_id, id, subject, key, payload, trace, place)
        WHERE e.workspace_id = ANY (unchanged);
    END IF;
    SELECT t.base, t.epoch INTO base, epoch
    FROM pg_temp.tell(ids, workspaces, subjects, keys, payloads, $2, traces) t;
END
$function$
"""
APPEND_EACH_IF_UNCHANGED = (
    "SELECT * FROM pg_temp.append_each_if_unchanged("
    f"{', '.join(f'${place}' for place in range(1, 27))})"
)
