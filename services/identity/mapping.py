"""Protobuf to model and back."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.auth import Caller, Role
from chassis.auth_tokens import SignedToken
from chassis.errors import FieldInvalid
from chassis.policy import ROLES
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from services.identity.model.credentials import ApiKey
from services.identity.model.people import Member, MemberState, Workspace

ROLES_TO_PROTO = {role: number for number, role in ROLES.items()}
STATES_TO_PROTO = {
    MemberState.INVITED: v1.MEMBER_STATE_INVITED,
    MemberState.ACTIVE: v1.MEMBER_STATE_ACTIVE,
    MemberState.REMOVED: v1.MEMBER_STATE_REMOVED,
}
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def timestamp(time: datetime) -> Timestamp:
    """A time as protobuf."""
    made = Timestamp()
    made.FromDatetime(time)
    return made


def time_of(field: str, given: Timestamp) -> datetime:
    """A time from a request. Raises: FieldInvalid."""
    try:
        time = given.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise FieldInvalid(field=field, rule="must be a valid time") from None
    if not datetime(1970, 1, 1, tzinfo=UTC) < time < LATEST:
        raise FieldInvalid(field=field, rule="must be after 1970 and before the year 9999")
    return time


def role_of(number: int) -> Role | None:
    """A role from a request; None when it is unspecified or unknown."""
    return ROLES.get(policy_v1.Role.ValueType(number))


def workspace_to_proto(workspace: Workspace) -> v1.Workspace:
    """A workspace."""
    return v1.Workspace(
        id=workspace.id,
        display_name=workspace.display_name,
        time_zone=workspace.time_zone,
        create_time=timestamp(workspace.create_time),
        version=workspace.version,
    )


def member_to_proto(member: Member) -> v1.Member:
    """A member."""
    return v1.Member(
        id=member.id,
        email=member.email,
        display_name=member.display_name,
        role=ROLES_TO_PROTO[member.role],
        state=STATES_TO_PROTO[member.state],
        create_time=timestamp(member.create_time),
        version=member.version,
    )


def api_key_to_proto(key: ApiKey) -> v1.ApiKey:
    """A key, without its secret."""
    return v1.ApiKey(
        id=key.id,
        display_name=key.display_name,
        role=ROLES_TO_PROTO[key.role],
        create_time=timestamp(key.create_time),
        expire_time=timestamp(key.expire_time) if key.expire_time else None,
        revoke_time=timestamp(key.revoke_time) if key.revoke_time else None,
    )


def access_token_to_proto(signed: SignedToken) -> v1.AccessToken:
    """A signed token."""
    return v1.AccessToken(token=signed.token, expire_time=timestamp(signed.expire_time))


def subject_to_proto(caller: Caller) -> v1.Subject:
    """Who a credential stands for."""
    return v1.Subject(
        id=caller.id,
        workspace_id=caller.workspace_id or "",
        role=ROLES_TO_PROTO[caller.role],
        display_name=caller.display_name,
    )
