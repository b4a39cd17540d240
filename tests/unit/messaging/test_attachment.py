"""Which files a channel takes, and as what."""

from __future__ import annotations

import pytest

from chassis.errors import FieldInvalid
from services.messaging.model.attachment import (
    MIB,
    Attachment,
    AttachmentKind,
    StoredFile,
    Wanted,
    attached,
    kind_of,
    refuse_unless_carried,
)
from services.messaging.model.attachment_faults import (
    AttachmentNotSupported,
    AttachmentTooLarge,
    CaptionNotSupported,
    TooManyAttachments,
)
from services.messaging.model.channel import CAPABILITIES, SIMULATOR_ATTACHMENTS, ChannelKind


def a_file(
    kind: AttachmentKind = AttachmentKind.IMAGE,
    content_type: str = "image/png",
    size_bytes: int = 1,
) -> Attachment:
    return Attachment("media-id", kind, "name", content_type, size_bytes)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/png", AttachmentKind.IMAGE),
        ("IMAGE/JPEG; q=1", AttachmentKind.IMAGE),
        ("video/mp4", AttachmentKind.VIDEO),
        ("audio/ogg; codecs=opus", AttachmentKind.AUDIO),
        ("application/pdf", AttachmentKind.DOCUMENT),
        ("image/svg+xml", AttachmentKind.DOCUMENT),
        ("", AttachmentKind.DOCUMENT),
    ],
)
def test_a_file_is_sent_as_what_its_type_says(content_type: str, kind: AttachmentKind) -> None:
    assert kind_of(content_type) is kind


def test_any_file_may_be_a_document_but_no_document_a_picture() -> None:
    pdf = StoredFile("media-id", "bill.pdf", "application/pdf", 10)

    document = attached(pdf, Wanted("media-id", AttachmentKind.DOCUMENT))
    assert document.kind is AttachmentKind.DOCUMENT

    with pytest.raises(FieldInvalid, match="send it as a document"):
        attached(pdf, Wanted("media-id", AttachmentKind.IMAGE))


def test_a_program_in_a_picture_is_never_sent_as_one() -> None:
    drawing = StoredFile("media-id", "logo.svg", "image/svg+xml", 10)

    with pytest.raises(FieldInvalid):
        attached(drawing, Wanted("media-id", AttachmentKind.IMAGE))


def test_too_large_a_picture_is_refused_with_the_way_out() -> None:
    with pytest.raises(AttachmentTooLarge, match="send it as a document") as caught:
        refuse_unless_carried(
            [a_file(size_bytes=5 * MIB + 1)], SIMULATOR_ATTACHMENTS, has_text=False
        )
    assert caught.value.metadata()["max_size_bytes"] == str(5 * MIB)


def test_too_large_a_document_has_no_way_out_but_to_be_smaller() -> None:
    film = a_file(AttachmentKind.DOCUMENT, "video/mp4", 101 * MIB)

    with pytest.raises(AttachmentTooLarge, match="send a smaller one"):
        refuse_unless_carried([film], SIMULATOR_ATTACHMENTS, has_text=False)


def test_a_type_the_channel_does_not_show_may_go_as_a_document() -> None:
    with pytest.raises(AttachmentNotSupported, match="send it as a document"):
        refuse_unless_carried(
            [a_file(content_type="image/gif")], SIMULATOR_ATTACHMENTS, has_text=False
        )


def test_the_parameters_of_a_type_do_not_matter() -> None:
    voice = a_file(AttachmentKind.VOICE, "audio/ogg; codecs=opus")

    refuse_unless_carried([voice], SIMULATOR_ATTACHMENTS, has_text=False)


def test_a_voice_note_carries_no_text() -> None:
    voice = a_file(AttachmentKind.VOICE, "audio/ogg")

    with pytest.raises(CaptionNotSupported, match="a message of its own"):
        refuse_unless_carried([voice], SIMULATOR_ATTACHMENTS, has_text=True)


def test_more_files_than_a_channel_takes_go_in_messages_of_their_own() -> None:
    with pytest.raises(TooManyAttachments, match="messages of their own"):
        refuse_unless_carried([a_file(), a_file()], SIMULATOR_ATTACHMENTS, has_text=False)


def test_a_channel_without_files_says_so() -> None:
    limits = CAPABILITIES[ChannelKind.WEB_CHAT].attachments

    with pytest.raises(AttachmentNotSupported, match="see the channel's limits"):
        refuse_unless_carried([a_file()], limits, has_text=False)
