"""The AI and people share a conversation: who answers when, as both windows show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.running_inbox import AI, PEOPLE
from tests.web.conftest import DESKTOP, PHONE
from tests.web.people import Agent, Customer
from tests.web.system import System
from tests.web.test_layout import SCHEMES, assert_nothing_overflows

Words = Callable[[str], str]
RESUMES_AFTER = timedelta(seconds=15)
OPENING = "When does the shop open on Saturday?"
OPEN = "We are open Monday to Friday from 9:00 to 19:00"
SOURCE = "Source: Opening hours and address"
PLEA = "I want to talk to a person"
FAREWELL = "I am passing you on to a colleague"
RESUMED = "Nobody wrote for a while, so the AI took over again"


@pytest.fixture
def soon_back(system: System) -> Iterator[None]:
    """The AI answers, and is back soon after people fell silent."""
    system.is_answered_by(AI, resume_ai_after=RESUMES_AFTER)
    yield
    system.is_answered_by(PEOPLE)


@pytest.fixture
def ai_answers(system: System) -> Iterator[None]:
    system.is_answered_by(AI)
    yield
    system.is_answered_by(PEOPLE)


def is_asked(agent: Agent, customer: Customer) -> None:
    """A new customer asks, and the agent opens that conversation; others were asked the same."""
    newest = agent.rows.first
    before = newest.get_attribute("href") if agent.rows.count() else None
    customer.writes(OPENING)
    asked = agent.rows.filter(has_text=re.compile(f"{re.escape(OPENING)}|{OPEN}")).first
    if before is not None:
        expect(newest).not_to_have_attribute("href", before)
    asked.click()
    expect(agent.history).to_contain_text(OPENING)


def of_ai(agent: Agent) -> Any:
    """Everything the AI said in the open conversation."""
    return agent.history.get_by_role("article", name=re.compile("^Assistant"))


@pytest.mark.usefixtures("soon_back")
def test_the_ai_answers_calls_a_person_and_is_back_once_people_fell_silent(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    page, mode = agent.page, agent.page.get_by_test_id("mode")
    notice = colleague.page.get_by_text("is waiting for a person")

    is_asked(agent, customer)
    expect(mode).to_have_text("AI: Active")
    expect(agent.field).to_have_count(0)
    expect(page.get_by_text("AI is managing this conversation")).to_be_visible()
    expect(agent.bubble(OPEN)).to_contain_text(SOURCE)
    expect(customer.bubble(OPEN)).to_contain_text(SOURCE)

    customer.writes("How much is shipping?")
    expect(page.get_by_text("AI is writing…")).to_be_visible()
    expect(customer.page.get_by_label("Somebody is typing")).to_be_visible()
    expect(agent.bubble("Shipping costs 4.90 euros")).to_be_visible()
    expect(page.get_by_text("AI is writing…")).to_have_count(0)
    expect(of_ai(agent)).to_have_count(2)

    customer.writes(PLEA)
    expect(notice).to_be_visible()
    expect(page.get_by_text("is waiting for a person")).to_have_count(0)
    colleague.page.get_by_role("button", name="Open", exact=True).click()
    expect(colleague.bubble(PLEA)).to_be_visible()
    expect(customer.bubble(FAREWELL)).to_be_visible()
    handover = agent.history.get_by_text("The AI handed over: the customer asked for a person")
    expect(handover).to_be_visible()
    expect(agent.history).to_contain_text(f"“{PLEA}”")
    expect(agent.pane.get_by_text("Waiting for a person")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"AI resumes in 0:1\d"))
    expect(mode).to_have_text("Manual")
    answer = words("Ana here. What can I do?")
    agent.writes(answer)
    expect(customer.bubble(answer)).to_be_visible()
    expect(agent.pane.get_by_text("Waiting for a person")).to_have_count(0)

    customer.writes("Do you deliver to Portugal?")
    customer.writes("How long does it take?")
    expect(agent.bubble("How long does it take?")).to_be_visible()
    expect(of_ai(agent)).to_have_count(3)
    expect(agent.history.get_by_text(RESUMED)).to_be_visible(timeout=30_000)
    expect(mode).to_have_text("AI: Active")
    expect(agent.field).to_have_count(0)
    expect(of_ai(agent)).to_have_count(4)

    # What comes next gets the next answer, so the two before had one between them.
    customer.writes("thank you")
    expect(agent.bubble("You are welcome!")).to_be_visible()
    expect(of_ai(agent)).to_have_count(5)
    expect(agent.history.get_by_text(RESUMED)).to_have_count(1)
    # The chat box's greeting, then the customer, the AI and the person, each once.
    expect(customer.history.get_by_role("article")).to_have_count(1 + 6 + 5 + 1)


@pytest.mark.usefixtures("ai_answers")
def test_the_ai_and_its_handover_look_well_in_both_windows(
    agent: Agent, customer: Customer, screenshots: Path
) -> None:
    is_asked(agent, customer)
    expect(agent.bubble(OPEN)).to_be_visible()
    customer.writes("Can I pay by bank transfer?")
    expect(agent.page.get_by_text("AI is writing…")).to_be_visible()
    take_pictures(agent.page, "ai-writing-agent", screenshots)
    expect(agent.bubble("We accept credit and debit cards")).to_be_visible()
    take_pictures(agent.page, "ai-agent", screenshots)
    take_pictures(customer.page, "ai-customer", screenshots)

    customer.writes(PLEA)
    expect(agent.pane.get_by_text("Waiting for a person")).to_be_visible()
    expect(customer.bubble(FAREWELL)).to_be_visible()
    take_pictures(agent.page, "handover-agent", screenshots)
    take_pictures(customer.page, "handover-customer", screenshots)


def take_pictures(page: Page, name: str, screenshots: Path) -> None:
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert_nothing_overflows(page)
            page.screenshot(path=screenshots / f"{name}-{size['width']}-{scheme}.png")
