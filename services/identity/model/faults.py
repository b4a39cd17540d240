"""What identity refuses, each with the way out. None of them names an e-mail address."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)


@dataclass(eq=False)
class WorkspaceNotFound(NotFound):
    """No such workspace, or not for this caller."""

    workspace_id: str
    reason = "WORKSPACE_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no workspace {self.workspace_id}"


@dataclass(eq=False)
class MemberNotFound(NotFound):
    """No such member, or not for this caller."""

    member_id: str
    reason = "MEMBER_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no member {self.member_id}"


class MemberExists(AlreadyExists):
    """A member with this e-mail address exists already."""

    reason = "MEMBER_EXISTS"

    def __str__(self) -> str:
        return "a member with this e-mail address exists already; change that one"


@dataclass(eq=False)
class ApiKeyNotFound(NotFound):
    """No such API key, or not for this caller."""

    api_key_id: str
    reason = "API_KEY_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no API key {self.api_key_id}"


class SignInRefused(Unauthenticated):
    """Wrong e-mail address or password; which of them stays untold."""

    reason = "SIGN_IN_REFUSED"

    def __str__(self) -> str:
        return "the e-mail address or the password is wrong"


class PasswordWrong(PermissionDenied):
    """The present password that came with a change is not the member's."""

    reason = "SIGN_IN_REFUSED"

    def __str__(self) -> str:
        return "current_password is wrong"


class LinkUsedOrExpired(Unauthenticated):
    """A one-time link was used already, is too old, or never was one."""

    reason = "LINK_USED_OR_EXPIRED"

    def __str__(self) -> str:
        return "the link was used already or is too old; ask for a fresh one"


@dataclass(eq=False)
class PasswordTooWeak(InvalidArgument):
    """The password does not meet a rule."""

    rule: str
    reason = "PASSWORD_TOO_WEAK"

    def __str__(self) -> str:
        return f"choose another password: it {self.rule}"


@dataclass(eq=False)
class LastOwner(Conflict):
    """A workspace without an owner could never be run again."""

    member_id: str
    reason = "LAST_OWNER"

    def __str__(self) -> str:
        return "this is the last owner; make somebody else an owner first"


class NotAMember(PermissionDenied):
    """A program's key called a method that is about a person's own account."""

    reason = "ROLE_NOT_ALLOWED"

    def __str__(self) -> str:
        return "only a signed-in member may call this, not an API key"
