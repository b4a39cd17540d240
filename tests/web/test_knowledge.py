"""Articles: written, looked at, tried, deleted and brought back; two people at one article."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.accessibility import Axe
from tests.web.conftest import PHONE, NewPage
from tests.web.people import Agent
from tests.web.pictures import keep_pictures
from tests.web.system import System

Words = Callable[[str], str]
KNOWLEDGE = "/settings/knowledge"


def article_row(page: Page, title: str) -> Locator:
    """The entry of the list with this title."""
    return page.get_by_role("listitem").filter(has_text=title)


def write_article(agent: Agent, title: str, body: str) -> None:
    """Add an article and come back to the list."""
    agent.opens(KNOWLEDGE)
    agent.page.get_by_role("button", name="New article").click()
    agent.page.get_by_label("Title").fill(title)
    agent.page.get_by_label("Text", exact=True).fill(body)
    agent.page.get_by_role("button", name="Save").click()
    expect(article_row(agent.page, title)).to_be_visible()


def open_article(agent: Agent, title: str) -> None:
    """Go to an article of the list."""
    agent.page.get_by_role("link", name=title).click()
    expect(agent.page.get_by_label("Title")).to_have_value(title)


def test_an_article_is_written_previewed_and_found_by_a_question(
    agent: Agent, words: Words
) -> None:
    title, flower = words("Caring for a"), words("zygocactus").replace(" ", "")
    agent.opens(KNOWLEDGE)
    agent.page.get_by_role("button", name="New article").click()
    agent.page.get_by_label("Title").fill(title)
    body = f"## Watering\n\nA {flower} needs **little** water.\n\n<b onclick='x()'>raw</b>"
    agent.page.get_by_label("Text", exact=True).fill(body)
    expect(agent.page.get_by_text(f"{len(body)} of 20,000 characters")).to_be_visible()

    agent.page.get_by_role("button", name="Preview").click()
    preview = agent.page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("heading", name="Watering")).to_be_visible()
    expect(preview.get_by_text("little")).to_have_js_property("tagName", "STRONG")
    expect(preview).to_contain_text("<b onclick='x()'>raw</b>")
    agent.page.get_by_role("button", name="Save").click()

    expect(agent.page.get_by_text("Article added")).to_be_visible()
    agent.page.get_by_label("Question").fill(f"How much water does a {flower} need?")
    agent.page.get_by_role("button", name="Ask").click()
    expect(agent.page.get_by_text("The AI would answer with the first passage.")).to_be_visible()
    expect(agent.page.get_by_role("list", name="Passages found")).to_contain_text(title)
    agent.page.get_by_label("Question").fill("Xqzwv?")
    agent.page.get_by_role("button", name="Ask").click()
    expect(agent.page.get_by_text("The articles have nothing about this.")).to_be_visible()


def test_a_colleague_sees_the_list_change_by_itself(
    agent: Agent, colleague: Agent, words: Words
) -> None:
    title, newer = words("Gift cards"), words("Vouchers")
    colleague.opens(KNOWLEDGE)

    write_article(agent, title, "They never expire.")
    expect(article_row(colleague.page, title)).to_contain_text("They never expire.")

    open_article(agent, title)
    agent.page.get_by_label("Title").fill(newer)
    agent.page.get_by_label("Title").press("Control+s")
    expect(article_row(colleague.page, newer)).to_be_visible()
    expect(article_row(colleague.page, title)).to_have_count(0)


def test_a_deleted_article_can_be_brought_back(agent: Agent, words: Words) -> None:
    title = words("Parking")
    write_article(agent, title, "Behind the shop.")

    agent.page.get_by_role("button", name=f"Delete {title}").click()
    expect(article_row(agent.page, title)).to_have_count(0)
    agent.page.get_by_role("button", name="Undo").click()

    expect(article_row(agent.page, title)).to_contain_text("Behind the shop.")


@pytest.mark.parametrize("choice", ["Go on with mine", "Take theirs"])
def test_two_people_at_one_article_lose_nothing(
    choice: str, agent: Agent, colleague: Agent, words: Words
) -> None:
    title = words("Opening on Sundays")
    write_article(agent, title, "Closed.")
    colleague.opens(KNOWLEDGE)
    open_article(colleague, title)
    open_article(agent, title)
    agent.page.get_by_label("Text", exact=True).fill("From ten to two.")

    colleague.page.get_by_label("Text", exact=True).fill("From nine to noon.")
    colleague.page.get_by_role("button", name="Save").click()

    conflict = agent.page.get_by_role("alert")
    expect(conflict).to_contain_text("Somebody else saved this article")
    expect(agent.page.get_by_role("button", name="Save")).to_be_disabled()
    conflict.get_by_text("Their version").click()
    expect(conflict).to_contain_text("From nine to noon.")
    conflict.get_by_role("button", name=choice).click()
    if choice == "Take theirs":
        expect(agent.page.get_by_label("Text", exact=True)).to_have_value("From nine to noon.")
        expect(agent.page.get_by_role("button", name="Save")).to_be_disabled()
    else:
        agent.page.get_by_role("button", name="Save").click()
        expect(article_row(colleague.page, title)).to_contain_text("From ten to two.")


def test_an_article_that_somebody_deletes_under_the_pen_can_be_saved_as_a_new_one(
    agent: Agent, colleague: Agent, words: Words
) -> None:
    title = words("Assembly")
    write_article(agent, title, "Four screws.")
    colleague.opens(KNOWLEDGE)
    open_article(agent, title)
    agent.page.get_by_label("Text", exact=True).fill("Five screws.")

    colleague.page.get_by_role("button", name=f"Delete {title}").click()

    expect(agent.page.get_by_role("alert")).to_contain_text("Somebody else deleted this article")
    agent.page.get_by_role("button", name="Save as a new article").click()
    expect(article_row(agent.page, title)).to_contain_text("Five screws.")


def test_what_is_not_saved_is_there_after_a_reload(agent: Agent, words: Words) -> None:
    title, body = words("Batteries"), words("Two of size AA.")
    agent.page.on("dialog", lambda dialog: dialog.accept())
    agent.opens(f"{KNOWLEDGE}/new")
    agent.page.get_by_label("Title").fill(title)
    agent.page.get_by_label("Text", exact=True).fill(body)

    agent.page.reload()

    expect(agent.page.get_by_label("Title")).to_have_value(title)
    expect(agent.page.get_by_label("Text", exact=True)).to_have_value(body)
    agent.page.get_by_role("button", name="Discard changes").click()
    expect(agent.page.get_by_label("Title")).to_have_value("")


def test_what_is_wrong_is_said_at_its_field(agent: Agent) -> None:
    agent.opens(f"{KNOWLEDGE}/new")
    title, body = agent.page.get_by_label("Title"), agent.page.get_by_label("Text", exact=True)
    body.fill("x" * 20_001)
    expect(body).to_have_accessible_description(re.compile("At most 20,000 characters"))

    body.fill("short")
    agent.page.get_by_role("button", name="Save").click()

    expect(title).to_have_accessible_description(re.compile("Give it a title"))
    expect(title).to_have_attribute("aria-invalid", "true")
    agent.page.get_by_role("button", name="Discard changes").click()


def test_an_article_nobody_knows_says_so(agent: Agent) -> None:
    agent.opens(f"{KNOWLEDGE}/00000000-0000-4000-8000-000000000000")

    expect(agent.page.get_by_text("This article is gone")).to_be_visible()
    agent.page.get_by_role("button", name="All articles").click()
    expect(agent.page.get_by_role("heading", name="Knowledge")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 800}])
def test_the_screens_of_articles_are_accessible_and_fit(
    viewport: Any,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    screenshots: Path,
    axe: Axe,
) -> None:
    page = new_page(storage_state=signed_in, viewport=viewport, reduced_motion="reduce")
    agent = Agent(page, system)
    agent.opens(KNOWLEDGE)
    page.get_by_label("Question").fill("When will my parcel arrive?")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("list", name="Passages found")).to_be_visible()
    keep_pictures(page, screenshots, "knowledge")
    axe.finds_nothing(page)

    page.get_by_role("link", name="Returns").first.click()
    expect(page.get_by_label("Title")).not_to_have_value("")
    keep_pictures(page, screenshots, "article")
    axe.finds_nothing(page)
    page.get_by_role("button", name="Preview").click()
    keep_pictures(page, screenshots, "article-preview")
    axe.finds_nothing(page)
