"""Files on their way to a platform: uploaded once, named by its id, in their place."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from services.messaging.model.attachment import Attachment, AttachmentKind
from services.messaging.model.delivery import DeliveryStatus, FailureReason
from tests.service.messaging.platform_desk import PlatformDesk

CONTENT = b"bytes of a picture"


@pytest.fixture
async def desk(platform_desk: PlatformDesk) -> PlatformDesk:
    await platform_desk.connect()
    await platform_desk.open()
    return platform_desk


def a_picture(desk: PlatformDesk, name: str = "receipt.png") -> Attachment:
    media_id = desk.files.keep(desk.workspace_id, name, content=CONTENT)
    return Attachment(media_id, AttachmentKind.IMAGE, name, "image/png", len(CONTENT))


async def test_a_picture_arrives_with_its_caption_between_the_texts_around_it(
    desk: PlatformDesk,
) -> None:
    await desk.send("before")
    message_id = await desk.send("Here it is", attachments=(a_picture(desk),))
    await desk.send("after")

    await desk.dispatch()
    await desk.reports_come()

    arrived = list(desk.account.messages.values())
    assert [(one.kind, one.text, one.file_name) for one in arrived] == [
        ("text", "before", ""),
        ("image", "Here it is", "receipt.png"),
        ("text", "after", ""),
    ]
    uploaded = desk.account.media[arrived[1].media_id]
    assert uploaded.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert uploaded.content_type == "image/png"
    assert await desk.status(message_id) is DeliveryStatus.DELIVERED


async def test_a_file_that_the_platform_has_is_not_uploaded_again_until_it_forgets_it(
    desk: PlatformDesk,
) -> None:
    picture = a_picture(desk)
    await desk.send("", attachments=(picture,))
    await desk.dispatch()

    await desk.send("once more", attachments=(picture,))
    await desk.dispatch()
    assert len(desk.account.media) == 1

    desk.clock.advance(timedelta(days=30))
    await desk.send("a month later", attachments=(picture,))
    await desk.dispatch()
    assert len(desk.account.media) == 2
    assert len(desk.account.messages) == 3


async def test_while_media_is_away_the_message_waits_and_goes_out_once_afterwards(
    desk: PlatformDesk,
) -> None:
    picture = a_picture(desk)
    desk.files.is_away = True
    message_id = await desk.send("", attachments=(picture,))
    await desk.dispatch()
    assert not desk.account.messages
    assert await desk.status(message_id) is DeliveryStatus.SENDING

    desk.files.is_away = False
    await desk.pass_time(timedelta(seconds=30))

    assert desk.arrivals(message_id) == 1


async def test_a_file_that_is_gone_fails_visibly_and_keeps_nothing_up(desk: PlatformDesk) -> None:
    picture = a_picture(desk)
    desk.files.files.clear()
    message_id = await desk.send("", attachments=(picture,))
    after = await desk.send("after")

    await desk.dispatch()
    await desk.reports_come()

    failed = await desk.message(message_id)
    assert failed.delivery_status is DeliveryStatus.REPORTED_FAILED
    assert failed.failure is not None
    assert failed.failure.reason is FailureReason.CONTENT_REJECTED
    assert await desk.status(after) is DeliveryStatus.DELIVERED
