"""Customers' messages: they open the conversation, once each, in the order they came."""

from __future__ import annotations

import asyncio

from chassis.auth import Role
from chassis.ids import new_id
from inbox.messaging import v1
from services.messaging.actions.inbound import accept_inbound
from services.messaging.model.channel import ChannelKind
from services.messaging.model.draft import Opening, Stored
from services.messaging.model.message import AuthorKind
from tests.service.messaging.desk import WITHIN, Desk, assert_events_tell_everything


async def test_the_first_message_opens_the_conversation_in_its_own_transaction(
    desk: Desk,
) -> None:
    channel_id = await desk.connect()

    stored = await desk.customer_writes(channel_id, "hola", customer="ana", name="Ana")

    opened, created = await desk.published()
    assert isinstance(opened, v1.ThreadOpened)
    assert isinstance(created, v1.MessageCreated)
    assert opened.thread.last_seq == 0
    assert opened.thread.conversation_id == created.thread.conversation_id
    assert (created.thread.last_seq, created.thread.inbound_count) == (1, 1)
    assert (created.thread.external_id, created.thread.customer_name) == ("ana", "Ana")
    assert created.thread.mode == v1.CONVERSATION_MODE_MANUAL
    assert created.message.direction == v1.MESSAGE_DIRECTION_INBOUND
    assert created.message.delivery_status == v1.DELIVERY_STATUS_UNSPECIFIED
    assert created.message.id == stored.message.id
    await assert_events_tell_everything(desk)


async def test_a_new_conversation_takes_the_workspaces_default_mode(desk: Desk) -> None:
    channel_id = await desk.connect()
    await desk.as_role(Role.OWNER).UpdateMessagingSettings(
        v1.UpdateMessagingSettingsRequest(default_mode=v1.CONVERSATION_MODE_AI)
    )

    stored = await desk.customer_writes(channel_id)

    thread = await desk.maria.GetThread(
        v1.GetThreadRequest(conversation_id=stored.message.conversation_id)
    )
    assert thread.thread.mode == v1.CONVERSATION_MODE_AI
    assert thread.thread.mode_epoch == 1


async def test_many_first_messages_at_once_open_one_conversation(desk: Desk) -> None:
    channel_id = await desk.connect()

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(desk.customer_writes(channel_id, f"hola {number}"))

    events = await desk.published()
    assert sum(isinstance(event, v1.ThreadOpened) for event in events) == 1
    assert isinstance(events[0], v1.ThreadOpened)
    seqs = [event.message.seq for event in events if isinstance(event, v1.MessageCreated)]
    assert seqs == list(range(1, 21))


async def test_a_platforms_repeat_adds_nothing_whatever_it_says(desk: Desk) -> None:
    channel_id = await desk.connect()
    first = await desk.customer_writes(channel_id, "hola", platform_message_id="wamid.1")

    again = await desk.customer_writes(channel_id, "edited", platform_message_id="wamid.1")

    assert again.replayed
    assert again.message == first.message


async def test_the_same_platform_id_on_another_channel_is_another_message(desk: Desk) -> None:
    one, other = await desk.connect(), await desk.connect()

    first = await desk.customer_writes(one, platform_message_id="1")
    second = await desk.customer_writes(other, platform_message_id="1")

    assert not second.replayed
    assert first.message.conversation_id != second.message.conversation_id


async def test_a_customers_messages_stay_in_the_order_they_were_given(desk: Desk) -> None:
    channel_id = await desk.connect()

    waiting = [
        accept_inbound(
            desk.means.writers,
            desk.workspace_id,
            opening=Opening(channel_id, ChannelKind.SIMULATOR, f"customer {number % 3}"),
            platform_message_id=f"{number}",
            text=f"{number}",
            platform_time=None,
            within=WITHIN,
        )
        for number in range(300)
    ]
    stored: list[Stored] = [await one for one in waiting]

    for customer in range(3):
        mine = stored[customer::3]
        assert [one.message.seq for one in mine] == list(range(1, 101))
        assert [one.message.inbound_ordinal for one in mine] == list(range(1, 101))


async def test_a_new_name_of_the_customer_is_kept(desk: Desk) -> None:
    channel_id = await desk.connect()
    await desk.customer_writes(channel_id, name="")
    await desk.customer_writes(channel_id, name="Ana \"la\" \\ 'jefa', {x}")
    stored = await desk.customer_writes(channel_id, name="")

    thread = await desk.maria.GetThread(
        v1.GetThreadRequest(conversation_id=stored.message.conversation_id)
    )
    assert thread.thread.customer_name == "Ana \"la\" \\ 'jefa', {x}"
    await assert_events_tell_everything(desk)


async def test_text_comes_back_exactly_as_it_was_written(desk: Desk) -> None:
    channel_id = await desk.connect()
    texts = [
        'a "quoted" word',
        'back\\slash \\" and {braces, commas}',
        "NULL",
        "línea\nnueva\ttab",
        "\u202eright to left",
        "👩‍👩‍👧 family",
        "'; DROP TABLE messages; --",
        " ",
        "",
        "$1",
    ]

    for text in texts:
        await desk.customer_writes(channel_id, text)

    conversation_id = (await desk.customer_writes(channel_id, "end")).message.conversation_id
    history = await desk.history(conversation_id)
    assert [message.text for message in history] == [*texts, "end"]
    await assert_events_tell_everything(desk)


async def test_characters_the_database_cannot_keep_do_not_stop_a_message(desk: Desk) -> None:
    stored = await desk.customer_writes(await desk.connect(), "a\x00b")

    assert stored.message.text == "a\ufffdb"


async def test_a_persons_message_from_the_phone_app_is_shown_as_sent(desk: Desk) -> None:
    channel_id = await desk.connect()
    stored = await accept_inbound(
        desk.means.writers,
        desk.workspace_id,
        opening=Opening(channel_id, ChannelKind.SIMULATOR, "ana"),
        platform_message_id=new_id(),
        text="from my phone",
        platform_time=desk.means.clock.now(),
        within=WITHIN,
        author_kind=AuthorKind.PHONE_APP,
    )

    (message,) = await desk.history(stored.message.conversation_id)
    assert message.delivery_status == v1.DELIVERY_STATUS_SENT
    assert message.author.kind == v1.AUTHOR_KIND_PHONE_APP
    assert message.inbound_ordinal == 0
    assert message.HasField("platform_time")
