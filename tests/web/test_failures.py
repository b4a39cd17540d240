"""A platform that refuses, does not answer, or has let our credential expire."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from chassis.ids import new_id
from tests.web.people import Agent
from tests.web.system import System

Words = Callable[[str], str]
OFF = {
    "fail_next": 0,
    "is_token_expired": False,
    "reset_before_accept": 0,
    "are_receipts_off": False,
}


@pytest.fixture
def phone(system: System) -> Iterator[str]:
    """A customer on the simulated platform; afterwards nothing goes wrong any more."""
    yield f"c{new_id()[-8:]}"
    system.switch(**OFF)


def test_a_failed_message_says_why_and_retry_sends_the_same_one(
    agent: Agent, system: System, phone: str, words: Words
) -> None:
    question, answer = words("Can you hear me?"), words("Loud and clear")
    system.phone_writes(phone, question)
    agent.opens_conversation(question)
    system.switch(fail_next=1, fail_code="account_blocked")

    agent.writes(answer)
    agent.sees_status(answer, "failed")
    expect(agent.bubble(answer)).to_contain_text("blocked or unpaid at the platform")
    agent.bubble(answer).get_by_role("button", name="Retry").click()

    agent.sees_status(answer, "delivered")
    expect(agent.bubble(answer)).to_have_count(1)
    system.phone_looks(phone)
    agent.sees_status(answer, "read")


def test_an_expired_channel_is_told_in_the_conversation_and_on_its_page(
    agent: Agent, system: System, phone: str, words: Words
) -> None:
    question, answer = words("Is this thing on?"), words("Not quite")
    system.phone_writes(phone, question)
    agent.opens_conversation(question)
    system.switch(is_token_expired=True)

    agent.writes(answer)
    expect(agent.page.get_by_text("Reconnection needed: Simulator.")).to_be_visible()
    agent.page.get_by_role("button", name="Open channels").first.click()
    expect(agent.page.get_by_text("Reconnection needed")).to_be_visible()

    system.switch(is_token_expired=False)
    row = agent.page.get_by_role("listitem").filter(has_text="Simulator")
    row.get_by_role("button", name="Test").click()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
