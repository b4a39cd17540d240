"""What media's audit says: who uploaded a file, which the file itself does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from chassis.auth import Caller, Role
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.ids import WorkspaceId, new_id
from services.media.actions import Means, upload
from services.media.blobs import open_blobs
from services.media.model.files import Announcement
from suite.databases import DatabaseUrls
from tests.audited import kept_in
from tests.service.media.conftest import LINK_KEYS, media_settings


async def test_an_upload_is_told_once_with_who_it_was(
    app: Database, urls: DatabaseUrls, tmp_path: Path
) -> None:
    blobs = open_blobs(media_settings(urls, tmp_path.as_uri()))
    means = Means(app, blobs, SystemClock(), LINK_KEYS)
    caller = Caller(new_id(), Role.AGENT, WorkspaceId(new_id()), "Ana")
    announced = Announcement(new_id(), "menu.txt", "text/plain", 4, "")

    async def content() -> AsyncIterator[bytes]:
        yield b"menu"

    for _ in range(2):
        stored = await upload(means, caller, announced, content())

    (kept,) = await kept_in(app, caller.workspace)
    assert (kept.command, kept.actor) == ("MediaService/Upload", "member Ana")
    assert (kept.entity_kind, kept.entity_id) == ("media", stored.media.id)
    assert kept.before is None
    assert kept.after == {
        "file_name": "menu.txt",
        "content_type": "text/plain",
        "size_bytes": 4,
        "sha256": stored.media.sha256,
    }
