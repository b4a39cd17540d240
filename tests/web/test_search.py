"""Finding a message by its words, going to it, and reading on from there in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from chassis.ids import new_id
from tests.web.accessibility import Axe
from tests.web.conftest import PHONE, NewPage
from tests.web.people import Agent, Customer
from tests.web.pictures import keep_each_width
from tests.web.system import System

Words = Callable[[str], str]
MESSAGES = 130
ALL_THERE_WITHIN_MILLIS = 60_000
INDEXED_WITHIN_TRIES = 60
BETWEEN_TRIES_MILLIS = 250


def box(page: Page) -> Locator:
    """Where one types what to look for."""
    return page.get_by_role("textbox", name="Search contacts and messages")


def found(page: Page) -> Locator:
    """The messages that were found."""
    return page.get_by_role("list", name="Messages found").get_by_role("link")


def searches(page: Page, words: str, hits: int) -> None:
    """Type these words until so many are found: what was just written is indexed a moment later."""
    for _ in range(INDEXED_WITHIN_TRIES):
        box(page).fill("")
        box(page).fill(words)
        expect(page.get_by_role("status").filter(has_text="Searching")).to_have_count(0)
        if found(page).count() == hits:
            return
        page.wait_for_timeout(BETWEEN_TRIES_MILLIS)
    expect(found(page)).to_have_count(hits)


@pytest.fixture(scope="module")
def conversation(browser: Browser, system: System, signed_in: Any) -> dict[str, str]:
    """A long conversation on the simulated platform, in which a word stands once, far up."""
    mark = new_id()[-8:]
    customer = f"c{mark}"
    for number in range(MESSAGES):
        needle = f"the périwinkle lamp {mark}" if number == 30 else "and more " * (number % 9)
        system.phone_writes(customer, f"number {number:03} {needle}")
    context = browser.new_context(storage_state=signed_in)
    agent = Agent(context.new_page(), system)
    agent.opens()
    newest = agent.row(customer.capitalize()).filter(has_text=f"number {MESSAGES - 1:03}")
    expect(newest).to_be_visible(timeout=ALL_THERE_WITHIN_MILLIS)
    context.close()
    return {"name": customer.capitalize(), "mark": mark}


def test_a_message_is_found_while_typing_and_a_click_goes_to_it_and_on_in_both_directions(
    agent: Agent, conversation: dict[str, str]
) -> None:
    page = agent.page
    searches(page, f"PERIWINKLE lam {conversation['mark']}", hits=1)
    group = page.get_by_role("list", name="Messages found")
    expect(group).to_contain_text(conversation["name"])
    expect(group.locator("mark")).to_have_text(["périwinkle", "lamp", conversation["mark"]])

    found(page).click()

    needle = agent.bubble("number 030")
    expect(needle).to_be_in_viewport()
    expect(page.locator("[data-marked]")).to_contain_text("number 030")
    expect(page).to_have_url(re.compile(r"/c/.+\?at=31$"))
    expect(page.locator("[data-marked]")).to_have_count(0)
    expect(agent.bubble(f"number {MESSAGES - 1:03}")).to_have_count(0)

    agent.history.evaluate("log => log.scrollTop = 0")
    expect(agent.bubble("number 000")).to_have_count(1)
    for number in range(60, MESSAGES, 10):
        last = agent.history.get_by_role("article").last
        last.evaluate("bubble => bubble.scrollIntoView({block: 'end'})")
        expect(agent.bubble(f"number {number:03}")).to_have_count(1)
    texts = agent.history.get_by_role("article").all_inner_texts()
    numbers = [int(text.split()[1]) for text in texts]
    assert numbers == list(range(len(numbers)))


def test_the_way_back_to_the_newest_counts_what_came_and_follows_the_line_again(
    agent: Agent, system: System, conversation: dict[str, str]
) -> None:
    page = agent.page
    searches(page, conversation["mark"], hits=1)
    found(page).click()
    expect(agent.bubble("number 030")).to_be_in_viewport()
    latest, last = (f"{word} {new_id()[-6:]}" for word in ("Meanwhile", "Afterwards"))

    system.phone_writes(conversation["name"].lower(), latest)
    newest = page.get_by_role("button", name="1 new. Go to the newest message")
    expect(newest).to_be_visible()
    expect(agent.bubble("number 030")).to_be_in_viewport()
    newest.click()

    expect(agent.bubble(latest)).to_be_in_viewport()
    expect(agent.bubble("number 030")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/c/[^?]+$"))
    system.phone_writes(conversation["name"].lower(), last)
    expect(agent.bubble(last)).to_be_in_viewport()


def test_the_whole_way_by_keyboard(agent: Agent, conversation: dict[str, str]) -> None:
    page, keyboard = agent.page, agent.page.keyboard
    searches(page, conversation["mark"], hits=1)
    box(page).press("Escape")
    expect(box(page)).to_have_value("")
    expect(box(page)).not_to_be_focused()
    expect(agent.rows.first).to_be_visible()

    keyboard.press("/")
    expect(box(page)).to_be_focused()
    keyboard.type(conversation["mark"])
    expect(found(page)).to_have_count(1)
    keyboard.press("ArrowDown")
    expect(found(page)).to_be_focused()
    keyboard.press("ArrowUp")
    expect(box(page)).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")

    expect(agent.bubble("number 030")).to_be_in_viewport()
    expect(agent.bubble("number 030").locator(":focus")).to_have_count(1)
    keyboard.press("/")
    expect(box(page)).to_be_focused()
    keyboard.press("Escape")
    agent.field.click()
    keyboard.press("/")
    expect(agent.field).to_have_value("/")
    agent.field.fill("")


def test_an_address_with_a_place_opens_there_and_the_same_hit_can_be_gone_to_again(
    agent: Agent, conversation: dict[str, str]
) -> None:
    page = agent.page
    searches(page, conversation["mark"], hits=1)
    found(page).click()
    expect(agent.bubble("number 030")).to_be_in_viewport()

    page.reload()
    expect(agent.bubble("number 030")).to_be_in_viewport()
    searches(page, conversation["mark"], hits=1)
    agent.history.evaluate("log => log.scrollTop = 0")
    expect(agent.bubble("number 030")).not_to_be_in_viewport()
    found(page).click()
    expect(agent.bubble("number 030")).to_be_in_viewport()


def test_only_the_answer_to_what_stands_in_the_box_is_shown(
    agent: Agent, customer: Customer, words: Words
) -> None:
    page, question = agent.page, words("Gooseberry jam")
    customer.writes(question)
    expect(agent.row(question)).to_be_visible()
    searches(page, question, hits=1)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/SearchMessages", hold_the_first)
    with page.expect_request("**/SearchMessages"):
        box(page).fill("gooseberry")
    box(page).fill("nobodyeverwrotethis")

    expect(page.get_by_text("Nothing found")).to_be_visible()
    held.pop().abort()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    expect(page.get_by_text("The search did not work")).to_have_count(0)


def test_a_search_that_fails_says_so_and_can_be_tried_again(
    agent: Agent, customer: Customer, words: Words
) -> None:
    page, question = agent.page, words("Elderflower syrup")
    customer.writes(question)
    expect(agent.row(question)).to_be_visible()
    searches(page, question, hits=1)
    page.route("**/SearchMessages", lambda route: route.abort())
    box(page).fill(f"syrup {question.split()[-1]}")
    expect(page.get_by_role("alert")).to_contain_text("The search did not work")

    page.unroute("**/SearchMessages")
    page.get_by_role("button", name="Try again").click()

    expect(found(page)).to_have_count(1)
    box(page).fill("?!")
    expect(page.get_by_role("alert")).to_contain_text("Type a word")


def test_contacts_are_found_by_name_above_the_messages_and_open_their_newest_conversation(
    agent: Agent, system: System
) -> None:
    page, mark = agent.page, new_id()[-8:]
    name, said = f"Ze{mark}", f"About the {mark} kettle"
    system.phone_writes(name.lower(), said)
    expect(agent.row(said)).to_be_visible()
    contacts = page.get_by_role("list", name="Contacts found")

    searches(page, f"ZÉ{mark[:6]}", hits=0)
    expect(contacts.get_by_role("link")).to_have_count(1)
    expect(contacts.locator("mark")).to_have_text(name[:8])
    expect(contacts).to_contain_text("Simulator")
    expect(page.get_by_text("1 contact", exact=True)).to_be_visible()
    expect(page.get_by_text("No message has all of these words")).to_be_visible()
    box(page).press("ArrowDown")
    expect(contacts.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")

    expect(agent.bubble(said)).to_be_visible()
    expect(contacts.locator("a[aria-current]")).to_have_count(1)
    page.route("**/SearchContacts", lambda route: route.abort())
    searches(page, mark, hits=1)
    expect(page.get_by_role("alert")).to_contain_text("Contacts: Inbox cannot be reached")
    page.unroute("**/SearchContacts")
    page.get_by_role("button", name="Search contacts again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_more_pages_are_shown_on_demand_grouped_by_conversation(
    agent: Agent, system: System
) -> None:
    page, mark = agent.page, new_id()[-8:]
    for customer in (f"a{mark}", f"b{mark}"):
        for _ in range(12):
            system.phone_writes(customer, f"{mark} quince")
        system.phone_writes(customer, f"{mark} quince finally")
    searches(page, f"{mark} finally", hits=2)

    searches(page, f"{mark} quince", hits=20)
    page.get_by_role("button", name="Show more").click()

    expect(found(page)).to_have_count(26)
    expect(page.get_by_role("list", name=re.compile("^Found with"))).to_have_count(2)
    expect(page.get_by_text("26 messages")).to_be_visible()
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_on_a_phone_back_returns_to_what_was_found(
    new_page: NewPage, system: System, signed_in: Any, conversation: dict[str, str]
) -> None:
    page = new_page(storage_state=signed_in, viewport=PHONE, has_touch=True, is_mobile=True)
    agent = Agent(page, system)
    agent.opens()
    searches(page, conversation["mark"], hits=1)

    found(page).tap()
    expect(agent.bubble("number 030")).to_be_in_viewport()
    expect(box(page)).to_be_hidden()
    page.get_by_role("button", name="Back to the list").tap()

    expect(found(page)).to_have_count(1)
    page.get_by_role("button", name="Clear the search").tap()
    expect(agent.rows.first).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_every_state_of_the_search_fits_and_is_accessible(
    width: int,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    conversation: dict[str, str],
    screenshots: Path,
    axe: Axe,
) -> None:
    page = new_page(
        storage_state=signed_in,
        viewport={"width": width, "height": 844},
        reduced_motion="reduce",
    )
    agent = Agent(page, system)
    agent.opens()
    for name, query, sign in (
        ("idle", "", "Priority"),
        ("results", conversation["mark"], "1 message"),
        ("contacts", conversation["name"], "1 contact"),
        ("many", "number more", "The best"),
        ("none", "nobodyeverwrotethis", "Nothing found"),
        ("signs", "?!", "Type a word"),
    ):
        box(page).fill(query)
        expect(page.get_by_text(sign).first).to_be_visible()
        keep_each_width(page, screenshots, f"search-{name}")
        axe.finds_nothing(page)
    box(page).fill(conversation["mark"])
    found(page).first.click()
    expect(page.locator("[data-marked]")).to_be_visible()
    keep_each_width(page, screenshots, "search-place")
    axe.finds_nothing(page)
