"""Folders with exact counters, filters that combine, the star, tags, and what is unread again."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.web.people import Agent, Customer

Words = Callable[[str], str]


def chip(page: Page, name: str) -> Locator:
    """A filter of the list."""
    filters = page.get_by_role("group", name="Filters")
    return filters.get_by_role("button", name=re.compile(rf"^{re.escape(name)}"))


def count_in(folder: Locator) -> int:
    """The number a folder shows."""
    return int(re.sub(r"\D", "", folder.inner_text()))


def moves(agent: Agent, folder: str) -> None:
    """Choose a folder in the header's menu."""
    agent.page.get_by_role("button", name="More actions").click()
    agent.page.get_by_role("menuitem", name=f"Move to {folder}").click()


def creates_tag(agent: Agent, name: str, color: str) -> None:
    """A new tag, which the open conversation gets."""
    agent.page.get_by_role("button", name="Tag", exact=True).click()
    agent.page.get_by_role("menuitem", name="New tag").click()
    agent.page.get_by_label("Name").fill(name)
    agent.page.get_by_label(color).check(force=True)
    agent.page.get_by_role("button", name="Add", exact=True).click()
    expect(agent.page.get_by_role("list", name="Tags")).to_contain_text(name)


def test_each_folder_counts_exactly_and_live(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Win a prize now!")
    customer.writes(question)
    agent.opens_conversation(question)
    was_open, was_spam = count_in(agent.folder("Open")), count_in(agent.folder("Spam"))

    moves(agent, "Spam")

    expect(agent.folder("Open")).to_contain_text(str(was_open - 1))
    expect(agent.folder("Spam")).to_contain_text(str(was_spam + 1))
    agent.folder("Spam").click()
    expect(agent.row(question)).to_be_visible()
    expect(agent.page).to_have_url(re.compile(r"folder=spam"))


def test_a_move_can_be_undone_and_a_spammer_does_not_come_back(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, more = words("Cheap watches"), words("Cheaper watches")
    customer.writes(question)
    agent.opens_conversation(question)

    moves(agent, "Archived")
    expect(agent.row(question)).to_have_count(0)
    agent.page.get_by_role("button", name="Undo").click()
    expect(agent.row(question)).to_be_visible()

    moves(agent, "Spam")
    expect(agent.row(question)).to_have_count(0)
    customer.writes(more)
    expect(agent.bubble(more)).to_be_visible()
    expect(agent.row(more)).to_have_count(0)
    agent.folder("Spam").click()
    expect(agent.row(more)).to_be_visible()


def test_the_star_shows_in_the_row_filters_the_list_and_survives_a_reload(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("It is urgent")
    customer.writes(question)
    agent.opens_conversation(question)
    star = agent.pane.get_by_role("button", name="Priority")
    expect(star).to_have_attribute("aria-pressed", "false")

    star.click()

    expect(star).to_have_attribute("aria-pressed", "true")
    expect(agent.row(question).get_by_title("Priority")).to_be_visible()
    chip(agent.page, "Priority").click()
    expect(agent.row(question)).to_be_visible()
    agent.page.reload()
    expect(chip(agent.page, "Priority")).to_have_attribute("aria-pressed", "true")
    expect(star).to_have_attribute("aria-pressed", "true")
    star.click()
    expect(agent.row(question)).to_have_count(0)


def test_a_star_that_is_refused_goes_out_again(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Not that urgent")
    customer.writes(question)
    agent.opens_conversation(question)
    star = agent.pane.get_by_role("button", name="Priority")
    agent.page.route("**/TagConversation", lambda route: route.abort())

    star.click()

    expect(agent.page.get_by_text("The tag could not be changed. Try again.")).to_be_visible()
    expect(star).to_have_attribute("aria-pressed", "false")


def test_a_colleague_sees_a_new_tag_and_its_filter_by_themselves(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    question, name = words("A large order"), words("VIP")
    customer.writes(question)
    agent.opens_conversation(question)

    creates_tag(agent, name, "Purple")

    chip(colleague.page, name).click()
    expect(colleague.row(question)).to_be_visible()
    expect(colleague.rows).to_have_count(1)
    agent.page.get_by_role("button", name="Tag", exact=True).click()
    agent.page.get_by_role("menuitemcheckbox", name=name).click()
    expect(agent.page.get_by_role("list", name="Tags")).to_have_count(0)
    expect(colleague.rows).to_have_count(0)


def test_filters_combine_and_are_in_the_address(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, more, name = words("Where is it?"), words("And now?"), words("Refund")
    customer.writes(question)
    agent.opens_conversation(question)
    creates_tag(agent, name, "Teal")
    chip(agent.page, name).click()
    chip(agent.page, "Unread").click()
    expect(agent.page.get_by_text("None here")).to_be_visible()
    expect(agent.page).to_have_url(re.compile(r"unread=1&tag=refund"))

    agent.opens(agent.page.evaluate("'/' + location.search"))
    customer.writes(more)
    expect(agent.row(more)).to_be_visible()
    expect(agent.rows).to_have_count(1)

    agent.page.get_by_role("button", name="Clear", exact=True).click()
    expect(chip(agent.page, name)).to_have_attribute("aria-pressed", "false")
    expect(agent.row(more)).to_be_visible()


def test_a_tag_that_is_not_there_shows_nothing_and_can_be_cleared(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Still here")
    customer.writes(question)
    expect(agent.row(question)).to_be_visible()

    agent.opens("/?tag=nobody-has-it")

    expect(agent.page.get_by_text("None here")).to_be_visible()
    agent.page.get_by_role("button", name="Clear filters").click()
    expect(agent.row(question)).to_be_visible()


def test_what_is_marked_unread_stays_so_until_somebody_looks_again(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Later, please")
    customer.writes(question)
    agent.opens_conversation(question)
    badge = agent.row(question).get_by_test_id("unread")
    expect(badge).to_have_count(0)

    agent.page.get_by_role("button", name="More actions").click()
    agent.page.get_by_role("menuitem", name="Mark as unread").click()

    expect(badge).to_contain_text("1")
    expect(agent.page.get_by_text("No conversation selected")).to_be_visible()
    agent.page.reload()
    expect(badge).to_contain_text("1")
    agent.row(question).click()
    expect(badge).to_have_count(0)
