"""Signing in and out: passwords, links, invitations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis import audit
from chassis.audit import Change
from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.limits import RateLimit
from services.identity import events
from services.identity.actions import audited
from services.identity.actions.ports import Ports
from services.identity.actions.tokens import Issued, issue_to_member
from services.identity.model.credentials import (
    LASTS,
    LINK_PREFIX,
    SESSION_LASTS,
    SESSION_PREFIX,
    OneTimeKind,
    OneTimeToken,
    SecretToken,
    Session,
    SessionId,
)
from services.identity.model.faults import (
    LinkUsedOrExpired,
    MemberNotFound,
    NotAMember,
    PasswordWrong,
    SignInRefused,
)
from services.identity.model.people import (
    MAX_PASSWORD_CHARACTERS,
    Member,
    MemberId,
    MemberState,
    Workspace,
    activated,
    check_password,
    email_key,
)
from services.identity.store import credentials as store
from services.identity.store import people

SIGN_IN = "IdentityService/SignIn"
TRIES_PER_ACCOUNT = 10
SECONDS_PER_TRY_OF_ACCOUNT = 6
TRIES_PER_ADDRESS = 60
TRIES_PER_SECOND_OF_ADDRESS = 2


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session."""

    session_token: str = field(repr=False)
    issued: Issued
    member: Member
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class OneTime:
    """A one-time token as it is handed out."""

    text: str = field(repr=False)
    expire_time: datetime


class SignInLimits:
    """How often somebody may try: per account and per address they come from."""

    def __init__(self, clock: Clock) -> None:
        self._accounts = RateLimit(
            clock, per_second=1 / SECONDS_PER_TRY_OF_ACCOUNT, burst=TRIES_PER_ACCOUNT
        )
        self._addresses = RateLimit(
            clock, per_second=TRIES_PER_SECOND_OF_ADDRESS, burst=TRIES_PER_ADDRESS
        )

    def count(self, account: str, address: str) -> None:
        """Count one try. Raises: RateLimited."""
        self._addresses.take(address)
        if account:
            self._accounts.take(account)


async def sign_in_by_password(
    ports: Ports, limits: SignInLimits, *, email: str, password: str, address: str
) -> SignedIn:
    """Open a session for whoever knows the password.

    Raises: SignInRefused, RateLimited.
    """
    limits.count(email_key(email), address)
    async with ports.worker.begin() as transaction:
        names = await people.sign_in_names(transaction, email)
    # Nobody's password takes as long to refuse as a wrong one.
    candidates: list[people.SignInName | None] = [*names] or [None]
    for name in candidates:
        hashed = name.password_hash if name is not None else None
        given = password[: MAX_PASSWORD_CHARACTERS + 1]
        if await ports.passwords.matches(given, hashed) and name is not None:
            return await _open_for(ports, name, password)
    raise SignInRefused


async def _open_for(ports: Ports, name: people.SignInName, password: str) -> SignedIn:
    renewed = None
    if name.password_hash is not None and ports.passwords.is_outdated(name.password_hash):
        renewed = await ports.passwords.hash(password)
    async with ports.worker.begin(name.workspace_id) as transaction:
        member = await people.find_member(transaction, name.workspace_id, name.member_id)
        if member is None or member.state is not MemberState.ACTIVE:
            raise SignInRefused
        if renewed is not None:
            await people.set_password(
                transaction,
                name.workspace_id,
                name.member_id,
                renewed,
                instead_of=name.password_hash,
            )
        return await _open_session(ports, transaction, name.workspace_id, member, command=SIGN_IN)


async def sign_in_by_link(
    ports: Ports, limits: SignInLimits, *, link_token: str, address: str
) -> SignedIn:
    """Open a session for whoever has the link; it is used up. An invited member becomes active.

    Raises: LinkUsedOrExpired, RateLimited.
    """
    limits.count("", address)
    token = await _find_link(ports, link_token, OneTimeKind.SIGN_IN_LINK)
    async with ports.worker.begin(token.workspace_id) as transaction:
        member = await _use_link(ports, transaction, token)
        joined = activated(member)
        return await _join(ports, transaction, token.workspace_id, member, joined, command=SIGN_IN)


async def accept_invite(
    ports: Ports,
    limits: SignInLimits,
    *,
    invite_token: str,
    password: str,
    display_name: str,
    address: str,
) -> SignedIn:
    """Turn an invited person into a member who can sign in, and sign them in.

    Raises: LinkUsedOrExpired, PasswordTooWeak, RateLimited.
    """
    limits.count("", address)
    check_password(password)
    token = await _find_link(ports, invite_token, OneTimeKind.INVITE)
    hashed = await ports.passwords.hash(password)
    async with ports.worker.begin(token.workspace_id) as transaction:
        member = await _use_link(ports, transaction, token)
        check_password(password, member.email)
        if member.state is not MemberState.INVITED:
            raise LinkUsedOrExpired
        await people.set_password(transaction, token.workspace_id, member.id, hashed)
        joined = activated(member, display_name)
        return await _join(
            ports,
            transaction,
            token.workspace_id,
            member,
            joined,
            command="IdentityService/AcceptInvite",
            changes=[audited.password_set(member.id)],
        )


async def sign_out(ports: Ports, caller: Caller, session_token: str) -> None:
    """End a session of the caller's own; a repeat, or somebody else's session, changes nothing."""
    session_id = caller.credential_id
    if session_token:
        token = SecretToken.parse(SESSION_PREFIX, session_token)
        if token is None:
            return
        session_id = token.id
    if caller.is_key or not session_id:
        return
    now = ports.clock.now()
    member_id = MemberId(caller.id)
    async with ports.app.begin(caller.workspace) as transaction:
        if await store.end_session(transaction, caller.workspace, member_id, session_id, now):
            ended = SessionId(session_id)
            told = events.session_revoked(caller.workspace, member_id, ended)
            await ports.publish(transaction, [told], now)
            changes = [audited.session_ended(ended, now)]
            await audit.append(transaction, caller, "IdentityService/SignOut", changes, at=now)


