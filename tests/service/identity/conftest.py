"""Identity on a real database of its own, over a real connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher

from chassis.auth import Role
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from chassis.rpc.authentication import ServiceKeys
from chassis.secrets import MasterKeys
from chassis.tasks import Supervisor
from inbox.identity import v1
from services.identity.actions.ports import Ports
from services.identity.actions.sign_in import SignInLimits
from services.identity.actions.signing_keys import SigningKeys
from services.identity.actions.tickets import Tickets
from services.identity.actions.tokens import exchange_api_key
from services.identity.mapping import ROLES_TO_PROTO
from services.identity.passwords import Passwords
from services.identity.service import IdentityService
from tests.fakes import FakeClock
from tests.serving import SERVICE_KEY, Serving, bearer, serving

MASTER_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def ports(app: Database, worker: Database, clock: FakeClock) -> AsyncIterator[Ports]:
    master_keys = MasterKeys(MASTER_KEY)
    passwords = Passwords(QUICK)
    yield Ports(
        app=app,
        worker=worker,
        clock=clock,
        passwords=passwords,
        signing_keys=SigningKeys(worker, master_keys, clock),
        master_keys=master_keys,
        is_service_key=ServiceKeys(SERVICE_KEY).accepts,
        wake_relay=lambda: None,
        public_url="http://inbox.test",
    )
    await passwords.close()


@dataclass
class Desk:
    """A workspace with its owner, and the people tests invite."""

    server: Serving
    ports: Ports
    workspace_id: WorkspaceId
    owner: v1.Member
    owner_email: str
    owner_session: str
    owner_token: str

    @property
    def anyone(self) -> v1.IdentityServiceStub:
        """Without a credential."""
        return self.with_credential(None)

    @property
    def as_owner(self) -> v1.IdentityServiceStub:
        return self.with_credential(self.owner_token)

    @property
    def as_service(self) -> v1.IdentityServiceStub:
        """The suite itself, in this workspace."""
        metadata = (*bearer(SERVICE_KEY), ("x-inbox-workspace", self.workspace_id))
        return v1.IdentityServiceStub(self.server.channel_with(metadata))

    def with_credential(self, credential: str | None) -> v1.IdentityServiceStub:
        metadata = bearer(credential) if credential else ()
        return v1.IdentityServiceStub(self.server.channel_with(metadata))

    async def a_member(
        self, role: Role = Role.AGENT, password: str = "correct horse battery"
    ) -> tuple[v1.Member, str, str]:
        """An active member, their session token and their password's e-mail address."""
        email = f"{new_id()}@example.com"
        number = ROLES_TO_PROTO[role]
        invited = await self.as_owner.InviteMember(
            v1.InviteMemberRequest(
                request_id=new_id(), email=email, display_name="Ana", role=number
            )
        )
        accepted = await self.anyone.AcceptInvite(
            v1.AcceptInviteRequest(invite_token=invited.invite_token, password=password)
        )
        return accepted.member, accepted.session_token, email

    async def token_of(self, session_token: str) -> str:
        exchanged = await self.anyone.ExchangeToken(
            v1.ExchangeTokenRequest(session_token=session_token)
        )
        return exchanged.access_token.token


@pytest.fixture
async def server(ports: Ports, clock: FakeClock) -> AsyncIterator[Serving]:
    await ports.signing_keys.load()

    async def exchange(api_key: str) -> str:
        return (await exchange_api_key(ports, api_key)).signed.token

    tickets = Tickets(ports)
    service = IdentityService(ports, SignInLimits(clock), tickets)
    async with (
        Supervisor() as supervisor,
        serving(
            (v1.add_IdentityServiceServicer_to_server, service),
            clock=clock,
            keys=ports.signing_keys,
            exchange=exchange,
        ) as running,
    ):
        supervisor.supervise("tickets", tickets.run)
        yield running


async def a_desk(server: Serving, ports: Ports) -> Desk:
    """A fresh workspace whose owner has signed in by a link."""
    email = f"{new_id()}@example.com"
    suite = v1.IdentityServiceStub(server.service_channel())
    created = await suite.CreateWorkspace(
        v1.CreateWorkspaceRequest(
            request_id=new_id(),
            display_name="Bakery",
            owner_email=email,
            owner_display_name="Olga",
        )
    )
    workspace_id = WorkspaceId(created.workspace.id)
    desk = Desk(server, ports, workspace_id, created.owner, email, "", "")
    link = await desk.as_service.CreateSignInLink(
        v1.CreateSignInLinkRequest(member_id=created.owner.id)
    )
    signed_in = await desk.anyone.SignIn(v1.SignInRequest(link_token=link.link_token))
    desk.owner = signed_in.member
    desk.owner_session = signed_in.session_token
    desk.owner_token = signed_in.access_token.token
    return desk


@pytest.fixture
async def desk(server: Serving, ports: Ports) -> Desk:
    return await a_desk(server, ports)


@pytest.fixture
async def other_desk(server: Serving, ports: Ports) -> Desk:
    """Another workspace on the same server."""
    return await a_desk(server, ports)
