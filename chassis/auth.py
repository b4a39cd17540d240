"""Who is calling: the value that interceptors make of a credential and actions receive."""

from __future__ import annotations

import enum
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.errors import Unauthenticated
from chassis.ids import WorkspaceId


class Role(enum.Enum):
    """What a caller is within one workspace; values are the names used in tokens and SQL."""

    OWNER = "owner"
    AGENT = "agent"
    READ_ONLY = "read_only"
    BOT = "bot"
    SERVICE = "service"
    VISITOR = "visitor"


PEOPLE = frozenset({Role.OWNER, Role.AGENT, Role.READ_ONLY})
"""Roles that stand for a person (or a program with a person's key)."""


@dataclass(frozen=True, slots=True)
class VisitorBinding:
    """The one channel identity a visitor's token is good for."""

    channel_id: str
    external_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, proven by a token."""

    id: str
    """Member id, key id, service name or visitor id."""
    role: Role
    workspace_id: WorkspaceId | None
    """None only for a service credential bound to no workspace."""
    display_name: str = ""
    credential_id: str = ""
    """The public id of the session or key behind the token."""
    expires_at: float = 0.0
    """When the token ends, seconds since the epoch."""
    visitor: VisitorBinding | None = None

    @property
    def is_key(self) -> bool:
        """Whether a program calls by its own key: that key is both who and with what."""
        return self.credential_id == self.id

    @property
    def workspace(self) -> WorkspaceId:
        """The workspace. Raises: Unauthenticated, where the credential is bound to none."""
        if self.workspace_id is None:
            raise WorkspaceMissing
        return self.workspace_id


class WorkspaceMissing(Unauthenticated):
    """A service credential without a workspace was used where one is needed."""

    reason = "CREDENTIAL_INVALID"

    def __str__(self) -> str:
        return "this method needs a credential bound to a workspace; send x-inbox-workspace with it"


current_caller: ContextVar[Caller | None] = ContextVar("current_caller", default=None)
"""Set by `chassis.rpc` for the handler's task; None in anonymous methods."""


def require_caller() -> Caller:
    """The present caller; a handler of a non-anonymous method always has one."""
    caller = current_caller.get()
    if caller is None:
        raise CredentialMissing
    return caller


class CredentialMissing(Unauthenticated):
    """No credential came with the call."""

    reason = "CREDENTIAL_MISSING"

    def __str__(self) -> str:
        return "send `authorization: Bearer <access token or API key>`"


class CredentialInvalid(Unauthenticated):
    """The credential is malformed, unknown, revoked or meant for somebody else."""

    reason = "CREDENTIAL_INVALID"

    def __str__(self) -> str:
        return "the credential is not valid here, or was revoked; sign in again or use another key"


class CredentialExpired(Unauthenticated):
    """The credential was good once."""

    reason = "CREDENTIAL_EXPIRED"

    def __str__(self) -> str:
        return "the credential has expired; get a fresh one"
