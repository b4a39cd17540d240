"""What the tests of the audit have in common: an audited command, and a hand that tampers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg

from chassis import audit
from chassis.audit import Actor, ActorKind, Change
from chassis.audit_chain import BEGINNING, Anchor, AuditChain, Verdict, verify
from chassis.audit_entry import entry_of
from chassis.audit_log import AuditLog
from chassis.auth import Role
from chassis.database import Database, Transaction
from chassis.ids import WorkspaceId, new_id
from inbox.audit import v1 as audit_v1
from inbox.messaging import v1 as messaging_v1
from suite.databases import DatabaseUrls, connected, with_database
from suite.testing import TestServers
from tests.fakes import FakeClock
from tests.serving import Serving, serving

DELETE = "DELETE FROM audit_entries WHERE workspace_id = $1 AND position >= {}"
MARIA = Actor(ActorKind.MEMBER, "maria", "María")


class NotesAuditService(AuditLog, messaging_v1.MessagingAuditServiceServicer):
    """The audit of the notes; messaging lends its name."""


@dataclass
class Desk:
    """A workspace whose notes are written under audit."""

    app: Database
    worker: Database
    clock: FakeClock
    workspace_id: WorkspaceId
    server: Serving
    superuser_url: str

    @property
    def chain(self) -> AuditChain:
        return AuditChain(self.worker, self.clock)

    @property
    def as_owner(self) -> messaging_v1.MessagingAuditServiceStub:
        return self.as_role(Role.OWNER)

    @property
    def as_suite(self) -> messaging_v1.MessagingAuditServiceStub:
        """A process of the suite that names no workspace."""
        return messaging_v1.MessagingAuditServiceStub(self.server.service_channel())

    def as_role(self, role: Role) -> messaging_v1.MessagingAuditServiceStub:
        return messaging_v1.MessagingAuditServiceStub(self.server.channel(role, self.workspace_id))

    def elsewhere(self) -> Desk:
        """Another workspace of the same service."""
        return Desk(
            self.app,
            self.worker,
            self.clock,
            WorkspaceId(new_id()),
            self.server,
            self.superuser_url,
        )

    async def write(self, body: str, *, key: str = "note", actor: Actor = MARIA) -> None:
        """Change a note; the transaction of the change carries the entry."""
        async with self.app.begin(self.workspace_id) as transaction:
            await self.write_in(transaction, body, key=key, actor=actor)

    async def write_in(
        self, transaction: Transaction, body: str, *, key: str = "note", actor: Actor = MARIA
    ) -> None:
        row = await transaction.raw.fetchrow("SELECT body FROM notes WHERE key = $1", key)
        await transaction.raw.execute(
            "INSERT INTO notes (workspace_id, key, version, body) VALUES ($1, $2, 1, $3) "
            "ON CONFLICT (workspace_id, key) DO UPDATE SET body = $3",
            self.workspace_id,
            key,
            body,
        )
        before = None if row is None else {"key": key, "body": row["body"]}
        change = Change.of("note", key, before, {"key": key, "body": body})
        await audit.append(transaction, actor, "NotesService/Write", [change], at=self.clock.now())

    async def link(self) -> None:
        while await self.chain.link_some():
            pass

    async def entries(self, **filters: object) -> Sequence[audit_v1.AuditEntry]:
        """As the owner sees them, newest first."""
        request = audit_v1.ListAuditEntriesRequest(**filters)  # type: ignore[arg-type]
        return (await self.as_owner.ListAuditEntries(request)).audit_entries

    async def verdict(
        self, *, anchor: Anchor = BEGINNING, start: Anchor = BEGINNING, at_most: int = 1000
    ) -> Verdict:
        async with self.app.begin(self.workspace_id) as transaction:
            return await verify(
                transaction, self.workspace_id, start=start, anchor=anchor, at_most=at_most
            )

    async def tamper(self, *statements: str) -> None:
        """What a superuser could do to this workspace's entries; $1 is the workspace."""
        async with connected(self.superuser_url) as connection:
            for statement in statements:
                await connection.execute(statement, self.workspace_id)

    async def rows(self) -> list[asyncpg.Record]:
        async with connected(self.superuser_url) as connection:
            found: list[asyncpg.Record] = await connection.fetch(
                "SELECT * FROM audit_entries WHERE workspace_id = $1 ORDER BY position",
                self.workspace_id,
            )
            return found


@asynccontextmanager
async def open_desk(
    urls: DatabaseUrls, servers: TestServers, *, has_row_security: bool = True
) -> AsyncIterator[Desk]:
    """A fresh workspace; without row security, the service works as a superuser."""
    superuser_url = with_database(servers.database_url, urls.name)
    app, worker = (
        Database(url if has_row_security else superuser_url, pool_size=4)
        for url in (urls.app, urls.worker)
    )
    adder = messaging_v1.add_MessagingAuditServiceServicer_to_server
    async with serving((adder, NotesAuditService(app, worker))) as server:
        yield Desk(app, worker, FakeClock(), WorkspaceId(new_id()), server, superuser_url)
    await app.close()
    await worker.close()


async def write_five(desk: Desk) -> None:
    for number in range(1, 6):
        await desk.write(f"body {number}", key=f"note-{number}")
    await desk.link()


async def forge_third(desk: Desk) -> None:
    """Change who did it, and compute everything that follows anew: all a superuser can do."""
    link = BEGINNING
    async with connected(desk.superuser_url) as connection:
        for row in await desk.rows():
            entry, digest = entry_of(row), row["digest"]
            if row["position"] == 3:
                digest = replace(entry, actor=audit.SYSTEM).digest()
                await connection.execute(
                    "UPDATE audit_entries SET actor_kind = 'system', actor_id = '', "
                    "actor_name = '' WHERE id = $1",
                    row["id"],
                )
            link = link.then(digest)
            await connection.execute(
                "UPDATE audit_entries SET digest = $2, hash = $3 WHERE id = $1",
                row["id"],
                digest,
                link.hash,
            )
        await connection.execute(
            "UPDATE audit_chains SET last_hash = $2 WHERE workspace_id = $1",
            desk.workspace_id,
            link.hash,
        )
