"""Messages that carry files: stored with what media says of them, refused with the way out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.model.attachment import MIB
from services.messaging.model.channel import ChannelKind
from tests.service.messaging.desk import Desk, assert_events_tell_everything
from tests.service.messaging.refusals import refused
from tests.service.messaging.searching import index


def carrying(
    conversation_id: str,
    *media_ids: str,
    text: str = "",
    kind: v1.AttachmentKind.ValueType = v1.ATTACHMENT_KIND_UNSPECIFIED,
) -> v1.SendMessageRequest:
    """A request to send files."""
    return v1.SendMessageRequest(
        conversation_id=conversation_id,
        client_message_id=new_id(),
        text=text,
        attachments=[v1.OutboundAttachment(media_id=one, kind=kind) for one in media_ids],
    )


async def test_a_picture_is_stored_with_its_caption_and_what_media_says_of_it(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id, "receipt.png")

    sent = await desk.maria.SendMessage(carrying(conversation_id, media_id, text="Here it is"))

    assert sent.message.text == "Here it is"
    assert list(sent.message.attachments) == [
        v1.Attachment(
            media_id=media_id,
            kind=v1.ATTACHMENT_KIND_IMAGE,
            file_name="receipt.png",
            content_type="image/png",
            size_bytes=18,
        )
    ]
    assert (await desk.history(conversation_id))[-1] == sent.message
    await assert_events_tell_everything(desk)


async def test_a_file_needs_no_caption_but_a_blank_one_is_refused(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id)

    assert not (await desk.maria.SendMessage(carrying(conversation_id, media_id))).message.text

    async with refused("TEXT_EMPTY"):
        await desk.maria.SendMessage(carrying(conversation_id, media_id, text="  "))


async def test_a_repeat_returns_the_message_and_another_file_under_its_id_is_refused(
    desk: Desk,
) -> None:
    conversation_id = await desk.open_conversation()
    first = carrying(conversation_id, desk.files.keep(desk.workspace_id))
    original = await desk.maria.SendMessage(first)

    again = await desk.maria.SendMessage(first)
    assert again.replayed
    assert again.message == original.message

    other = v1.SendMessageRequest()
    other.CopyFrom(first)
    other.attachments[0].media_id = desk.files.keep(desk.workspace_id)
    async with refused("IDEMPOTENCY_KEY_REUSED", grpc.StatusCode.ALREADY_EXISTS):
        await desk.maria.SendMessage(other)


async def test_texts_around_a_file_keep_their_places(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id)

    await desk.sends(conversation_id, "before")
    await desk.maria.SendMessage(carrying(conversation_id, media_id, text="the file"))
    await desk.sends(conversation_id, "after")

    history = await desk.history(conversation_id)
    told = [(one.seq, one.text, len(one.attachments)) for one in history]
    assert told == [(1, "hola", 0), (2, "before", 0), (3, "the file", 1), (4, "after", 0)]
    await assert_events_tell_everything(desk)


async def test_a_stream_of_sends_carries_files_too(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id)
    items = [
        v1.SendMessagesItem(ref=1, request=carrying(conversation_id, media_id)),
        v1.SendMessagesItem(ref=2, request=carrying(conversation_id, new_id())),
    ]

    async def requests() -> AsyncIterator[v1.SendMessagesRequest]:
        yield v1.SendMessagesRequest(items=items)

    results: dict[int, v1.SendMessagesResult] = {}
    async for response in desk.maria.SendMessages(requests()):
        results |= {result.ref: result for result in response.results}

    assert results[1].sent.message.attachments[0].media_id == media_id
    assert "upload it first" in results[2].error.message


async def test_a_text_asks_media_nothing(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    desk.files.is_away = True

    await desk.sends(conversation_id)

    assert desk.files.asked_count == 0


async def test_while_media_is_away_a_file_may_be_sent_again_later(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    request = carrying(conversation_id, desk.files.keep(desk.workspace_id))
    desk.files.is_away = True
    async with refused("TEMPORARILY_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE):
        await desk.maria.SendMessage(request)

    desk.files.is_away = False

    assert not (await desk.maria.SendMessage(request)).replayed


async def test_a_file_of_another_workspace_does_not_exist(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    elsewhere = type(desk.workspace_id)(new_id())

    async with refused("MEDIA_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        theirs = desk.files.keep(elsewhere)
        await desk.maria.SendMessage(carrying(conversation_id, theirs))


async def test_a_person_sends_no_file_in_ai_mode_and_the_ai_never_does(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    thread = await desk.hand_over(conversation_id, v1.CONVERSATION_MODE_AI)
    request = carrying(conversation_id, desk.files.keep(desk.workspace_id))

    async with refused("CONVERSATION_IN_AI_MODE", grpc.StatusCode.FAILED_PRECONDITION):
        await desk.maria.SendMessage(request)
    async with refused("CONVERSATION_IN_AI_MODE"):
        await desk.as_role(Role.OWNER).SendMessage(request)
    request.mode_epoch = thread.mode_epoch
    async with refused("ATTACHMENTS_ONLY_BY_PEOPLE"):
        await desk.bot.SendMessage(request)

    assert len(await desk.history(conversation_id)) == 2


async def test_what_is_too_large_for_its_kind_may_go_as_a_document(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id, size_bytes=6 * MIB)

    async with refused("ATTACHMENT_TOO_LARGE", grpc.StatusCode.INVALID_ARGUMENT):
        await desk.maria.SendMessage(carrying(conversation_id, media_id))

    document = carrying(conversation_id, media_id, kind=v1.ATTACHMENT_KIND_DOCUMENT)
    sent = await desk.maria.SendMessage(document)
    assert sent.message.attachments[0].kind == v1.ATTACHMENT_KIND_DOCUMENT


async def test_a_channel_says_which_files_it_takes_and_one_that_takes_none_refuses(
    desk: Desk,
) -> None:
    conversation_id = await desk.open_conversation(ChannelKind.WEB_CHAT)
    media_id = desk.files.keep(desk.workspace_id)

    async with refused("ATTACHMENT_NOT_SUPPORTED"):
        await desk.maria.SendMessage(carrying(conversation_id, media_id))


async def test_a_file_is_found_by_its_name_and_by_its_caption(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id, "invoice 2026.pdf", "application/pdf")
    sent = await desk.maria.SendMessage(carrying(conversation_id, media_id, text="Gracias"))
    bare = await desk.maria.SendMessage(carrying(conversation_id, media_id))

    await index(desk.means.worker)

    for query, expected in (
        ("invoice", [bare.message.id, sent.message.id]),
        ("gracias", [sent.message.id]),
    ):
        response = await desk.maria.SearchMessages(v1.SearchMessagesRequest(query=query))
        assert [hit.message_id for hit in response.messages] == expected


async def test_files_are_erased_with_their_conversation(desk: Desk) -> None:
    conversation_id = await desk.open_conversation()
    media_id = desk.files.keep(desk.workspace_id, "passport.png")
    await desk.maria.SendMessage(carrying(conversation_id, media_id))

    service = v1.ErasureServiceStub(desk.server.channel(Role.SERVICE, desk.workspace_id))
    await service.EraseThread(
        v1.EraseThreadRequest(conversation_id=conversation_id, request_id=new_id())
    )

    async with desk.means.worker.begin(desk.workspace_id) as transaction:
        left = await transaction.raw.fetchval(
            "SELECT count(*) FROM messages WHERE content::text LIKE '%passport%'"
        )
    assert left == 0
