"""Rows to model objects, by hand."""

from __future__ import annotations

import asyncpg

from chassis.auth import Role
from chassis.ids import WorkspaceId
from services.identity.model.credentials import (
    ApiKey,
    ApiKeyId,
    OneTimeKind,
    OneTimeToken,
    Session,
    SessionId,
    SigningKey,
)
from services.identity.model.people import Member, MemberId, MemberState, Workspace

Row = asyncpg.Record

WORKSPACE_COLUMNS = "id, display_name, time_zone, create_time, version"
MEMBER_COLUMNS = "id, email, display_name, role, state, create_time, version"
SESSION_COLUMNS = (
    "id, workspace_id, member_id, digest, create_time, use_time, expire_time, end_time"
)
ONE_TIME_COLUMNS = "id, workspace_id, kind, subject_id, digest, create_time, expire_time, use_time"
API_KEY_COLUMNS = "id, workspace_id, display_name, role, create_time, expire_time, revoke_time"
SIGNING_KEY_COLUMNS = (
    "id, sealed_private, public_jwk, create_time, sign_from, sign_until, verify_until"
)


def workspace(row: Row) -> Workspace:
    """A row of WORKSPACE_COLUMNS."""
    return Workspace(
        id=WorkspaceId(str(row["id"])),
        display_name=row["display_name"],
        time_zone=row["time_zone"],
        create_time=row["create_time"],
        version=row["version"],
    )


def member(row: Row) -> Member:
    """A row of MEMBER_COLUMNS."""
    return Member(
        id=MemberId(str(row["id"])),
        email=row["email"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        state=MemberState(row["state"]),
        create_time=row["create_time"],
        version=row["version"],
    )


def session(row: Row) -> Session:
    """A row of SESSION_COLUMNS."""
    return Session(
        id=SessionId(str(row["id"])),
        workspace_id=WorkspaceId(str(row["workspace_id"])),
        member_id=MemberId(str(row["member_id"])),
        digest=row["digest"],
        create_time=row["create_time"],
        use_time=row["use_time"],
        expire_time=row["expire_time"],
        end_time=row["end_time"],
    )


def one_time_token(row: Row) -> OneTimeToken:
    """A row of ONE_TIME_COLUMNS."""
    return OneTimeToken(
        id=str(row["id"]),
        workspace_id=WorkspaceId(str(row["workspace_id"])),
        kind=OneTimeKind(row["kind"]),
        subject_id=str(row["subject_id"]),
        digest=row["digest"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        use_time=row["use_time"],
    )


def api_key(row: Row) -> ApiKey:
    """A row of API_KEY_COLUMNS."""
    return ApiKey(
        id=ApiKeyId(str(row["id"])),
        workspace_id=WorkspaceId(str(row["workspace_id"])),
        display_name=row["display_name"],
        role=Role(row["role"]),
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        revoke_time=row["revoke_time"],
    )


def signing_key(row: Row) -> SigningKey:
    """A row of SIGNING_KEY_COLUMNS."""
    return SigningKey(
        id=row["id"],
        sealed_private=row["sealed_private"],
        public_jwk=row["public_jwk"],
        create_time=row["create_time"],
        sign_from=row["sign_from"],
        sign_until=row["sign_until"],
        verify_until=row["verify_until"],
    )
