"""`python -m services.media`: files of conversations."""

from __future__ import annotations

from chassis.audit_chain import AuditChain
from chassis.database import Database
from chassis.migrations import wait_for_schema
from chassis.server import Process, main
from inbox.media import v1 as media_v1
from services.media.actions import Means
from services.media.blobs import open_blobs
from services.media.model.links import LinkKeys
from services.media.service import MediaAuditService, MediaService
from services.media.settings import MediaSettings
from services.media.sweeper import sweep_for_ever


async def wire(process: Process, settings: MediaSettings) -> None:
    """Put the parts together."""
    app, worker = (
        Database(
            url.get_secret_value(),
            pool_size=settings.database_pool_size,
            application_name="media",
        )
        for url in (settings.database_url, settings.worker_database_url)
    )
    process.on_close(app.close)
    process.on_close(worker.close)
    await wait_for_schema(app, "media")
    blobs = open_blobs(settings)
    link_keys = LinkKeys(settings.service_key.get_secret_value())
    means = Means(app, blobs, process.clock, link_keys)
    process.serve(media_v1.add_MediaServiceServicer_to_server, MediaService(means))
    audit_service = MediaAuditService(app, worker)
    process.serve(media_v1.add_MediaAuditServiceServicer_to_server, audit_service)
    process.supervise("audit chain", AuditChain(worker, process.clock).run)
    process.supervise("staging sweep", lambda: sweep_for_ever(blobs, process.clock))


if __name__ == "__main__":
    main("media", MediaSettings, wire)
