"""Credentials of channels: sealed by their workspace's data key, opened only in memory."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import datetime

from chassis.database import Transaction
from chassis.ids import WorkspaceId
from chassis.logs import log
from chassis.secrets import CannotOpen, DataKey, MasterKeys
from services.messaging.model.connect import Credentials
from services.messaging.store import channels as store

MAX_KEYS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class OpenedCredentials:
    """Credentials in the clear, and which change of them this is."""

    credentials: Credentials
    version: int
    """0 where none are stored."""
    is_readable: bool = True
    """False where the master key that sealed them is not among ours."""


class Vault:
    """Seals and opens, with the data keys of workspaces seen lately kept unwrapped."""

    def __init__(self, master_keys: MasterKeys) -> None:
        self._master_keys = master_keys
        self._keys: OrderedDict[WorkspaceId, DataKey] = OrderedDict()

    async def seal(
        self,
        transaction: Transaction,
        workspace_id: WorkspaceId,
        channel_id: str,
        credentials: Credentials,
        *,
        at: datetime,
    ) -> None:
        """Store credentials in the place of the channel's earlier ones."""
        key = await self._key(transaction, workspace_id)
        if key is None:
            key = await self._new_key(transaction, workspace_id, at=at)
        plain = json.dumps(asdict(credentials)).encode()
        await store.save_credentials(
            transaction, channel_id, key.seal(plain, _purpose(channel_id)), at=at
        )

    async def open(
        self, transaction: Transaction, workspace_id: WorkspaceId, channel_id: str
    ) -> OpenedCredentials:
        """The channel's credentials; empty ones where none are stored, or none can be read.

        With empty ones a platform refuses us, and the channel asks to be connected again.
        """
        sealed = await store.read_credentials(transaction, channel_id)
        if sealed is None:
            return OpenedCredentials(Credentials(), 0)
        try:
            key = await self._key(transaction, workspace_id)
            plain = key.open(sealed.ciphertext, _purpose(channel_id)) if key is not None else b"{}"
        except CannotOpen:
            log.error("credentials_unreadable", channel_id=channel_id)
            return OpenedCredentials(Credentials(), sealed.version, is_readable=False)
        return OpenedCredentials(Credentials(**json.loads(plain)), sealed.version)

    async def _key(self, transaction: Transaction, workspace_id: WorkspaceId) -> DataKey | None:
        known = self._keys.get(workspace_id)
        if known is not None:
            self._keys.move_to_end(workspace_id)
            return known
        wrapped = await store.read_key(transaction)
        if wrapped is None:
            return None
        key = self._master_keys.data_key(workspace_id, wrapped)
        self._keys[workspace_id] = key
        if len(self._keys) > MAX_KEYS_KEPT:
            self._keys.popitem(last=False)
        return key

    async def _new_key(
        self, transaction: Transaction, workspace_id: WorkspaceId, *, at: datetime
    ) -> DataKey:
        """A data key for the workspace. It is not kept here before its transaction commits."""
        key, wrapped = self._master_keys.new_data_key(workspace_id)
        await store.create_key(transaction, wrapped, at=at)
        stored = await store.read_key(transaction)
        if stored is None or stored == wrapped:
            return key
        # Another transaction made one at the same moment; there is one per workspace.
        return self._master_keys.data_key(workspace_id, stored)


def _purpose(channel_id: str) -> str:
    return f"channel {channel_id}"
