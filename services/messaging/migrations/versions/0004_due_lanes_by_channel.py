"""Due lanes are found channel by channel, so that those of a resting channel cost nothing."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migrations.create_index_concurrently(
        op,
        "ix_dispatch_lanes_due",
        "ON dispatch_lanes (channel_id, next_attempt_time) WHERE next_attempt_time IS NOT NULL",
    )
