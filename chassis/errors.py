"""Every error a caller may see: one base, its kinds, and no transport.

An error names the fact, carries the values and says the way out. It is raised in model, store or
actions; `chassis.rpc` alone turns it into a status code with `google.rpc.ErrorInfo`.
`reason` is a name of `inbox.error.v1.Reason` without its prefix; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar


class CannotStart(Exception):
    """What an operator has to mend before a process can run; its text says how."""


class Fault(Exception):
    """What went wrong, as a fact. Subclasses are dataclasses; their fields become metadata."""

    reason: ClassVar[str] = "INTERNAL"

    def metadata(self) -> dict[str, str]:
        """The values that belong to the reason. Never customers' words."""
        if not is_dataclass(self):
            return {}
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


class InvalidArgument(Fault):
    """The request itself is wrong; repeating it cannot help."""

    reason = "INVALID_ARGUMENT"


class NotFound(Fault):
    """It does not exist, or not for this caller: both look the same from outside."""


class AlreadyExists(Fault):
    """Something else with this name or id is there already."""


class Conflict(Fault):
    """The state of things forbids it now."""


class Aborted(Fault):
    """Somebody else was faster; read again and decide anew."""


class PermissionDenied(Fault):
    """The caller is known but may not do this."""


class Unauthenticated(Fault):
    """The caller is not known."""


class ResourceExhausted(Fault):
    """A limit is reached; the metadata says when to come back."""


class OutOfRange(Fault):
    """What was asked for is no longer, or not yet, there."""


class Unavailable(Fault):
    """A part is away for the moment; the same request may be repeated."""

    reason = "TEMPORARILY_UNAVAILABLE"


@dataclass(eq=False)
class FieldInvalid(InvalidArgument):
    """One field of the request is missing, malformed or out of range."""

    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


@dataclass(eq=False)
class RoleNotAllowed(PermissionDenied):
    """The caller's role may not do this."""

    role: str
    allowed_roles: str
    reason = "ROLE_NOT_ALLOWED"

    def __str__(self) -> str:
        return f"role {self.role} may not do this; allowed: {self.allowed_roles}"


@dataclass(eq=False)
class IdempotencyKeyReused(AlreadyExists):
    """The request id stands for another content already."""

    field: str
    reason = "IDEMPOTENCY_KEY_REUSED"

    def __str__(self) -> str:
        return f"{self.field} was used before for another content; use a fresh UUID"


@dataclass(eq=False)
class VersionConflict(Aborted):
    """The entity changed since the caller saw it."""

    expected_version: int
    present_version: int
    reason = "VERSION_CONFLICT"

    def __str__(self) -> str:
        return (
            f"version {self.expected_version} was expected but it is {self.present_version} now; "
            "read it again and decide anew"
        )


@dataclass(eq=False)
class PageTokenInvalid(InvalidArgument):
    """The page token is not one of ours, or belongs to another query."""

    reason = "PAGE_TOKEN_INVALID"

    def __str__(self) -> str:
        return "page_token is not one of ours for this query; start again without it"


@dataclass(eq=False)
class TemporarilyUnavailable(Unavailable):
    """A part this needs does not answer."""

    part: str

    def __str__(self) -> str:
        return f"{self.part} does not answer for the moment; repeat the same request"