async def change_password(
    ports: Ports, limits: SignInLimits, caller: Caller, *, current: str, new: str
) -> None:
    """Set the caller's own password; their other sessions end.

    Raises: NotAMember, PasswordWrong, PasswordTooWeak, RateLimited.
    """
    if caller.is_key:
        raise NotAMember
    limits.count(caller.id, caller.id)
    workspace_id, member_id = caller.workspace, MemberId(caller.id)
    async with ports.app.begin(workspace_id) as transaction:
        member = await people.get_member(transaction, workspace_id, member_id)
        present = await people.password_hash(transaction, workspace_id, member_id)
    check_password(new, member.email)
    if present is not None and not await ports.passwords.matches(current, present):
        raise PasswordWrong
    hashed = await ports.passwords.hash(new)
    now = ports.clock.now()
    async with ports.app.begin(workspace_id) as transaction:
        if not await people.set_password(
            transaction, workspace_id, member_id, hashed, instead_of=present
        ):
            raise PasswordWrong  # it was changed a moment ago
        await store.void_tokens(transaction, workspace_id, member_id, now)
        ended = await store.end_sessions(
            transaction, workspace_id, member_id, now, but=caller.credential_id
        )
        told = [events.session_revoked(workspace_id, member_id, one) for one in ended]
        await ports.publish(transaction, told, now)
        changes = [audited.password_set(member_id)]
        changes += [audited.session_ended(one, now) for one in ended]
        await audit.append(transaction, caller, "IdentityService/ChangePassword", changes, at=now)


async def create_sign_in_link(ports: Ports, caller: Caller, member_id: MemberId) -> OneTime:
    """A link that lets a member of the caller's workspace in once. Raises: MemberNotFound."""
    async with ports.app.begin(caller.workspace) as transaction:
        member = await people.get_member(transaction, caller.workspace, member_id)
        if member.state is MemberState.REMOVED:
            raise MemberNotFound(member_id=member_id)
        link = await make_one_time(
            ports, transaction, caller.workspace, OneTimeKind.SIGN_IN_LINK, member_id
        )
        changes = [audited.link_made(member_id, OneTimeKind.SIGN_IN_LINK, link.expire_time)]
        await audit.append(
            transaction, caller, "IdentityService/CreateSignInLink", changes, at=ports.clock.now()
        )
    return link


async def make_one_time(
    ports: Ports,
    transaction: Transaction,
    workspace_id: WorkspaceId,
    kind: OneTimeKind,
    subject_id: str,
) -> OneTime:
    """Make and keep a one-time token."""
    fresh = SecretToken.fresh()
    now = ports.clock.now()
    token = OneTimeToken(
        id=fresh.id,
        workspace_id=workspace_id,
        kind=kind,
        subject_id=subject_id,
        digest=fresh.digest,
        create_time=now,
        expire_time=now + LASTS[kind],
    )
    await store.insert_token(transaction, token)
    return OneTime(fresh.text(LINK_PREFIX), token.expire_time)


async def _find_link(ports: Ports, text: str, kind: OneTimeKind) -> OneTimeToken:
    given = SecretToken.parse(LINK_PREFIX, text)
    if given is None:
        raise LinkUsedOrExpired
    async with ports.worker.begin() as transaction:
        token = await store.find_token(transaction, given.id)
    now = ports.clock.now()
    if token is None or not given.matches(token.digest) or not token.is_good(kind, now):
        raise LinkUsedOrExpired
    return token


async def _use_link(ports: Ports, transaction: Transaction, token: OneTimeToken) -> Member:
    if not await store.use_token(transaction, token, ports.clock.now()):
        raise LinkUsedOrExpired
    member_id = MemberId(token.subject_id)
    member = await people.find_member(transaction, token.workspace_id, member_id, lock=True)
    if member is None or member.state is MemberState.REMOVED:
        raise LinkUsedOrExpired
    return member


async def _join(
    ports: Ports,
    transaction: Transaction,
    workspace_id: WorkspaceId,
    before: Member,
    after: Member,
    *,
    command: str,
    changes: Sequence[Change] = (),
) -> SignedIn:
    if after != before:
        await people.save_member(transaction, workspace_id, after)
        changed = events.member_changed(workspace_id, after)
        await ports.publish(transaction, [changed], ports.clock.now())
    changes = [audited.member_changed(before, after), *changes]
    return await _open_session(
        ports, transaction, workspace_id, after, command=command, changes=changes
    )


async def _open_session(
    ports: Ports,
    transaction: Transaction,
    workspace_id: WorkspaceId,
    member: Member,
    *,
    command: str,
    changes: Sequence[Change] = (),
) -> SignedIn:
    fresh = SecretToken.fresh()
    now = ports.clock.now()
    session = Session(
        id=SessionId(fresh.id),
        workspace_id=workspace_id,
        member_id=member.id,
        digest=fresh.digest,
        create_time=now,
        use_time=now,
        expire_time=now + SESSION_LASTS,
    )
    await store.insert_session(transaction, session)
    await people.note_sign_in(transaction, workspace_id, member.id, now)
    changes = [*changes, audited.session_opened(session)]
    await audit.append(transaction, audited.acting(member), command, changes, at=now)
    workspace = await people.get_workspace(transaction, workspace_id)
    issued = await issue_to_member(ports, session, member)
    return SignedIn(fresh.text(SESSION_PREFIX), issued, member, workspace)
