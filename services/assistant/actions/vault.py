"""Keys of providers: sealed by their workspace's data key, opened only in memory."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.logs import log
from chassis.secrets import CannotOpen, DataKey, MasterKeys
from services.assistant.store import settings as store

PURPOSE = "provider key"


class Vault:
    """Seals and opens."""

    def __init__(self, master_keys: MasterKeys) -> None:
        self._master_keys = master_keys

    async def seal(
        self, transaction: Transaction, workspace_id: WorkspaceId, api_key: str, *, at: datetime
    ) -> bytes:
        """The key as it may be stored."""
        wrapped = await store.read_key(transaction)
        if wrapped is None:
            _, made = self._master_keys.new_data_key(workspace_id)
            await store.create_key(transaction, made, at=at)
            # Another transaction may have made one at the same moment; there is one per workspace.
            wrapped = await store.read_key(transaction) or made
        return self._data_key(workspace_id, wrapped).seal(api_key.encode(), PURPOSE)

    async def open(
        self, transaction: Transaction, workspace_id: WorkspaceId, sealed: bytes | None
    ) -> str:
        """The key; empty where none is stored, or none can be read, which the provider will say."""
        wrapped = await store.read_key(transaction)
        if sealed is None or wrapped is None:
            return ""
        try:
            return self._data_key(workspace_id, wrapped).open(sealed, PURPOSE).decode()
        except CannotOpen:
            log.error("provider_key_unreadable", workspace_id=workspace_id)
            return ""

    def _data_key(self, workspace_id: WorkspaceId, wrapped: bytes) -> DataKey:
        return self._master_keys.data_key(workspace_id, wrapped)
