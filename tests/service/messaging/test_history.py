"""Reading: every page, in order, of one's own workspace only."""

from __future__ import annotations

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from tests.service.messaging.desk import Desk
from tests.service.messaging.refusals import refused

COUNT = 23


@pytest.fixture
async def conversation_id(desk: Desk) -> str:
    channel_id = await desk.connect()
    for number in range(1, COUNT + 1):
        stored = await desk.customer_writes(channel_id, f"message {number}")
    return stored.message.conversation_id


async def page(desk: Desk, conversation_id: str, **fields: int) -> v1.ListMessagesResponse:
    return await desk.maria.ListMessages(
        v1.ListMessagesRequest(conversation_id=conversation_id, **fields)
    )


def seqs(response: v1.ListMessagesResponse) -> list[int]:
    return [message.seq for message in response.messages]


@pytest.mark.parametrize("size", [1, 2, 5, 22, 23, 24, 200])
async def test_pages_of_any_size_make_the_whole_history(
    desk: Desk, conversation_id: str, size: int
) -> None:
    backwards: list[int] = []
    before = 0
    while True:
        response = await page(desk, conversation_id, before_seq=before, page_size=size)
        backwards += seqs(response)
        if not response.has_more:
            break
        before = backwards[-1]
    forwards: list[int] = []
    response = await page(desk, conversation_id, after_seq=1, page_size=size)
    while True:
        forwards += reversed(seqs(response))
        if not response.has_more:
            break
        response = await page(desk, conversation_id, after_seq=forwards[-1], page_size=size)

    assert backwards == list(range(COUNT, 0, -1))
    assert forwards == list(range(2, COUNT + 1))


async def test_a_page_comes_with_its_thread(desk: Desk, conversation_id: str) -> None:
    response = await page(desk, conversation_id, page_size=1)

    assert response.thread.last_seq == response.messages[0].seq == COUNT
    assert response.thread.inbound_count == COUNT


async def test_beyond_either_end_there_is_nothing_more(desk: Desk, conversation_id: str) -> None:
    for fields in ({"before_seq": 1}, {"after_seq": COUNT}, {"after_seq": 2**60}):
        response = await page(desk, conversation_id, **fields)
        assert seqs(response) == []
        assert not response.has_more
    assert seqs(await page(desk, conversation_id, before_seq=2**60, page_size=1)) == [COUNT]


async def test_a_message_and_its_timeline_are_found_by_id(desk: Desk, conversation_id: str) -> None:
    sent = await desk.sends(conversation_id)

    found = await desk.maria.GetMessage(v1.GetMessageRequest(message_id=sent.id))
    receipts = await desk.maria.ListReceipts(v1.ListReceiptsRequest(message_id=sent.id))

    assert found.message == sent
    (receipt,) = receipts.receipts
    assert receipt.delivery_status == v1.DELIVERY_STATUS_QUEUED
    assert (receipt.message_id, receipt.attempt_number) == (sent.id, 1)


