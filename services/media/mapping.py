"""Protobuf to model and back."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.ids import parse_id
from inbox.media import v1 as media_v1
from services.media import model
from services.media.model import Announcement, Media


def announcement_from(header: media_v1.UploadHeader) -> Announcement:
    """What an upload says it is going to be. Raises: FieldInvalid, MediaTooLarge."""
    return model.announce(
        request_id=parse_id("header.request_id", header.request_id),
        file_name=header.file_name,
        content_type=header.content_type,
        size_bytes=header.size_bytes,
        sha256=header.sha256,
    )


def media_to(media: Media) -> media_v1.Media:
    """A file for the wire."""
    create_time = Timestamp()
    create_time.FromDatetime(media.create_time)
    return media_v1.Media(
        id=media.id,
        file_name=media.file_name,
        content_type=media.content_type,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        create_time=create_time,
    )
