"""A customer and an agent talk through Envoy, two gateway sockets and every service between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.ids import new_id
from inbox.messaging import v1 as messaging_v1
from inbox.realtime import v1 as realtime_v1
from tests.system.sockets.people import Box

if TYPE_CHECKING:
    from tests.system.sockets.people import Agent, Customer


async def test_what_the_customer_writes_is_seen_and_answered_live(
    agent: Agent, customer: Customer
) -> None:
    box = Box(customer)
    assert (await box.connect()).last_seq == 0

    await customer.write("hola")
    created = (await agent.until("message_created")).message_created
    assert created.message.text == "hola"
    assert created.thread.conversation_id == customer.conversation_id
    assert await agent.say(customer.conversation_id, "¿en qué te ayudo?", new_id())

    assert (await box.until("message")).message.text == "hola"
    answer = (await box.until("message")).message
    assert answer.text == "¿en qué te ayudo?"
    assert answer.author_kind == messaging_v1.VISITOR_AUTHOR_KIND_AGENT


async def test_the_agent_sees_how_far_a_message_got(agent: Agent, customer: Customer) -> None:
    box = Box(customer)
    await box.connect()
    await customer.write("hola")
    assert await agent.say(customer.conversation_id, "¡hola!", new_id())
    await box.until("message")
    seq = (await box.until("message")).message.seq

    for told, status in (
        ({"delivered_up_to_seq": seq}, messaging_v1.DELIVERY_STATUS_DELIVERED),
        ({"read_up_to_seq": seq}, messaging_v1.DELIVERY_STATUS_READ),
    ):
        await box.send(1, acknowledge_messages=messaging_v1.AcknowledgeMessagesRequest(**told))
        changed = (await agent.until("delivery_status_changed")).delivery_status_changed
        assert changed.message.delivery_status == status


async def test_both_see_that_the_other_types(agent: Agent, customer: Customer) -> None:
    box = Box(customer)
    await customer.write("hola")
    await box.connect()
    conversation_id = customer.conversation_id

    await agent.send(
        presence=realtime_v1.PresenceUpdate(conversation_id=conversation_id, is_typing=True)
    )
    assert not (await box.until("typing")).typing.is_over
    await box.send(typing=realtime_v1.VisitorTypingUpdate())
    typing = (await agent.until("customer_typing")).customer_typing

    assert typing.conversation_id == conversation_id


async def test_old_snapshot_and_its_frames_are_a_fresh_snapshot(
    agent: Agent, customer: Customer
) -> None:
    await customer.write("one")
    await agent.until("conversation_opened")
    for number in range(10):
        await customer.write(str(number))
        assert await agent.say(customer.conversation_id, f"answer {number}", new_id())

    await agent.take_in(1.0)

    assert agent.known == await agent.state()
    assert agent.snapshots == 1
