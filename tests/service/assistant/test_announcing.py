"""Everybody sees the AI coming: from the customer's message on until its answer is there."""

from __future__ import annotations

from datetime import timedelta

from services.assistant.announcing import TELL_EVERY
from services.assistant.model.turns import Mode
from tests.service.assistant.desk import BURST, Desk


async def test_the_ai_is_writing_from_the_customers_message_on(desk: Desk) -> None:
    ana, announcer = desk.customer(), desk.an_announcer()
    ana.writes("hola")
    await desk.hear(ana)

    await announcer.run_once()
    await announcer.run_once()
    assert desk.signs.told == [(ana.conversation_id, True)], "once is enough for a while"
    desk.clock.advance(BURST)
    await desk.work()

    assert desk.signs.told[-1] == (ana.conversation_id, False)
    await announcer.run_once()
    assert desk.signs.told[-1] == (ana.conversation_id, False)


async def test_it_is_said_again_before_it_fades_while_the_customer_goes_on_writing(
    desk: Desk,
) -> None:
    ana, announcer = desk.customer(), desk.an_announcer()
    for second in range(8):
        ana.writes(f"message {second}")
        await desk.hear(ana)
        await announcer.run_once()
        desk.clock.advance(timedelta(seconds=1))

    assert len(desk.signs.told) == 1 + int(timedelta(seconds=7) / TELL_EVERY)


async def test_where_people_answer_nothing_is_said_of_the_ai(desk: Desk) -> None:
    ana, announcer = desk.customer(mode=Mode.MANUAL), desk.an_announcer()
    ana.writes("hola")
    await desk.hear(ana)

    await announcer.run_once()

    assert desk.signs.told == []
