"""Workspaces, and who the caller is in theirs."""

from __future__ import annotations

from dataclasses import dataclass

from chassis import audit
from chassis.auth import PEOPLE, Caller, Role
from chassis.errors import IdempotencyKeyReused
from chassis.ids import WorkspaceId, derived_id
from services.identity import events
from services.identity.actions import audited
from services.identity.actions.ports import Ports, request_digest
from services.identity.model.people import (
    Member,
    MemberId,
    MemberState,
    Workspace,
    email_key,
)
from services.identity.store import people as store


@dataclass(frozen=True, slots=True)
class Self:
    """Who the caller is."""

    member: Member | None
    workspace: Workspace


async def create_workspace(
    ports: Ports,
    *,
    request_id: str,
    display_name: str,
    time_zone: str,
    owner_email: str,
    owner_display_name: str,
    caller: Caller,
) -> tuple[Workspace, Member]:
    """Create a workspace with its first owner; a repeat returns the same.

    The owner gets in by a sign-in link. Raises: IdempotencyKeyReused.
    """
    now = ports.clock.now()
    digest = request_digest(display_name, time_zone, email_key(owner_email), owner_display_name)
    workspace = Workspace(
        id=WorkspaceId(derived_id("workspace", request_id)),
        display_name=display_name,
        time_zone=time_zone,
        create_time=now,
    )
    owner = Member(
        id=MemberId(derived_id("first owner", request_id)),
        email=owner_email,
        display_name=owner_display_name,
        role=Role.OWNER,
        state=MemberState.INVITED,
        create_time=now,
    )
    async with ports.app.begin(workspace.id) as transaction:
        if await store.insert_workspace(transaction, workspace, digest):
            await store.insert_member(transaction, workspace.id, owner, digest)
            told = [
                events.workspace_changed(workspace),
                events.member_changed(workspace.id, owner),
            ]
            await ports.publish(transaction, told, now)
            changes = [audited.workspace_created(workspace), audited.member_changed(None, owner)]
            await audit.append(
                transaction, caller, "IdentityService/CreateWorkspace", changes, at=now
            )
            return workspace, owner
        if await store.workspace_digest(transaction, workspace.id) != digest:
            raise IdempotencyKeyReused(field="request_id")
        return (
            await store.get_workspace(transaction, workspace.id),
            await store.get_member(transaction, workspace.id, owner.id),
        )


async def get_self(ports: Ports, caller: Caller) -> Self:
    """The caller's workspace, and the member when a person calls. Raises: WorkspaceNotFound."""
    async with ports.app.begin(caller.workspace) as transaction:
        workspace = await store.get_workspace(transaction, caller.workspace)
        if caller.role not in PEOPLE or caller.is_key:
            return Self(None, workspace)
        member = await store.get_member(transaction, caller.workspace, MemberId(caller.id))
        return Self(member, workspace)
