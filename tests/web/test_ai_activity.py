"""What the AI did and why: reached from a conversation and from the settings, live, for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.running_inbox import AI, PEOPLE
from tests.web.accessibility import Axe
from tests.web.conftest import NewPage
from tests.web.joining import join
from tests.web.people import Agent, Customer
from tests.web.pictures import keep_each_width
from tests.web.system import System

Words = Callable[[str], str]
QUESTION = "When does the shop open on Saturday?"
OPEN = "We are open Monday to Friday"
PLEA = "I want to talk to a person"


@pytest.fixture
def ai_answers(system: System) -> Iterator[None]:
    system.is_answered_by(AI)
    yield
    system.is_answered_by(PEOPLE)


def turns(page: Page) -> Locator:
    """The turns on screen, each as the button that opens it."""
    return page.get_by_role("table").get_by_role("button", name=re.compile("^It |first"))


def goes_to_activity(agent: Agent) -> None:
    """From the open conversation, by its menu."""
    agent.page.get_by_role("button", name="More actions").click()
    agent.page.get_by_role("menuitem", name="AI activity").click()
    expect(agent.page.get_by_role("heading", name="AI activity")).to_be_visible()


@pytest.mark.usefixtures("ai_answers")
def test_why_the_ai_said_something_is_found_from_the_conversation_and_leads_back_to_it(
    agent: Agent, customer: Customer
) -> None:
    page = agent.page
    customer.writes(QUESTION)
    expect(customer.bubble(OPEN)).to_be_visible()
    agent.rows.first.click()
    expect(agent.bubble(OPEN)).to_be_visible()
    goes_to_activity(agent)

    turns(page).get_by_text("It answered").click()

    details = page.get_by_role("table")
    for words in (QUESTION, OPEN, "Inbox itself", "Search knowledge", "Provider took"):
        expect(details).to_contain_text(words)
    customer.writes(PLEA)
    expect(turns(page)).to_have_count(2)
    expect(turns(page).first).to_contain_text("It handed over: the customer asked for a person")
    page.get_by_role("link", name="Show in the conversation").click()
    expect(agent.bubble(OPEN)).to_be_in_viewport()


@pytest.mark.usefixtures("ai_answers")
def test_a_reader_finds_all_turns_in_the_settings_and_a_failure_can_be_tried_again(
    agent: Agent, customer: Customer, new_page: NewPage, system: System, words: Words
) -> None:
    customer.writes(QUESTION)
    expect(customer.bubble(OPEN)).to_be_visible()
    reader = join(agent, new_page, system, role="Read-only", name=words("Rui"))
    page = reader.page
    # With the line there already: a snapshot would try again by itself.
    reader.opens("/settings/account")
    page.route("**/ListTurns", lambda route: route.abort())
    page.get_by_role("link", name="AI activity").click()
    expect(page.get_by_role("alert")).to_contain_text("Inbox cannot be reached")

    page.unroute("**/ListTurns")
    page.get_by_role("button", name="Try again").click()

    expect(turns(page).first).to_contain_text("It ")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.usefixtures("ai_answers")
def test_every_state_of_the_activity_fits_and_is_accessible(
    width: int,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    customer: Customer,
    screenshots: Path,
    axe: Axe,
) -> None:
    page = new_page(
        storage_state=signed_in, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    agent = Agent(page, system)
    agent.opens("/settings/activity/00000000-0000-7000-8000-000000000000")
    expect(page.get_by_text("The AI did nothing here yet")).to_be_visible()
    keep_each_width(page, screenshots, "activity-empty")
    axe.finds_nothing(page)
    customer.writes(QUESTION)
    expect(customer.bubble(OPEN)).to_be_visible()
    customer.writes(PLEA)

    page.get_by_role("button", name="Show all conversations").click()
    expect(turns(page).first).to_contain_text("It handed over")
    turns(page).get_by_text("It answered").first.click()
    expect(page.get_by_role("table")).to_contain_text(OPEN)

    keep_each_width(page, screenshots, "activity")
    axe.finds_nothing(page)
