"""Media on a real database of its own, over each kind of blob store."""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from chassis.clock import SystemClock
from chassis.database import Database
from services.media.actions import Means
from services.media.blobs import BlobStore, BucketBlobs, open_blobs
from services.media.model.links import LinkKeys
from services.media.settings import MediaSettings
from suite.databases import DatabaseUrls
from suite.infra.ports import LOOPBACK, free_port, is_free
from suite.infra.program import Program, start, stop, wait_until_ready
from tests.serving import SERVICE_KEY

LINK_KEYS = LinkKeys(SERVICE_KEY)
BUCKET = "inbox-media"
START_WITHIN = timedelta(seconds=20)


@pytest.fixture(scope="module")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3-compatible server with one bucket."""
    port = free_port()
    log = tmp_path_factory.mktemp("s3") / "s3.log"
    program = Program(
        name="s3",
        argv=(sys.executable, "-m", "moto.server", f"--host={LOOPBACK}", f"--port={port}"),
        log=log,
        environment={"PATH": os.defpath},
    )
    process = start(program)
    try:
        wait_until_ready("moto", lambda: not is_free(port), process, log, START_WITHIN)
        endpoint = f"http://{LOOPBACK}:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT"))
        yield endpoint
    finally:
        stop(process, program, within=timedelta(seconds=5))


def media_settings(urls: DatabaseUrls, blob_url: str, **fields: object) -> MediaSettings:
    """What the environment would say."""
    return MediaSettings(
        service_key=SERVICE_KEY,  # type: ignore[arg-type]
        identity_address=("127.0.0.1:1",),
        database_url=urls.app,  # type: ignore[arg-type]
        worker_database_url=urls.worker,  # type: ignore[arg-type]
        blob_url=blob_url,
        **fields,  # type: ignore[arg-type]
    )


def bucket_blobs(urls: DatabaseUrls, endpoint: str, url: str) -> BlobStore:
    return open_blobs(
        media_settings(
            urls,
            url,
            blob_endpoint=endpoint,
            blob_access_key_id="test",
            blob_secret_access_key="test",
        )
    )


@pytest.fixture(params=["folder", "bucket", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, urls: DatabaseUrls) -> BlobStore:
    """Each kind of store; one suite for all."""
    if request.param == "folder":
        return open_blobs(media_settings(urls, (tmp_path / "blobs").as_uri()))
    if request.param == "memory":
        return BucketBlobs(MemoryStore(), tmp_path / "staging")
    bucket = bucket_blobs(urls, request.getfixturevalue("s3_endpoint"), f"s3://{BUCKET}/media")
    assert isinstance(bucket, BucketBlobs)
    # Of its own: other test processes stage in the machine's folder at the same time.
    bucket.staging = tmp_path / "staging"
    bucket.staging.mkdir()
    return bucket


@pytest.fixture
def means(app: Database, blobs: BlobStore) -> Means:
    return Means(app, blobs, SystemClock(), LINK_KEYS)
