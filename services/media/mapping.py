"""Protobuf to model and back."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.ids import parse_id
from inbox.media import v1 as media_v1
from services.media.model import files, sniffing
from services.media.model.files import Announcement, Media
from services.media.model.links import Link


def announcement_from(header: media_v1.UploadHeader) -> Announcement:
    """What an upload says it is going to be. Raises: FieldInvalid, MediaTooLarge."""
    return files.announce(
        request_id=parse_id("header.request_id", header.request_id),
        file_name=header.file_name,
        content_type=header.content_type,
        size_bytes=header.size_bytes,
        sha256=header.sha256,
    )


def media_to(media: Media) -> media_v1.Media:
    """A file for the wire."""
    kind = sniffing.kind_of(media.sniffed_type).value
    return media_v1.Media(
        id=media.id,
        file_name=media.file_name,
        content_type=media.content_type,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        create_time=_timestamp(media.create_time),
        sniffed_type=media.sniffed_type,
        kind=media_v1.MediaKind.Value(f"MEDIA_KIND_{kind}"),
        state=media_v1.MEDIA_STATE_READY,
    )


def link_to(text: str, link: Link) -> media_v1.CreateLinkResponse:
    """A link for whoever asked for it."""
    return media_v1.CreateLinkResponse(
        path=f"/media/{text}", expire_time=_timestamp(link.expire_time)
    )


def resolved_to(link: Link, media: Media) -> media_v1.ResolveLinkResponse:
    """What a link stands for, for the gateway."""
    return media_v1.ResolveLinkResponse(
        workspace_id=link.workspace_id,
        media=media_to(media),
        is_inline=files.is_shown_inline(media, is_for_saving=link.is_for_saving),
        expire_time=_timestamp(link.expire_time),
    )


def _timestamp(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
