"""What deeds work with: a workspace with something of everything, and a hand in the databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chassis.auth import Role
from chassis.rpc.channel import Metadata
from inbox.audit import v1 as audit_v1
from suite.databases import connected, with_database
from suite.testing import TestServers
from tests.system.services import Services
from tests.system.tenants import Stubs, Tenant

MEMBER, API_KEY, SERVICE = (
    audit_v1.ACTOR_KIND_MEMBER,
    audit_v1.ACTOR_KIND_API_KEY,
    audit_v1.ACTOR_KIND_SERVICE,
)


@dataclass
class Stage:
    """A workspace with something of everything, and a hand in the databases."""

    services: Services
    servers: TestServers
    tenant: Tenant
    secrets: list[str] = field(default_factory=list)
    """What was given or handed out meanwhile, and must be in no entry."""
    made: dict[str, str] = field(default_factory=dict)
    """Ids of what earlier deeds made, for later ones."""

    def __post_init__(self) -> None:
        self.to = Stubs(self.services)

    @property
    def owner(self) -> Metadata:
        return self.tenant.callers[Role.OWNER]

    async def write(self, service: str, *statements: str, row_id: str) -> None:
        """Change a row as a superuser."""
        url = with_database(self.servers.database_url, self.services.urls[service].name)
        async with connected(url) as connection:
            for statement in statements:
                await connection.execute(statement, row_id)


Act = Callable[[Stage], Awaitable[str | None]]


@dataclass(frozen=True)
class Deed:
    """A call that changes something; it may return the workspace if it is not the tenant's."""

    act: Act
    by: audit_v1.ActorKind.ValueType = MEMBER
