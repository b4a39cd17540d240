"""A long conversation: older messages come without a jump."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from chassis.ids import new_id
from tests.web.people import Agent
from tests.web.system import System

MESSAGES = 130
A_PIXEL = 1.0


def test_older_messages_load_above_and_the_view_does_not_jump(
    agent: Agent, system: System, words: Callable[[str], str]
) -> None:
    customer = f"c{new_id()[-8:]}"
    for number in range(MESSAGES):
        system.phone_writes(customer, f"number {number:03} " + "and more " * (number % 9))
    row = agent.row(customer.capitalize())
    expect(row).to_contain_text(f"number {MESSAGES - 1:03}")
    row.click()
    expect(agent.bubble(f"number {MESSAGES - 1:03}")).to_be_in_viewport()
    assert agent.history.get_by_role("article").count() < MESSAGES

    anchor = agent.bubble("number 085")
    anchor.evaluate("bubble => bubble.scrollIntoView({block: 'center'})")
    before = _top_of(agent, "number 085")
    button = agent.page.get_by_role("button", name="Load older messages")
    if button.count():
        button.evaluate("button => button.click()")
    expect(agent.bubble("number 060")).to_have_count(1)
    after = _top_of(agent, "number 085")

    assert abs(after - before) <= A_PIXEL

    latest = words("While you read above")
    system.phone_writes(customer, latest)
    expect(agent.page.get_by_role("button", name="1 new")).to_be_visible()
    assert abs(_top_of(agent, "number 085") - after) <= A_PIXEL
    agent.page.get_by_role("button", name="1 new").click()
    expect(agent.bubble(latest)).to_be_in_viewport()

    agent.history.evaluate("log => log.scrollTop = 0")
    expect(agent.bubble("number 000")).to_have_count(1)
    expect(agent.page.get_by_text("Start of conversation")).to_be_attached()
    texts = agent.history.get_by_role("article").all_inner_texts()
    numbers = [int(text.split()[1]) for text in texts if text.startswith("number")]
    assert numbers == list(range(MESSAGES))


def _top_of(agent: Agent, text: str) -> float:
    box = agent.bubble(text).bounding_box()
    assert box is not None
    return box["y"]
