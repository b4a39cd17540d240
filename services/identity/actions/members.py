"""The people of a workspace: listing, inviting, changing, removing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chassis import audit
from chassis.audit import Change
from chassis.auth import Caller, Role
from chassis.errors import IdempotencyKeyReused
from chassis.ids import derived_id
from services.identity import events
from services.identity.actions import audited
from services.identity.actions.ports import Ports, request_digest
from services.identity.actions.sign_in import make_one_time
from services.identity.model import people as model
from services.identity.model.credentials import OneTimeKind
from services.identity.model.faults import MemberExists
from services.identity.model.people import Member, MemberId, MemberState, email_key
from services.identity.store import credentials as credentials_store
from services.identity.store import people as store


@dataclass(frozen=True, slots=True)
class Invited:
    """A member and the link to hand to them; empty once they have joined."""

    member: Member
    token: str = field(repr=False)
    url: str = field(repr=False)


async def list_members(
    ports: Ports, caller: Caller, *, after: tuple[datetime, str] | None, limit: int
) -> list[Member]:
    """The members of the caller's workspace in order of joining, removed ones included."""
    async with ports.app.begin(caller.workspace) as transaction:
        return await store.list_members(transaction, caller.workspace, after=after, limit=limit)


async def get_member(ports: Ports, caller: Caller, member_id: MemberId) -> Member:
    """A member of the caller's workspace, also a removed one. Raises: MemberNotFound."""
    async with ports.app.begin(caller.workspace) as transaction:
        return await store.get_member(transaction, caller.workspace, member_id)


async def invite_member(
    ports: Ports, caller: Caller, *, request_id: str, email: str, display_name: str, role: Role
) -> Invited:
    """Invite a person; a repeat returns the same member with a fresh link.

    Raises: MemberExists, IdempotencyKeyReused.
    """
    workspace_id = caller.workspace
    now = ports.clock.now()
    digest = request_digest(email_key(email), display_name, role.value)
    member = Member(
        id=MemberId(derived_id("member", workspace_id, request_id)),
        email=email,
        display_name=display_name,
        role=role,
        state=MemberState.INVITED,
        create_time=now,
    )
    changes: list[Change] = []
    async with ports.app.begin(workspace_id) as transaction:
        await store.lock_workspace(transaction, workspace_id)
        present = await store.find_member(transaction, workspace_id, member.id)
        if present is not None:
            if await store.member_digest(transaction, workspace_id, member.id) != digest:
                raise IdempotencyKeyReused(field="request_id")
            member = present
        elif await store.insert_member(transaction, workspace_id, member, digest):
            changed = events.member_changed(workspace_id, member)
            await ports.publish(transaction, [changed], now)
            changes.append(audited.member_changed(None, member))
        else:
            raise MemberExists
        if member.state is not MemberState.INVITED:
            # The request is an old one: a link would let its holder take the account over.
            return Invited(member, "", "")
        await credentials_store.void_tokens(transaction, workspace_id, member.id, now)
        link = await make_one_time(ports, transaction, workspace_id, OneTimeKind.INVITE, member.id)
        changes.append(audited.link_made(member.id, OneTimeKind.INVITE, link.expire_time))
        await audit.append(transaction, caller, "IdentityService/InviteMember", changes, at=now)
    return Invited(member, link.text, f"{ports.public_url}/invite?token={link.text}")


async def update_member(
    ports: Ports,
    caller: Caller,
    member_id: MemberId,
    *,
    role: Role | None,
    display_name: str,
    expected_version: int,
) -> Member:
    """Change a member's role or name; what is not given stays.

    Raises: MemberNotFound, VersionConflict, LastOwner.
    """
    workspace_id = caller.workspace
    now = ports.clock.now()
    async with ports.app.begin(workspace_id) as transaction:
        await store.lock_workspace(transaction, workspace_id)
        present = await store.get_member(transaction, workspace_id, member_id, lock=True)
        changed = model.updated(
            present,
            role=role,
            display_name=display_name,
            expected_version=expected_version,
            other_active_owners=await store.count_other_active_owners(
                transaction, workspace_id, member_id
            ),
        )
        if changed != present:
            await store.save_member(transaction, workspace_id, changed)
            told = events.member_changed(workspace_id, changed)
            await ports.publish(transaction, [told], now)
            changes = [audited.member_changed(present, changed)]
            await audit.append(transaction, caller, "IdentityService/UpdateMember", changes, at=now)
    return changed


async def remove_member(ports: Ports, caller: Caller, member_id: MemberId) -> Member:
    """Remove a member and end their sessions; a repeat returns the same.

    Raises: MemberNotFound, LastOwner.
    """
    workspace_id = caller.workspace
    async with ports.app.begin(workspace_id) as transaction:
        await store.lock_workspace(transaction, workspace_id)
        present = await store.get_member(transaction, workspace_id, member_id, lock=True)
        gone = model.removed(
            present,
            other_active_owners=await store.count_other_active_owners(
                transaction, workspace_id, member_id
            ),
        )
        if gone != present:
            now = ports.clock.now()
            await store.save_member(transaction, workspace_id, gone)
            await credentials_store.void_tokens(transaction, workspace_id, member_id, now)
            ended = await credentials_store.end_sessions(transaction, workspace_id, member_id, now)
            told = [events.session_revoked(workspace_id, member_id, one) for one in ended]
            told.append(events.member_changed(workspace_id, gone))
            await ports.publish(transaction, told, now)
            changes = [
                audited.member_changed(present, gone),
                *(audited.session_ended(one, now) for one in ended),
            ]
            await audit.append(transaction, caller, "IdentityService/RemoveMember", changes, at=now)
    return gone
