"""Who looks after a conversation, who has it, what waits for a person, and drafts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.running_inbox import AI, PEOPLE
from tests.web.accessibility import SCHEMES, Axe
from tests.web.conftest import NewPage
from tests.web.joining import join
from tests.web.people import Agent, Customer
from tests.web.system import System

Words = Callable[[str], str]


@pytest.fixture
def ai_answers(system: System) -> Iterator[None]:
    system.is_answered_by(AI)
    yield
    system.is_answered_by(PEOPLE)


def chip(page: Page, name: str) -> Locator:
    """A filter of the list."""
    filters = page.get_by_role("group", name="Filters")
    return filters.get_by_role("button", name=re.compile(rf"^{re.escape(name)}"))


def assigns(agent: Agent, now: str, name: str) -> None:
    """Choose who looks after the open conversation; its button says `now`."""
    agent.pane.get_by_role("button", name=re.compile(now)).click()
    agent.page.get_by_role("menuitemradio", name=name).click()
    agent.page.keyboard.press("Escape")


def test_a_conversation_is_given_to_a_colleague_who_finds_it_among_their_own(
    agent: Agent, new_page: NewPage, system: System, customer: Customer, words: Words
) -> None:
    question, name = words("Who takes it?"), words("Bo")
    bo = join(agent, new_page, system, role="Agent", name=name)
    agent.opens()
    bo.opens()
    customer.writes(question)
    agent.opens_conversation(question)
    bo.opens_conversation(question)
    chip(bo.page, "Mine").click()
    expect(bo.row(question)).to_have_count(0)

    assigns(agent, "^Assign$", name)

    expect(bo.row(question)).to_be_visible()
    expect(bo.row(question).get_by_title(f"Assigned to {name}")).to_be_visible()
    expect(bo.pane.get_by_role("button", name="Assigned to You")).to_be_visible()
    expect(agent.pane.get_by_role("button", name=f"Assigned to {name}")).to_be_visible()
    chip(agent.page, "Unassigned").click()
    expect(agent.row(question)).to_have_count(0)
    expect(agent.page).to_have_url(re.compile(r"assignee=nobody"))

    assigns(agent, f"^Assigned to {name}", "Nobody")
    expect(agent.row(question)).to_be_visible()
    expect(bo.row(question)).to_have_count(0)


def test_an_assignment_that_is_refused_is_taken_back(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Not like this")
    customer.writes(question)
    agent.opens_conversation(question)
    agent.page.route("**/AssignConversation", lambda route: route.abort())

    assigns(agent, "^Assign$", "(you)")

    expect(agent.page.get_by_text("Inbox cannot be reached right now")).to_be_visible()
    expect(agent.pane.get_by_role("button", name="Assign", exact=True)).to_be_visible()


def test_the_header_says_who_has_it_and_who_is_there(
    agent: Agent, new_page: NewPage, system: System, customer: Customer, words: Words
) -> None:
    question, answer, name = words("Whose is it?"), words("Mine."), words("Cem")
    cem = join(agent, new_page, system, role="Agent", name=name)
    agent.opens()
    cem.opens()
    customer.writes(question)
    agent.opens_conversation(question)
    cem.opens_conversation(question)

    cem.writes(answer)

    expect(agent.pane).to_contain_text(f"{name} has it")
    expect(cem.pane).to_contain_text("You have it")
    expect(agent.pane.get_by_role("status").filter(has_text=f"{name} is here")).to_be_attached()
    cem.field.press_sequentially("And another thing")
    expect(agent.pane.get_by_role("status").filter(has_text=f"{name} is typing")).to_be_attached()


@pytest.mark.usefixtures("ai_answers")
def test_what_waits_for_a_person_is_found_by_its_filter_until_somebody_answers(
    agent: Agent, customer: Customer, words: Words
) -> None:
    plea, answer = words("I want to talk to a person"), words("Here I am")
    customer.writes(plea)
    expect(customer.history).to_contain_text("I am passing you on to a colleague")

    waiting = chip(agent.page, "Waiting")
    expect(waiting).to_have_text(re.compile(r"^Waiting[1-9]"))
    waiting.click()
    row = agent.rows.first
    expect(row.get_by_title("Waiting for a person")).to_be_visible()
    count = int(waiting.inner_text().split()[-1])
    expect(agent.rows).to_have_count(count)
    row.click()
    expect(agent.history).to_contain_text(plea)
    agent.writes(answer)

    expect(customer.bubble(answer)).to_be_visible()
    expect(agent.pane.get_by_text("Waiting for a person")).to_have_count(0)
    expect(agent.row(answer)).to_have_count(0)
    expect(waiting).to_have_text(re.compile(rf"^Waiting{count - 1 or ''}$"))


def test_a_draft_stands_in_the_list_of_each_tab_of_the_member_until_it_is_sent(
    agent: Agent, colleague: Agent, customer: Customer, system: System, words: Words
) -> None:
    question, draft = words("And by when?"), words("By Friday")
    customer.writes(question)
    agent.opens_conversation(question)
    tab = Agent(agent.page.context.new_page(), system)
    tab.opens()

    agent.field.fill(draft)

    for one in (agent, tab):
        expect(one.row(f"Draft: {draft}")).to_be_visible()
    expect(colleague.row(question)).to_be_visible()
    expect(colleague.row(draft)).to_have_count(0)
    agent.field.press("Enter")
    for one in (agent, tab):
        expect(one.row(draft)).to_be_visible()
        expect(one.row(f"Draft: {draft}")).to_have_count(0)


def test_a_draft_is_there_on_another_device_and_gone_once_it_was_sent(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    # The colleague's desk is the same member's other device.
    question, draft = words("How long will it take?"), words("About three days")
    customer.writes(question)
    agent.opens_conversation(question)
    with agent.page.expect_response("**/SaveDraft"):
        agent.field.fill(draft)

    colleague.opens_conversation(question)
    expect(colleague.field).to_have_value(draft)
    with colleague.page.expect_response("**/DeleteDraft"):
        colleague.field.press("Enter")
    expect(customer.bubble(draft)).to_be_visible()

    agent.page.reload()
    expect(agent.bubble(draft)).to_be_visible()
    expect(agent.field).to_have_value("")


@pytest.mark.parametrize("width", [390, 1280])
def test_assignee_and_filters_fit_and_are_accessible(
    width: int,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    customer: Customer,
    words: Words,
    screenshots: Path,
    axe: Axe,
) -> None:
    question, answer = words("How does it look?"), words("Fine.")
    customer.writes(question)
    page = new_page(
        storage_state=signed_in, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    agent = Agent(page, system)
    agent.opens()
    agent.opens_conversation(question)
    agent.pane.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("menuitemradio", name="Nobody")).to_be_visible()
    take(page, screenshots, "assignee-menu")
    page.get_by_role("menuitemradio", name="(you)").click()
    page.keyboard.press("Escape")
    agent.writes(answer)
    agent.sees_status(answer, "read")
    take(page, screenshots, "assigned")
    axe.finds_nothing(page)
    agent.opens()
    chip(page, "Mine").click()
    expect(agent.row(answer)).to_be_visible()
    take(page, screenshots, "assigned-list")
    axe.finds_nothing(page)


def take(page: Page, folder: Path, name: str) -> None:
    """A picture in both schemes, of a page on which nothing overflows."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{page.evaluate('innerWidth')}-{scheme}.png")
