"""The chat box: opened by anyone, bound to one conversation, its acknowledgements are receipts."""

from __future__ import annotations

import grpc
import pytest

from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.model.channel import ChannelId, ChannelKind
from tests.service.messaging.desk import OWN_ORIGIN, Desk, assert_events_tell_everything
from tests.service.messaging.refusals import refused

DELIVERED, READ = v1.DELIVERY_STATUS_DELIVERED, v1.DELIVERY_STATUS_READ
SENT = v1.DELIVERY_STATUS_SENT


@pytest.fixture
async def channel_id(desk: Desk) -> ChannelId:
    return await desk.connect(ChannelKind.WEB_CHAT)


async def open_box(desk: Desk, channel_id: str, **fields: str) -> v1.OpenSessionResponse:
    return await desk.closed_box().OpenSession(
        v1.OpenSessionRequest(channel_id=channel_id, **fields)
    )


def post(text: str = "hola", client_message_id: str = "") -> v1.PostMessageRequest:
    return v1.PostMessageRequest(client_message_id=client_message_id or new_id(), text=text)


async def acknowledge(box: v1.WebChatServiceStub, delivered: int = 0, read: int = 0) -> None:
    await box.AcknowledgeMessages(
        v1.AcknowledgeMessagesRequest(delivered_up_to_seq=delivered, read_up_to_seq=read)
    )


async def statuses(desk: Desk, conversation_id: str) -> list[int]:
    return [
        message.delivery_status
        for message in await desk.history(conversation_id)
        if message.direction == v1.MESSAGE_DIRECTION_OUTBOUND
    ]


async def test_anyone_may_open_the_box_and_nothing_is_stored(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id)

    assert session.visitor_secret.startswith("iv_")
    assert session.channel_display_name == "Shop"
    assert (session.greeting, session.accent_color) == ("Hola", "#112233")
    assert await desk.published() == []
    box = desk.box(session.access_token)
    empty = await box.ListMessages(v1.WebChatServiceListMessagesRequest())
    assert list(empty.messages) == []


async def test_the_first_message_opens_the_conversation_the_box_was_told(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id, display_name="  Ana  ")
    box = desk.box(session.access_token)

    posted = await box.PostMessage(post("hola"))

    assert posted.message.author_kind == v1.VISITOR_AUTHOR_KIND_SELF
    thread = await desk.maria.GetThread(
        v1.GetThreadRequest(conversation_id=session.conversation_id)
    )
    assert thread.thread.customer_name == "Ana"
    assert thread.thread.channel_kind == v1.CHANNEL_KIND_WEB_CHAT
    assert session.visitor_secret not in str(thread.thread)
    await assert_events_tell_everything(desk)


async def test_a_returning_visitor_finds_the_history_again(
    desk: Desk, channel_id: ChannelId
) -> None:
    first = await open_box(desk, channel_id)
    await desk.box(first.access_token).PostMessage(post("hola"))
    await desk.sends(first.conversation_id, "hello Ana")

    again = await open_box(desk, channel_id, visitor_secret=first.visitor_secret)

    assert again.conversation_id == first.conversation_id
    assert again.visitor_secret == first.visitor_secret
    page = await desk.box(again.access_token).ListMessages(v1.WebChatServiceListMessagesRequest())
    assert [message.text for message in page.messages] == ["hello Ana", "hola"]
    assert page.messages[0].author_display_name == "María"
    assert page.messages[0].client_message_id == ""
    assert b"maria" not in page.SerializeToString()


async def test_two_visitors_never_see_each_other(desk: Desk, channel_id: ChannelId) -> None:
    ana, luis = await open_box(desk, channel_id), await open_box(desk, channel_id)
    await desk.box(ana.access_token).PostMessage(post("secret of Ana"))

    page = await desk.box(luis.access_token).ListMessages(v1.WebChatServiceListMessagesRequest())

    assert ana.conversation_id != luis.conversation_id
    assert list(page.messages) == []


