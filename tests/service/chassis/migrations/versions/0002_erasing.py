"""It erases, too."""

from alembic import op

from chassis import migrations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    migrations.erasing_tables(op)
