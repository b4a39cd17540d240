"""Counters of what waits for a person."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

# Adding a column takes the lock that keeps whoever counts out until the end, and whoever changes a
# conversation waits there with what they changed: so nothing slips between what is counted here and
# what is counted on. Row security would hide the rows from their owner.
COUNT = """
LOCK TABLE conversations IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE counters ADD COLUMN waiting_count bigint NOT NULL DEFAULT 0;
ALTER TABLE conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE counters NO FORCE ROW LEVEL SECURITY;
UPDATE counters SET waiting_count = counted.waiting, version = version + 1
FROM (
    SELECT workspace_id, kind, subject_id, folder, count(*) AS waiting
    FROM conversations, LATERAL (
        SELECT 'folder', '00000000-0000-0000-0000-000000000000'::uuid
        UNION ALL SELECT 'channel', channel_id
        UNION ALL SELECT 'tag', tag_id FROM unnest(tag_ids) AS tag_id
    ) AS counts (kind, subject_id)
    WHERE waiting_since IS NOT NULL
    GROUP BY workspace_id, kind, subject_id, folder
) AS counted
WHERE counters.workspace_id = counted.workspace_id AND counters.kind = counted.kind
  AND counters.subject_id = counted.subject_id AND counters.folder = counted.folder;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
ALTER TABLE counters FORCE ROW LEVEL SECURITY
"""


def upgrade() -> None:
    for statement in COUNT.split(";"):
        op.execute(statement)
