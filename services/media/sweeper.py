"""Removes what uploads that never ended left in the staging folder."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis.clock import Clock
from chassis.logs import log
from services.media.blobs import BlobStore, sweep_staging

EVERY = timedelta(hours=1)


async def sweep_for_ever(blobs: BlobStore, clock: Clock) -> None:
    """Once at start, then every hour; replicas that share a folder may all do it."""
    while True:
        removed = await asyncio.to_thread(sweep_staging, blobs, clock.now())
        if removed:
            log.info("staging_swept", removed_count=removed)
        await clock.sleep(EVERY)
