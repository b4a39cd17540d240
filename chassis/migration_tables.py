"""What migration scripts build tables with: row security and grants.

    from alembic import op
    from chassis import migrations

    def upgrade() -> None:
        op.execute("CREATE TABLE threads (…)")
        migrations.tenant_table(op, "threads")
        migrations.publishing_tables(op)

Row security is forced on every table, for its owner too, and nobody bypasses it: a table without
one of these calls is closed to both roles. Rows a migration itself writes go in before the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

from chassis.row_security import TENANT_SETTING, TENANTS_SETTING

STATISTICS_SINCE = 180000
"""The version of PostgreSQL that takes statistics from outside."""
READ_AND_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Operations(Protocol):
    """`alembic.op`, as far as it is used here."""

    def execute(self, sqltext: str) -> Any:
        """Run one statement."""
        ...

    def get_bind(self) -> Any:
        """The connection of the migration."""
        ...


def tenant_table(
    op: Operations,
    table: str,
    *,
    column: str = "workspace_id",
    app: Iterable[str] = READ_AND_WRITE,
    worker: Iterable[str] = READ_AND_WRITE,
) -> None:
    """Open a table to both roles, each seeing only the rows of `begin(workspace_id)`."""
    _secure(op, table)
    for role, commands in ((_role(op, "app"), app), (_role(op, "worker"), worker)):
        _open_to_tenant(op, table, role, column, commands)
    if column == "workspace_id":
        _expect_few_workspaces(op, table)


def worker_table(
    op: Operations,
    table: str,
    *,
    column: str = "workspace_id",
    app: Iterable[str] = (),
    worker: Iterable[str] = READ_AND_WRITE,
) -> None:
    """Open a routing table to the worker across workspaces; to the app its own rows, if at all."""
    _secure(op, table)
    role = _role(op, "worker")
    op.execute(f"CREATE POLICY worker_rows ON {table} TO {role} USING (true) WITH CHECK (true)")
    _grant(op, table, role, worker)
    app = tuple(app)
    if app:
        _open_to_tenant(op, table, _role(op, "app"), column, app)


def open_to_worker_in_many(op: Operations, table: str) -> None:
    """Let the worker of a tenant table stand in several workspaces in one statement.

    The app still sees one. What the setting names is read once for a statement, not for each row.
    """
    rule = f"workspace_id = ANY ((SELECT {TENANTS_SETTING})::uuid[])"
    op.execute(
        f"ALTER POLICY tenant_rows_of_worker ON {_name(table)} USING ({rule}) WITH CHECK ({rule})"
    )


def create_index_concurrently(op: Any, name: str, definition: str) -> None:
    """Add an index to a table in use: `create_index_concurrently(op, "ix_…", "ON t (a, b)")`.

    A run that was interrupted leaves an invalid index behind; it is dropped and built again.
    """
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_name(name)}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} {definition}")


def service_role(op: Operations, kind: str) -> str:
    """The name of the service's role of a kind: `owner`, `app` or `worker`."""
    return _role(op, kind)


def _role(op: Operations, kind: str) -> str:
    owner: str = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    if not owner.endswith("_owner"):
        raise ValueError(f"migrations run as inbox_<service>_owner, not as {owner}")
    return f"{_name(owner.removesuffix('_owner'))}_{kind}"


def _secure(op: Operations, table: str) -> None:
    op.execute(f"ALTER TABLE {_name(table)} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _open_to_tenant(
    op: Operations, table: str, role: str, column: str, commands: Iterable[str]
) -> None:
    rule = f"{_name(column)} = {TENANT_SETTING}"
    policy = f"tenant_rows_of_{role.rpartition('_')[2]}"
    op.execute(f"CREATE POLICY {policy} ON {table} TO {role} USING ({rule}) WITH CHECK ({rule})")
    _grant(op, table, role, commands)


def _expect_few_workspaces(op: Operations, table: str) -> None:
    """Tell the planner that the workspace alone finds nothing, until it has looked for itself.

    All indexes begin with it. Of a table that was never analysed the planner believes that one
    workspace is a two hundredth of it; any index then looks good, and a plan that is kept reads
    all of a workspace for each row it wants.
    """
    version: int = op.get_bind().exec_driver_sql("SHOW server_version_num").scalar_one()
    if int(version) >= STATISTICS_SINCE:
        op.execute(
            "SELECT pg_restore_attribute_stats('schemaname', 'public', 'relname', "
            f"'{_name(table)}', 'attname', 'workspace_id', 'inherited', false, "
            "'null_frac', 0::real, 'avg_width', 16, 'n_distinct', 1::real)"
        )


def _grant(op: Operations, table: str, role: str, commands: Iterable[str]) -> None:
    wanted = tuple(commands)
    if not set(wanted) <= set(READ_AND_WRITE):
        raise ValueError(f"{table}: {wanted} are not all of {READ_AND_WRITE}")
    if wanted:
        op.execute(f"GRANT {', '.join(wanted)} ON {table} TO {role}")


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"{name!r} is not a plain lower-case SQL name")
    return name
