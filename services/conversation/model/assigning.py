"""Assigning conversations: which member looks after one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chassis.auth import Role
from services.conversation.model.conversation import Conversation, check_version
from services.conversation.model.faults import MemberCannotAnswer

ANSWERING = frozenset({Role.OWNER, Role.AGENT})
"""Those who may write to customers."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the workspace, as identity knows them now."""

    id: str
    role: Role
    is_active: bool
    """Not only invited, and not removed."""

    @property
    def can_answer(self) -> bool:
        """Whether somebody who looks after a conversation could do anything in it."""
        return self.is_active and self.role in ANSWERING


def assign(
    conversation: Conversation, member: Member | None, *, expected_version: int = 0
) -> Conversation:
    """Assign it to a member, or to nobody; the same object comes back where it is so already.

    Raises: VersionConflict, MemberCannotAnswer.
    """
    assignee_id = member.id if member else None
    if assignee_id == conversation.assignee_id:
        return conversation
    check_version(conversation, expected_version)
    if member is not None and not member.can_answer:
        raise MemberCannotAnswer(member.id)
    return replace(conversation, assignee_id=assignee_id, version=conversation.version + 1)
