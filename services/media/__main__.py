"""`python -m services.media`: files of conversations."""

from __future__ import annotations

from chassis.database import Database
from chassis.migrations import wait_for_schema
from chassis.server import Process, main
from inbox.media import v1 as media_v1
from services.media.actions import Means
from services.media.blobs import open_blobs
from services.media.service import MediaService
from services.media.settings import MediaSettings
from services.media.sweeper import sweep_for_ever


async def wire(process: Process, settings: MediaSettings) -> None:
    """Put the parts together."""
    database = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application_name="media",
    )
    process.on_close(database.close)
    await wait_for_schema(database, "media")
    blobs = open_blobs(settings)
    means = Means(database, blobs, process.clock)
    process.serve(media_v1.add_MediaServiceServicer_to_server, MediaService(means))
    process.supervise("staging sweep", lambda: sweep_for_ever(blobs, process.clock))


if __name__ == "__main__":
    main("media", MediaSettings, wire)
