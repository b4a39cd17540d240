"""Files."""

from __future__ import annotations

from typing import Any

from chassis.ids import new_id
from inbox.media import v1 as media_v1
from tests.system.deeds.stage import Deed, Stage


async def upload(stage: Stage) -> None:
    async def parts() -> Any:
        yield media_v1.UploadRequest(
            header=media_v1.UploadHeader(
                request_id=new_id(), file_name="menu.txt", content_type="text/plain", size_bytes=4
            )
        )
        yield media_v1.UploadRequest(chunk=b"menu")

    await stage.to.media.Upload(parts(), metadata=stage.owner, timeout=20)


DEEDS: dict[str, Deed] = {
    "MediaService/Upload": Deed(upload),
}
"""In an order in which they can be done."""
