"""Row security: which rows a transaction sees, as the policies ask and as transactions answer."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.ids import WorkspaceId

TENANT_SETTING = "nullif(current_setting('inbox.workspace', true), '')::uuid"
"""The workspace of the transaction; unset is NULL, which equals nothing, so no row is seen."""

TENANTS_SETTING = "string_to_array(current_setting('inbox.workspace', true), ',')::uuid[]"
"""The workspaces of a transaction that stands in several at once; unset, none."""


def workspace_setting(workspace_id: WorkspaceId) -> str:
    """The value of `inbox.workspace` that shows a workspace's rows."""
    # UUID() refuses everything that is not one, so nothing can be smuggled into SQL.
    return str(UUID(workspace_id))


def workspaces_setting(workspace_ids: Iterable[WorkspaceId]) -> str:
    """The value of `inbox.workspace` that shows the rows of several, where that is allowed."""
    return ",".join(map(workspace_setting, workspace_ids))


def begin_statement(workspace_id: WorkspaceId | None, *, is_flushed: bool = True) -> str:
    """The one message that opens a transaction for a workspace."""
    begin = "BEGIN" if is_flushed else "BEGIN; SET LOCAL synchronous_commit = off"
    if workspace_id is None:
        return begin
    return f"{begin}; SET LOCAL inbox.workspace = '{workspace_setting(workspace_id)}'"


def standing_setting(workspace_id: WorkspaceId | None) -> str:
    """The same for a session that stands in a workspace, or in none."""
    return "" if workspace_id is None else workspace_setting(workspace_id)


def stand_statement(setting: str) -> str:
    """The one message that moves a session, and every statement after it, to a workspace."""
    return f"SET inbox.workspace = '{setting}'"
