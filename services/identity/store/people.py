"""Workspaces, members, and the names they sign in by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chassis.database import Reading, Transaction
from chassis.ids import WorkspaceId
from services.identity.model.faults import MemberNotFound, WorkspaceNotFound
from services.identity.model.people import Member, MemberId, MemberState, Workspace, email_key
from services.identity.store import rows

MAX_CANDIDATES = 8
"""Workspaces that one address may belong to and still sign in by password."""


@dataclass(frozen=True, slots=True)
class SignInName:
    """One membership that an e-mail address may sign in to."""

    workspace_id: WorkspaceId
    member_id: MemberId
    password_hash: str | None = field(repr=False)


async def insert_workspace(
    transaction: Transaction, workspace: Workspace, request_digest: bytes
) -> bool:
    """Whether it was new; a repeat changes nothing."""
    done: str = await transaction.raw.execute(
        "INSERT INTO workspaces (id, display_name, time_zone, request_digest, create_time, version)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        workspace.id,
        workspace.display_name,
        workspace.time_zone,
        request_digest,
        workspace.create_time,
        workspace.version,
    )
    return done == "INSERT 0 1"


async def get_workspace(transaction: Transaction, workspace_id: WorkspaceId) -> Workspace:
    """Raises: WorkspaceNotFound."""
    row = await transaction.raw.fetchrow(
        f"SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces WHERE id = $1", workspace_id
    )
    if row is None:
        raise WorkspaceNotFound(workspace_id=workspace_id)
    return rows.workspace(row)


async def workspace_digest(transaction: Transaction, workspace_id: WorkspaceId) -> bytes:
    """What the request that created it said."""
    digest: bytes = await transaction.raw.fetchval(
        "SELECT request_digest FROM workspaces WHERE id = $1", workspace_id
    )
    return digest


async def lock_workspace(transaction: Transaction, workspace_id: WorkspaceId) -> None:
    """Let one change of roles at a time through, so that the last owner is counted rightly."""
    await transaction.raw.execute("SELECT 1 FROM workspaces WHERE id = $1 FOR UPDATE", workspace_id)


async def insert_member(
    transaction: Transaction, workspace_id: WorkspaceId, member: Member, request_digest: bytes
) -> bool:
    """Whether both the id and the address were free."""
    named: str = await transaction.raw.execute(
        "INSERT INTO sign_in_names (workspace_id, email_key, member_id) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING",
        workspace_id,
        email_key(member.email),
        member.id,
    )
    if named != "INSERT 0 1":
        return False
    await transaction.raw.execute(
        "INSERT INTO members (workspace_id, id, email, display_name, role, state, request_digest,"
        " create_time, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        workspace_id,
        member.id,
        member.email,
        member.display_name,
        member.role.value,
        member.state.value,
        request_digest,
        member.create_time,
        member.version,
    )
    return True


async def find_member(
    reading: Reading, workspace_id: WorkspaceId, member_id: MemberId, *, lock: bool = False
) -> Member | None:
    """The member, removed or not."""
    row = await reading.raw.fetchrow(
        f"SELECT {rows.MEMBER_COLUMNS} FROM members WHERE workspace_id = $1 AND id = $2"
        + (" FOR UPDATE" if lock else ""),
        workspace_id,
        member_id,
    )
    return None if row is None else rows.member(row)


async def get_member(
    transaction: Transaction, workspace_id: WorkspaceId, member_id: MemberId, *, lock: bool = False
) -> Member:
    """The member, removed or not. Raises: MemberNotFound."""
    found = await find_member(transaction, workspace_id, member_id, lock=lock)
    if found is None:
        raise MemberNotFound(member_id=member_id)
    return found


async def member_digest(
    transaction: Transaction, workspace_id: WorkspaceId, member_id: MemberId
) -> bytes:
    """What the request that invited them said."""
    digest: bytes = await transaction.raw.fetchval(
        "SELECT request_digest FROM members WHERE workspace_id = $1 AND id = $2",
        workspace_id,
        member_id,
    )
    return digest


async def save_member(transaction: Transaction, workspace_id: WorkspaceId, member: Member) -> None:
    """Write a changed member, whose row is locked; a removed one frees the address."""
    await transaction.raw.execute(
        "UPDATE members SET display_name = $3, role = $4, state = $5, version = $6 "
        "WHERE workspace_id = $1 AND id = $2",
        workspace_id,
        member.id,
        member.display_name,
        member.role.value,
        member.state.value,
        member.version,
    )
    if member.state is MemberState.REMOVED:
        await transaction.raw.execute(
            "DELETE FROM sign_in_names WHERE workspace_id = $1 AND member_id = $2",
            workspace_id,
            member.id,
        )


async def list_members(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Member]:
    """In order of joining."""
    condition, values = ("AND (create_time, id) > ($3, $4)", after) if after else ("", ())
    found = await transaction.raw.fetch(
        f"SELECT {rows.MEMBER_COLUMNS} FROM members WHERE workspace_id = $1 {condition} "
        "ORDER BY create_time, id LIMIT $2",
        workspace_id,
        limit,
        *values,
    )
    return [rows.member(row) for row in found]


async def list_members_by_id(
    transaction: Transaction, workspace_id: WorkspaceId, *, after: str, limit: int
) -> list[Member]:
    """In the order of their ids."""
    found = await transaction.raw.fetch(
        f"SELECT {rows.MEMBER_COLUMNS} FROM members WHERE workspace_id = $1 AND id > $2 "
        "ORDER BY id LIMIT $3",
        workspace_id,
        after,
        limit,
    )
    return [rows.member(row) for row in found]


async def count_other_active_owners(
    transaction: Transaction, workspace_id: WorkspaceId, member_id: MemberId
) -> int:
    """Owners who could run the workspace without this one; the workspace is locked."""
    count: int = await transaction.raw.fetchval(
        "SELECT count(*) FROM members WHERE workspace_id = $1 AND id <> $2 "
        "AND role = 'owner' AND state = 'active'",
        workspace_id,
        member_id,
    )
    return count


async def sign_in_names(transaction: Transaction, email: str) -> list[SignInName]:
    """Across workspaces (worker): memberships of an address, the one used last first."""
    found = await transaction.raw.fetch(
        "SELECT workspace_id, member_id, password_hash FROM sign_in_names WHERE email_key = $1 "
        "AND password_hash IS NOT NULL ORDER BY use_time DESC NULLS LAST, workspace_id LIMIT $2",
        email_key(email),
        MAX_CANDIDATES,
    )
    return [
        SignInName(
            WorkspaceId(str(row["workspace_id"])),
            MemberId(str(row["member_id"])),
            row["password_hash"],
        )
        for row in found
    ]


async def password_hash(
    transaction: Transaction, workspace_id: WorkspaceId, member_id: MemberId
) -> str | None:
    """A member's own password, if they have one."""
    present: str | None = await transaction.raw.fetchval(
        "SELECT password_hash FROM sign_in_names WHERE workspace_id = $1 AND member_id = $2",
        workspace_id,
        member_id,
    )
    return present


async def set_password(
    transaction: Transaction,
    workspace_id: WorkspaceId,
    member_id: MemberId,
    new_hash: str,
    *,
    instead_of: str | None = None,
) -> bool:
    """Write a password's hash; with `instead_of` only if that is still the present one."""
    done: str = await transaction.raw.execute(
        "UPDATE sign_in_names SET password_hash = $3 WHERE workspace_id = $1 AND member_id = $2 "
        "AND ($4::text IS NULL OR password_hash = $4)",
        workspace_id,
        member_id,
        new_hash,
        instead_of,
    )
    return done == "UPDATE 1"


async def note_sign_in(
    transaction: Transaction, workspace_id: WorkspaceId, member_id: MemberId, at: datetime
) -> None:
    """Remember when a member signed in last."""
    await transaction.raw.execute(
        "UPDATE sign_in_names SET use_time = $3 WHERE workspace_id = $1 AND member_id = $2",
        workspace_id,
        member_id,
        at,
    )