async def test_what_belongs_to_another_workspace_is_not_found(
    desk: Desk, conversation_id: str
) -> None:
    sent = await desk.sends(conversation_id)
    stranger = desk.elsewhere(Role.OWNER)

    async with refused("MESSAGE_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await stranger.GetMessage(v1.GetMessageRequest(message_id=sent.id))
    async with refused("MESSAGE_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await stranger.ListReceipts(v1.ListReceiptsRequest(message_id=sent.id))
    async with refused("CONVERSATION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await stranger.GetThread(v1.GetThreadRequest(conversation_id=conversation_id))
    async with refused("CONVERSATION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await stranger.ListMessages(v1.ListMessagesRequest(conversation_id=conversation_id))


async def test_settings_begin_with_people_answering_and_change_under_a_version(
    desk: Desk,
) -> None:
    owner = desk.as_role(Role.OWNER)
    present = await owner.GetMessagingSettings(v1.GetMessagingSettingsRequest())
    assert present.settings.default_mode == v1.CONVERSATION_MODE_MANUAL
    assert present.settings.resume_ai_after.seconds == 15 * 60

    changed = await owner.UpdateMessagingSettings(
        v1.UpdateMessagingSettingsRequest(default_mode=v1.CONVERSATION_MODE_AI)
    )
    again = await owner.UpdateMessagingSettings(
        v1.UpdateMessagingSettingsRequest(
            default_mode=v1.CONVERSATION_MODE_AI, expected_version=changed.settings.version
        )
    )

    assert changed.settings.version == present.settings.version + 1
    assert again.settings == changed.settings
    async with refused("VERSION_CONFLICT", grpc.StatusCode.ABORTED):
        await owner.UpdateMessagingSettings(
            v1.UpdateMessagingSettingsRequest(expected_version=changed.settings.version + 1)
        )
    async with refused("ROLE_NOT_ALLOWED", grpc.StatusCode.PERMISSION_DENIED):
        await desk.maria.UpdateMessagingSettings(v1.UpdateMessagingSettingsRequest())


BAD = "not-a-uuid"


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("SendMessage", v1.SendMessageRequest(client_message_id=new_id(), text="x")),
        ("SendMessage", v1.SendMessageRequest(conversation_id=new_id(), text="x")),
        (
            "SendMessage",
            v1.SendMessageRequest(conversation_id=BAD, client_message_id=new_id(), text="x"),
        ),
        (
            "SendMessage",
            v1.SendMessageRequest(
                conversation_id=new_id(), client_message_id=new_id(), text="x", mode_epoch=-1
            ),
        ),
        ("GetMessage", v1.GetMessageRequest()),
        ("GetMessage", v1.GetMessageRequest(message_id=BAD)),
        ("GetThread", v1.GetThreadRequest(conversation_id="' OR true --")),
        ("ListReceipts", v1.ListReceiptsRequest(message_id="\U0001f600")),
        ("ListMessages", v1.ListMessagesRequest(conversation_id=new_id(), page_size=-1)),
        ("ListMessages", v1.ListMessagesRequest(conversation_id=new_id(), before_seq=-1)),
        ("ListMessages", v1.ListMessagesRequest(conversation_id=new_id(), after_seq=-(2**63))),
        (
            "ListMessages",
            v1.ListMessagesRequest(conversation_id=new_id(), before_seq=1, after_seq=1),
        ),
        ("SetMode", v1.SetModeRequest(conversation_id=new_id(), request_id=new_id())),
        ("SetMode", v1.SetModeRequest(conversation_id=new_id(), mode=v1.CONVERSATION_MODE_AI)),
        (
            "SetMode",
            v1.SetModeRequest.FromString(
                v1.SetModeRequest(conversation_id=new_id(), request_id=new_id()).SerializeToString()
                + b"\x10\x4d"
            ),
        ),
    ],
)
async def test_a_malformed_request_is_refused_by_name(
    desk: Desk, method: str, request_: object
) -> None:
    async with refused("INVALID_ARGUMENT", grpc.StatusCode.INVALID_ARGUMENT):
        await getattr(desk.maria, method)(request_)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "TEXT_EMPTY"),
        (" \n\t", "TEXT_EMPTY"),
        ("x" * 4097, "TEXT_TOO_LONG"),
        ("x" * 3_000_000, "TEXT_TOO_LONG"),
        ("a\x00b", "INVALID_ARGUMENT"),
    ],
)
async def test_a_text_the_channel_cannot_carry_is_refused_by_reason(
    desk: Desk, conversation_id: str, text: str, reason: str
) -> None:
    request = v1.SendMessageRequest(
        conversation_id=conversation_id, client_message_id=new_id(), text=text
    )
    async with refused(reason, grpc.StatusCode.INVALID_ARGUMENT):
        await desk.maria.SendMessage(request)
