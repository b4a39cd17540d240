"""How the AI behaves: providers, refusals at their field, two owners at once, and who may not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.accessibility import Axe
from tests.web.conftest import DESKTOP, PHONE, NewPage
from tests.web.joining import join
from tests.web.people import Agent
from tests.web.pictures import keep_pictures
from tests.web.system import System

Words = Callable[[str], str]
SETTINGS = "/settings/assistant"
NUMBERS = {"Wait after a message": "2", "Wait at most": "8", "Answer within": "20"}


def form_of(page: Page) -> Locator:
    """The settings of the AI itself."""
    return page.get_by_role("group", name="How the AI behaves")


def save(page: Page) -> None:
    """Save the settings of the AI itself."""
    page.get_by_role("button", name="Save", exact=True).click()


@pytest.fixture(autouse=True)
def as_it_was(agent: Agent) -> Iterator[None]:
    """Every test has the same inbox: it leaves Inbox itself to answer, as other tests want it."""
    yield
    agent.opens(SETTINGS)
    agent.page.get_by_label("Inbox itself").check()
    agent.page.get_by_label("Name", exact=True).fill("Assistant")
    for name, value in NUMBERS.items():
        agent.page.get_by_label(name).fill(value)
    agent.page.get_by_label("Words that must match").fill("60")
    button = agent.page.get_by_role("button", name="Save", exact=True)
    if button.is_enabled():
        button.click()
        expect(button).to_be_disabled()


def test_an_endpoint_is_chosen_and_its_key_is_never_shown_again(agent: Agent) -> None:
    page = agent.page
    agent.opens(SETTINGS)
    page.get_by_label("A model (OpenAI-compatible)").check()
    page.get_by_label("Address").fill("https://ai.example/v1")
    page.get_by_label("Model", exact=True).fill("large-1")
    page.get_by_label("Key", exact=True).fill("sk-not-a-secret")

    save(page)

    expect(page.get_by_text("The AI does so from its next answer on")).to_be_visible()
    page.reload()
    expect(page.get_by_label("A model (OpenAI-compatible)")).to_be_checked()
    expect(page.get_by_label("Model", exact=True)).to_have_value("large-1")
    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    expect(page.get_by_label("Key", exact=True)).to_have_attribute(
        "placeholder", re.compile("Stored")
    )
    page.get_by_label("Forget the stored key").check()
    save(page)
    expect(page.get_by_label("Forget the stored key")).to_have_count(0)


def test_what_the_service_refuses_is_said_at_its_field(agent: Agent) -> None:
    page = agent.page
    agent.opens(SETTINGS)
    page.get_by_label("Your own agent (gRPC)").check()
    address = page.get_by_label("Address of your program")

    save(page)
    expect(address).to_have_accessible_description(re.compile("The provider needs this"))
    address.fill("not an address")
    save(page)
    expect(address).to_have_accessible_description(re.compile("Must be host:port"))

    page.get_by_label("Inbox itself").check()
    page.get_by_label("Answer within").fill("90")
    save(page)
    answer = page.get_by_label("Answer within")
    expect(answer).to_have_accessible_description(re.compile("Must be 1 to 55 seconds"))
    expect(answer).to_have_attribute("aria-invalid", "true")
    answer.fill("soon")
    expect(answer).to_have_accessible_description(re.compile("Write a number of seconds"))
    page.get_by_role("button", name="Discard changes").click()
    expect(answer).to_have_value("20")


def test_two_owners_see_each_others_changes_and_choose_where_they_collide(
    agent: Agent, colleague: Agent, words: Words
) -> None:
    agent.opens(SETTINGS)
    colleague.opens(SETTINGS)
    mine, theirs = words("Flora"), words("Ivy")
    agent.page.get_by_label("Name", exact=True).fill(mine)

    colleague.page.get_by_label("Words that must match").fill("70")
    save(colleague.page)
    expect(agent.page.get_by_label("Words that must match")).to_have_value("70")
    expect(agent.page.get_by_label("Name", exact=True)).to_have_value(mine)
    expect(agent.page.get_by_role("alert")).to_have_count(0)

    colleague.page.get_by_label("Name", exact=True).fill(theirs)
    save(colleague.page)
    banner = agent.page.get_by_role("alert")
    expect(banner).to_contain_text("Somebody else changed “Name” meanwhile")
    banner.get_by_role("button", name="Take theirs").click()
    expect(agent.page.get_by_label("Name", exact=True)).to_have_value(theirs)
    expect(agent.page.get_by_role("button", name="Save", exact=True)).to_be_disabled()


def test_who_answers_new_conversations_and_when_the_ai_resumes(agent: Agent) -> None:
    page = agent.page
    agent.opens(SETTINGS)
    minutes = page.get_by_label("The AI takes over again after")
    was = minutes.input_value()
    button = page.get_by_role("button", name="Save who answers")
    expect(button).to_be_disabled()

    minutes.fill("20000")
    button.click()
    expect(minutes).to_have_accessible_description(re.compile("from 1 second to 7 days"))
    minutes.fill("42")
    button.click()
    expect(button).to_be_disabled()

    page.reload()
    expect(minutes).to_have_value("42")
    minutes.fill(was)
    button.click()
    expect(button).to_be_disabled()


def test_whether_customers_open_settled_conversations_again(agent: Agent, colleague: Agent) -> None:
    agent.opens("/settings/inbox")
    colleague.opens("/settings/inbox")
    label = "A customer's next message opens a solved or archived conversation again"

    agent.page.get_by_label(label).uncheck()
    expect(colleague.page.get_by_label(label)).not_to_be_checked()

    colleague.page.get_by_label(label).check()
    expect(agent.page.get_by_label(label)).to_be_checked()


def test_whoever_is_no_owner_reads_the_settings_and_cannot_change_them(
    agent: Agent, new_page: NewPage, system: System
) -> None:
    helper = join(agent, new_page, system, role="Agent", name="Cora Cruz")

    helper.opens(SETTINGS)

    expect(helper.page.get_by_label("Name", exact=True)).to_be_disabled()
    expect(helper.page.get_by_role("button", name=re.compile("^Save"))).to_have_count(0)
    expect(helper.page.get_by_text("Owners change this")).to_be_visible()
    expect(helper.page.get_by_role("link", name="API keys")).to_have_count(0)
    helper.opens("/settings/keys")
    expect(helper.page.get_by_text("This is for owners")).to_be_visible()
    helper.opens("/settings/knowledge")
    expect(helper.page.get_by_role("button", name="New article")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_the_ais_settings_are_accessible_and_fit(
    viewport: Any,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    screenshots: Path,
    axe: Axe,
) -> None:
    page = new_page(storage_state=signed_in, viewport=viewport, reduced_motion="reduce")
    agent = Agent(page, system)
    agent.opens(SETTINGS)
    keep_pictures(page, screenshots, "assistant")
    axe.finds_nothing(page)
    page.get_by_label("A model (OpenAI-compatible)").check()
    page.get_by_label("Answer within").fill("90")
    save(page)
    expect(page.get_by_label("Address")).to_be_visible()
    keep_pictures(page, screenshots, "assistant-endpoint", is_whole=True)
    axe.finds_nothing(page)
    agent.opens("/settings/inbox")
    keep_pictures(page, screenshots, "inbox-settings")
    axe.finds_nothing(page)
