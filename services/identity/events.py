"""The facts identity publishes; stored in the transaction of the change they tell of."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.ids import WorkspaceId
from chassis.outbox import OutgoingEvent, subject
from inbox.identity import v1
from services.identity.mapping import api_key_to_proto, member_to_proto, workspace_to_proto
from services.identity.model.credentials import ApiKey, SessionId
from services.identity.model.people import Member, MemberId, Workspace

DOMAIN = "identity"
STREAM = "INBOX_IDENTITY"

PUBLISHES: dict[str, type[Message]] = {
    "workspace_changed": v1.WorkspaceChanged,
    "member_changed": v1.MemberChanged,
    "api_key_changed": v1.ApiKeyChanged,
    "session_revoked": v1.SessionRevoked,
}
"""Event name in the subject → message type of the payload."""


def workspace_changed(workspace: Workspace) -> OutgoingEvent:
    """A workspace was created or its settings changed."""
    payload = v1.WorkspaceChanged(workspace=workspace_to_proto(workspace))
    return _event("workspace_changed", workspace.id, workspace.id, payload)


def member_changed(workspace_id: WorkspaceId, member: Member) -> OutgoingEvent:
    """A member was invited, joined, changed or was removed."""
    payload = v1.MemberChanged(member=member_to_proto(member))
    return _event("member_changed", workspace_id, member.id, payload)


def api_key_changed(key: ApiKey) -> OutgoingEvent:
    """A key was created or revoked."""
    payload = v1.ApiKeyChanged(api_key=api_key_to_proto(key))
    return _event("api_key_changed", key.workspace_id, key.id, payload)


def session_revoked(
    workspace_id: WorkspaceId, member_id: MemberId, session_id: SessionId
) -> OutgoingEvent:
    """A session ended before its time."""
    payload = v1.SessionRevoked(session_id=session_id, member_id=member_id)
    return _event("session_revoked", workspace_id, member_id, payload)


def _event(
    name: str, workspace_id: WorkspaceId, ordering_key: str, payload: Message
) -> OutgoingEvent:
    return OutgoingEvent(
        subject=subject(DOMAIN, name, workspace_id),
        workspace_id=workspace_id,
        ordering_key=ordering_key,
        payload=payload.SerializeToString(),
    )