async def test_a_repeated_post_returns_the_original(desk: Desk, channel_id: ChannelId) -> None:
    box = desk.box((await open_box(desk, channel_id)).access_token)
    first = post("hola")
    original = await box.PostMessage(first)

    again = await box.PostMessage(first)

    assert again.replayed
    assert again.message == original.message
    async with refused("IDEMPOTENCY_KEY_REUSED", grpc.StatusCode.ALREADY_EXISTS):
        await box.PostMessage(post("adiós", first.client_message_id))


async def test_another_visitors_id_opens_no_conversation(desk: Desk, channel_id: ChannelId) -> None:
    ana, luis = await open_box(desk, channel_id), await open_box(desk, channel_id)
    first = post("hola")
    await desk.box(ana.access_token).PostMessage(first)

    async with refused("IDEMPOTENCY_KEY_REUSED"):
        await desk.box(luis.access_token).PostMessage(first)

    async with refused("CONVERSATION_NOT_FOUND"):
        await desk.maria.GetThread(v1.GetThreadRequest(conversation_id=luis.conversation_id))
    await assert_events_tell_everything(desk)


async def test_what_the_box_acknowledges_is_delivered_and_what_was_on_screen_is_read(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id)
    box = desk.box(session.access_token)
    await box.PostMessage(post())
    for number in range(3):
        await desk.sends(session.conversation_id, f"{number}")

    await acknowledge(box, delivered=3)
    assert await statuses(desk, session.conversation_id) == [DELIVERED, DELIVERED, SENT]
    await acknowledge(box, delivered=4, read=2)
    assert await statuses(desk, session.conversation_id) == [READ, DELIVERED, DELIVERED]
    await acknowledge(box, read=4)
    assert await statuses(desk, session.conversation_id) == [READ, READ, READ]
    await assert_events_tell_everything(desk)


async def test_one_event_for_each_message_that_changed_and_none_for_a_repeat(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id)
    box = desk.box(session.access_token)
    await box.PostMessage(post())
    await desk.sends(session.conversation_id)
    await desk.sends(session.conversation_id)
    before = len(await desk.published())

    await acknowledge(box, delivered=3)
    await acknowledge(box, delivered=3)
    await acknowledge(box, delivered=1)

    changed = (await desk.published())[before:]
    assert [event.message.seq for event in changed if isinstance(event, v1.DeliveryStatusChanged)]
    assert len(changed) == 2


async def test_acknowledging_what_is_not_there_says_nothing(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id)
    box = desk.box(session.access_token)
    await acknowledge(box, delivered=2**62, read=2**62)
    await box.PostMessage(post())

    await acknowledge(box, delivered=2**62, read=2**62)
    await desk.sends(session.conversation_id)

    assert await statuses(desk, session.conversation_id) == [SENT]


async def test_a_long_history_is_acknowledged_piece_by_piece(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id)
    box = desk.box(session.access_token)
    await box.PostMessage(post())
    items = [
        v1.SendMessagesItem(
            ref=number,
            request=v1.SendMessageRequest(
                conversation_id=session.conversation_id, client_message_id=new_id(), text="x"
            ),
        )
        for number in range(500)
    ]
    call = desk.maria.SendMessages()
    for start in range(0, 500, 250):
        await call.write(v1.SendMessagesRequest(items=items[start : start + 250]))
    await call.done_writing()
    answered = [result async for response in call for result in response.results]
    assert len(answered) == 500

    await acknowledge(box, delivered=501, read=450)

    async with desk.means.app.begin(desk.workspace_id) as transaction:
        rows = await transaction.raw.fetch(
            "SELECT delivery_status, count(*) FROM messages WHERE delivery_status IS NOT NULL "
            "GROUP BY 1"
        )
    assert {row[0]: row[1] for row in rows} == {"read": 449, "delivered": 51}


async def test_only_listed_sites_may_show_the_box(desk: Desk, channel_id: ChannelId) -> None:
    for allowed in ("", OWN_ORIGIN, "https://shop.example"):
        await open_box(desk, channel_id, embedding_origin=allowed)

    for other in ("https://evil.example", "null", "http://shop.example"):
        async with refused("ORIGIN_NOT_ALLOWED", grpc.StatusCode.PERMISSION_DENIED):
            await open_box(desk, channel_id, embedding_origin=other)
    embedding = await desk.closed_box().GetEmbedding(v1.GetEmbeddingRequest(channel_id=channel_id))
    assert list(embedding.allowed_origins) == ["https://shop.example"]


