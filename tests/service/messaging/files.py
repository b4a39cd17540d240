"""Media's part in messaging's tests: files that are there, and some that are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from chassis.errors import TemporarilyUnavailable
from chassis.ids import WorkspaceId, new_id
from services.messaging.model.attachment import StoredFile
from services.messaging.model.attachment_faults import MediaNotFound


@dataclass
class KeptFiles:
    """Implements `actions.attachments.Files`."""

    files: dict[tuple[WorkspaceId, str], tuple[StoredFile, bytes]] = field(default_factory=dict)
    is_away: bool = False
    asked_count: int = 0
    read_count: int = 0

    def keep(
        self,
        workspace_id: WorkspaceId,
        name: str = "receipt.png",
        content_type: str = "image/png",
        *,
        content: bytes = b"bytes of a picture",
        size_bytes: int = 0,
    ) -> str:
        media_id = new_id()
        stored = StoredFile(media_id, name, content_type, size_bytes or len(content))
        self.files[workspace_id, media_id] = (stored, content)
        return media_id

    async def get(self, workspace_id: WorkspaceId, media_id: str) -> StoredFile:
        self.asked_count += 1
        return self._found(workspace_id, media_id)[0]

    async def read(self, workspace_id: WorkspaceId, media_id: str) -> AsyncIterator[bytes]:
        self.read_count += 1
        content = self._found(workspace_id, media_id)[1]
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    def _found(self, workspace_id: WorkspaceId, media_id: str) -> tuple[StoredFile, bytes]:
        if self.is_away:
            raise TemporarilyUnavailable(part="media")
        found = self.files.get((workspace_id, media_id))
        if found is None:
            raise MediaNotFound(media_id=media_id)
        return found
