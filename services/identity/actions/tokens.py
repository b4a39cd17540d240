"""Turning long-lived credentials into access tokens."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from chassis.auth import (
    Caller,
    CredentialExpired,
    CredentialInvalid,
    Role,
    VisitorBinding,
)
from chassis.auth_tokens import SignedToken
from chassis.database import Transaction
from chassis.ids import WorkspaceId
from services.identity.actions.ports import Ports
from services.identity.model.credentials import (
    API_KEY_PREFIX,
    SESSION_LASTS,
    SESSION_PREFIX,
    ApiKey,
    SecretToken,
    Session,
    SessionId,
)
from services.identity.model.people import Member, MemberState
from services.identity.store import credentials as store
from services.identity.store import people

API_KEY_PURPOSE = "api key"


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and who it stands for."""

    signed: SignedToken
    caller: Caller


async def issue_to_member(ports: Ports, session: Session, member: Member) -> Issued:
    """A token of a session; it says which version of the member it was made for."""
    caller = Caller(
        id=member.id,
        role=member.role,
        workspace_id=session.workspace_id,
        display_name=member.display_name,
        credential_id=session.id,
    )
    return Issued(await ports.signing_keys.sign(caller, version=member.version), caller)


async def exchange_api_key(ports: Ports, text: str) -> Issued:
    """A token for an API key. Raises: CredentialInvalid, CredentialExpired."""
    token = SecretToken.parse(API_KEY_PREFIX, text)
    if token is None:
        raise CredentialInvalid
    async with ports.worker.read() as reading:
        found = await store.find_api_key(reading, token.id)
    if found is None:
        raise CredentialInvalid
    key, secret_mac = found
    macs = ports.master_keys.macs(API_KEY_PURPOSE, token.secret.encode())
    if not any([compare_digest(mac, secret_mac) for mac in macs]):  # noqa: C419 - in even time
        raise CredentialInvalid
    return await issue_to_key(ports, key)


async def exchange_session(ports: Ports, text: str) -> Issued:
    """A token for a session, which lives on from this use.

    Raises: CredentialInvalid, CredentialExpired.
    """
    token = SecretToken.parse(SESSION_PREFIX, text)
    if token is None:
        raise CredentialInvalid
    async with ports.worker.read() as reading:
        session = await store.find_session(reading, SessionId(token.id))
    if session is None or not token.matches(session.digest):
        raise CredentialInvalid
    async with ports.worker.read(session.workspace_id) as reading:
        member = await people.find_member(reading, session.workspace_id, session.member_id)
    issued = await issue_to_session(ports, session, member)
    if session.is_due(ports.clock.now()):
        async with ports.worker.begin(session.workspace_id) as transaction:
            await touch(ports, transaction, session)
    return issued


async def exchange_service_key(ports: Ports, text: str, workspace_id: WorkspaceId | None) -> Issued:
    """A token of role service, in one workspace or bound to none.

    Raises: CredentialInvalid, WorkspaceNotFound.
    """
    if not ports.is_service_key(text):
        raise CredentialInvalid
    if workspace_id is not None:
        async with ports.worker.begin(workspace_id) as transaction:
            await people.get_workspace(transaction, workspace_id)
    caller = Caller(
        id="service", role=Role.SERVICE, workspace_id=workspace_id, display_name="service"
    )
    return Issued(await ports.signing_keys.sign(caller), caller)


async def issue_visitor_token(
    ports: Ports, caller: Caller, binding: VisitorBinding, display_name: str
) -> Issued:
    """A token for a customer in the chat box of the caller's workspace."""
    visitor = Caller(
        id=binding.external_id,
        role=Role.VISITOR,
        workspace_id=caller.workspace,
        display_name=display_name,
        visitor=binding,
    )
    return Issued(await ports.signing_keys.sign(visitor), visitor)


async def issue_bot_token(ports: Ports, caller: Caller, display_name: str) -> Issued:
    """A token for the AI of the caller's workspace; it has the id of the service that asks."""
    bot = Caller(
        id=caller.id, role=Role.BOT, workspace_id=caller.workspace, display_name=display_name
    )
    return Issued(await ports.signing_keys.sign(bot), bot)


async def issue_to_session(ports: Ports, session: Session, member: Member | None) -> Issued:
    """A token of a session. Raises: CredentialInvalid, CredentialExpired."""
    if session.end_time is not None:
        raise CredentialInvalid
    if not session.is_open(ports.clock.now()):
        raise CredentialExpired
    if member is None or member.state is not MemberState.ACTIVE:
        raise CredentialInvalid
    return await issue_to_member(ports, session, member)


async def touch(ports: Ports, transaction: Transaction, session: Session) -> None:
    """Let a session live on from now."""
    now = ports.clock.now()
    await store.touch_session(transaction, session, at=now, expire_time=now + SESSION_LASTS)


async def issue_to_key(ports: Ports, key: ApiKey) -> Issued:
    """A token of a key. Raises: CredentialInvalid, CredentialExpired."""
    now = ports.clock.now()
    if key.revoke_time is not None:
        raise CredentialInvalid
    if key.has_expired(now):
        raise CredentialExpired
    caller = Caller(
        id=key.id,
        role=key.role,
        workspace_id=key.workspace_id,
        display_name=key.display_name,
        credential_id=key.id,
    )
    signed = (
        await ports.signing_keys.sign(caller)
        if key.expire_time is None
        else await ports.signing_keys.sign(caller, within=key.expire_time - now)
    )
    return Issued(signed, caller)
