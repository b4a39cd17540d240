"""What the audit keeps of people and of what lets them in: never a credential itself."""

from __future__ import annotations

from datetime import datetime

from chassis.audit import WITHHELD, Actor, ActorKind, Change, Fields
from services.identity.model.credentials import ApiKey, OneTimeKind, Session, SessionId
from services.identity.model.people import Member, MemberId, Workspace


def acting(member: Member) -> Actor:
    """A person who signs in: they act before they have a credential to call with."""
    return Actor(ActorKind.MEMBER, member.id, member.display_name)


def workspace_created(workspace: Workspace) -> Change:
    """A new workspace."""
    kept = {"display_name": workspace.display_name, "time_zone": workspace.time_zone}
    return Change.of("workspace", workspace.id, None, kept)


def member_changed(before: Member | None, after: Member) -> Change:
    """A member, new or changed."""
    earlier = None if before is None else _of_member(before)
    return Change.of("member", after.id, earlier, _of_member(after))


def password_set(member_id: MemberId) -> Change:
    """A member has another password."""
    return Change.of("member", member_id, {}, {"password": WITHHELD})


def link_made(member_id: MemberId, kind: OneTimeKind, expire_time: datetime) -> Change:
    """A link was made that lets a member in once."""
    return Change.of("member", member_id, {}, {f"{kind.value}_expire_time": expire_time})


def session_opened(session: Session) -> Change:
    """A member signed in."""
    return Change.of("session", session.id, None, {"member_id": session.member_id})


def session_ended(session_id: SessionId, at: datetime) -> Change:
    """A session lets nobody in any more."""
    return Change.of("session", session_id, {"end_time": None}, {"end_time": at})


def api_key_changed(before: ApiKey | None, after: ApiKey) -> Change:
    """An API key, new or revoked."""
    earlier = None if before is None else _of_api_key(before)
    return Change.of("api_key", after.id, earlier, _of_api_key(after))


def _of_member(member: Member) -> Fields:
    return {
        "email": member.email,
        "display_name": member.display_name,
        "role": member.role,
        "state": member.state,
    }


def _of_api_key(key: ApiKey) -> Fields:
    return {
        "display_name": key.display_name,
        "role": key.role,
        "expire_time": key.expire_time,
        "revoke_time": key.revoke_time,
    }