async def test_a_box_that_is_none_is_not_found(desk: Desk) -> None:
    simulator = await desk.connect(ChannelKind.SIMULATOR)

    for unknown in (new_id(), simulator):
        async with refused("CHANNEL_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
            await open_box(desk, unknown)
        async with refused("CHANNEL_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
            await desk.closed_box().GetEmbedding(v1.GetEmbeddingRequest(channel_id=unknown))


async def test_a_disconnected_box_takes_nothing(desk: Desk, channel_id: ChannelId) -> None:
    box = desk.box((await open_box(desk, channel_id)).access_token)
    await desk.set_channel_state(channel_id, "not_connected")

    async with refused("CHANNEL_NOT_CONNECTED", grpc.StatusCode.FAILED_PRECONDITION):
        await open_box(desk, channel_id)
    async with refused("CHANNEL_NOT_CONNECTED", grpc.StatusCode.FAILED_PRECONDITION):
        await box.PostMessage(post())
    assert await desk.published() == []


async def test_a_visitors_mode_is_nobodys_business_but_ours(
    desk: Desk, channel_id: ChannelId
) -> None:
    session = await open_box(desk, channel_id)
    box = desk.box(session.access_token)
    await box.PostMessage(post())
    await desk.hand_over(session.conversation_id, v1.CONVERSATION_MODE_AI)

    posted = await box.PostMessage(post("still here"))

    # In between stands a row for the team, which the box never gets.
    assert posted.message.seq == 3


@pytest.mark.parametrize("page_size", [1, 2, 50])
async def test_rows_for_the_team_are_in_no_page_of_the_box(
    desk: Desk, channel_id: ChannelId, page_size: int
) -> None:
    session = await open_box(desk, channel_id)
    box = desk.box(session.access_token)
    await box.PostMessage(post("hola"))
    for _ in range(3):
        await desk.takes_over(session.conversation_id)
    thread = await desk.hand_over(session.conversation_id, v1.CONVERSATION_MODE_AI)
    await desk.ai_hands_over(thread, summary="Ana is angry")
    await desk.sends(session.conversation_id, "sorry, Ana")
    await desk.takes_over(session.conversation_id)

    backwards = await pages(box, page_size, before_seq=0)
    forwards = await pages(box, page_size, after_seq=1)

    assert [message.text for message in backwards] == ["sorry, Ana", "hola"]
    assert [message.text for message in forwards] == ["sorry, Ana"]
    assert len(await desk.history(session.conversation_id)) == 12


async def pages(
    box: v1.WebChatServiceStub, page_size: int, **bound: int
) -> list[v1.VisitorMessage]:
    """Every page in one direction; each but the last is full."""
    read: list[v1.VisitorMessage] = []
    (name,) = bound
    while True:
        request = v1.WebChatServiceListMessagesRequest(page_size=page_size, **bound)
        page = await box.ListMessages(request)
        read += page.messages
        if not page.has_more:
            return read
        assert len(page.messages) == page_size
        last = page.messages[-1 if name == "before_seq" else 0]
        bound = {name: last.seq}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"visitor_secret": "iv_short"}, "INVALID_ARGUMENT"),
        ({"display_name": "x" * 81}, "INVALID_ARGUMENT"),
        ({"display_name": "Ana\nfrom support"}, "INVALID_ARGUMENT"),
        ({"channel_id": "nope"}, "INVALID_ARGUMENT"),
        ({"channel_id": ""}, "INVALID_ARGUMENT"),
    ],
)
async def test_a_malformed_opening_is_refused_by_name(
    desk: Desk, channel_id: ChannelId, fields: dict[str, str], reason: str
) -> None:
    async with refused(reason, grpc.StatusCode.INVALID_ARGUMENT):
        await open_box(desk, **{"channel_id": channel_id, **fields})
