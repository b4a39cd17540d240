"""The tables of the audit, for the migration of each service with data.

    def upgrade() -> None:
        migrations.audit_tables(op)

Requests only add entries. What is written stays: the worker may give an entry its place in the
chain and take its contents away, by grants on these columns alone, and nobody may delete one.
"""

from __future__ import annotations

from chassis.migration_tables import Operations, service_role, worker_table

SET_BY_WORKER = ("position", "hash", "before", "after", "salt", "erase_time")


def audit_tables(op: Operations) -> None:
    """`audit_entries`, and where each workspace's chain of them ends."""
    # JSON as text: what was digested is kept byte for byte.
    op.execute("""
        CREATE TABLE audit_entries (
            workspace_id uuid NOT NULL,
            id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            actor_kind text NOT NULL,
            actor_id text NOT NULL,
            actor_name text NOT NULL,
            command text NOT NULL,
            entity_kind text NOT NULL,
            entity_id text NOT NULL,
            traceparent text NOT NULL,
            before text,
            after text,
            salt bytea,
            contents_digest bytea NOT NULL,
            erase_time timestamptz,
            digest bytea NOT NULL,
            position bigint,
            hash bytea,
            CONSTRAINT pk_audit_entries PRIMARY KEY (workspace_id, id),
            CONSTRAINT uq_audit_entries_position UNIQUE (workspace_id, position),
            CONSTRAINT ck_audit_entries_actor_kind
                CHECK (actor_kind IN ('member', 'api_key', 'service', 'system')),
            CONSTRAINT ck_audit_entries_hash CHECK ((position IS NULL) = (hash IS NULL)),
            CONSTRAINT ck_audit_entries_salt CHECK ((erase_time IS NULL) = (salt IS NOT NULL)),
            CONSTRAINT ck_audit_entries_erase_time
                CHECK (erase_time IS NULL OR (before IS NULL AND after IS NULL))
        )
    """)
    order = "create_time, id"
    for name, key in (
        ("create_time", "workspace_id"),
        ("entity_id", "workspace_id, entity_id"),
        ("actor_id", "workspace_id, actor_id"),
    ):
        op.execute(f"CREATE INDEX ix_audit_entries_{name} ON audit_entries ({key}, {order})")
    # Holds only what waits for its place, so that looking for it costs nothing.
    op.execute(
        f"CREATE INDEX ix_audit_entries_waiting ON audit_entries ({order}) WHERE position IS NULL"
    )
    op.execute("""
        CREATE TABLE audit_chains (
            workspace_id uuid NOT NULL,
            last_position bigint NOT NULL,
            last_hash bytea NOT NULL,
            CONSTRAINT pk_audit_chains PRIMARY KEY (workspace_id)
        )
    """)
    worker_table(op, "audit_entries", app=("SELECT", "INSERT"), worker=("SELECT", "INSERT"))
    worker_table(op, "audit_chains", app=("SELECT",), worker=("SELECT", "INSERT", "UPDATE"))
    worker = service_role(op, "worker")
    op.execute(f"GRANT UPDATE ({', '.join(SET_BY_WORKER)}) ON audit_entries TO {worker}")
