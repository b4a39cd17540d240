"""Workspaces and members."""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.auth import PEOPLE, Role
from chassis.errors import FieldInvalid, VersionConflict
from chassis.ids import WorkspaceId
from services.identity.model.faults import LastOwner, PasswordTooWeak

MemberId = NewType("MemberId", str)

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
MIN_PASSWORD_CHARACTERS = 10
MAX_PASSWORD_CHARACTERS = 256
"""Longer ones would only make the hash work harder for whoever attacks it."""
MIN_DIFFERENT_CHARACTERS = 4


class MemberState(enum.Enum):
    """Whether a member can sign in."""

    INVITED = "invited"
    ACTIVE = "active"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One shared inbox and the people who answer from it."""

    id: WorkspaceId
    display_name: str
    time_zone: str
    create_time: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace."""

    id: MemberId
    email: str
    display_name: str
    role: Role
    state: MemberState
    create_time: datetime
    version: int = 1

    @property
    def is_active_owner(self) -> bool:
        """Whether they can run the workspace."""
        return self.role is Role.OWNER and self.state is MemberState.ACTIVE


def parse_email(field: str, email: str) -> str:
    """An e-mail address as it is kept and shown. Raises: FieldInvalid."""
    trimmed = email.strip()
    if not EMAIL.fullmatch(trimmed) or not trimmed.isprintable():
        raise FieldInvalid(field=field, rule="must be an e-mail address")
    return trimmed


def email_key(email: str) -> str:
    """What two spellings of one address have in common: case and Unicode form do not matter."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def parse_time_zone(name: str) -> str:
    """An IANA time zone's name; empty is UTC. Raises: FieldInvalid."""
    if not name:
        return "UTC"
    try:
        if TIME_ZONE.fullmatch(name):
            ZoneInfo(name)
            return name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise FieldInvalid(field="time_zone", rule="must be an IANA time zone, America/Sao_Paulo")


def parse_role_of_person(role: Role | None) -> Role:
    """A role that a person can have. Raises: FieldInvalid."""
    if role not in PEOPLE:
        raise FieldInvalid(field="role", rule="must be owner, agent or read-only")
    return role


def check_password(password: str, email: str = "") -> None:
    """Length is what makes a password strong; a few shapes are refused. Raises: PasswordTooWeak."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise PasswordTooWeak(rule=f"needs at least {MIN_PASSWORD_CHARACTERS} characters")
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise PasswordTooWeak(rule=f"may have at most {MAX_PASSWORD_CHARACTERS} characters")
    if len(set(password)) < MIN_DIFFERENT_CHARACTERS:
        raise PasswordTooWeak(rule="repeats the same characters")
    if email and email_key(password) == email_key(email):
        raise PasswordTooWeak(rule="is the e-mail address")


def activated(member: Member, display_name: str = "") -> Member:
    """The member once they used their link; changes nothing for one who is active already."""
    name = display_name or member.display_name
    if member.state is MemberState.ACTIVE and name == member.display_name:
        return member
    return replace(member, state=MemberState.ACTIVE, display_name=name, version=member.version + 1)


def updated(
    member: Member,
    *,
    role: Role | None,
    display_name: str,
    expected_version: int,
    other_active_owners: int,
) -> Member:
    """The member with another role or name; what is not given stays.

    Raises: VersionConflict, LastOwner.
    """
    if expected_version and expected_version != member.version:
        raise VersionConflict(expected_version=expected_version, present_version=member.version)
    changed = replace(
        member, role=role or member.role, display_name=display_name or member.display_name
    )
    if changed == member:
        return member
    if changed.role is not Role.OWNER:
        _keep_an_owner(member, other_active_owners)
    return replace(changed, version=member.version + 1)


def removed(member: Member, *, other_active_owners: int) -> Member:
    """The member once removed; a repeat changes nothing. Raises: LastOwner."""
    if member.state is MemberState.REMOVED:
        return member
    _keep_an_owner(member, other_active_owners)
    return replace(member, state=MemberState.REMOVED, version=member.version + 1)


def _keep_an_owner(leaving: Member, other_active_owners: int) -> None:
    if leaving.role is Role.OWNER and other_active_owners == 0:
        raise LastOwner(member_id=leaving.id)
