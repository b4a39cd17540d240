"""What is known of a contact: shown beside the conversation, written by people, live for all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import Axe
from tests.web.conftest import PHONE, NewPage
from tests.web.panel import opens_panel, panel, section
from tests.web.people import Agent, Customer
from tests.web.pictures import keep_each_width
from tests.web.system import System

Words = Callable[[str], str]


def test_a_profile_is_edited_and_colleagues_see_it_by_themselves(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    question, name = words("Who am I?"), words("Ada")
    customer.writes(question)
    opens_panel(agent, question)
    opens_panel(colleague, question)
    profile = section(agent.page, "Profile")
    expect(profile).to_contain_text("No e-mail address")

    profile.get_by_role("button", name="Edit").click()
    profile.get_by_label("Name").fill(name)
    profile.get_by_label("E-mail address").fill("ada@example.com")
    profile.get_by_label("Phone number").fill("+54 11 5555 0101")
    profile.get_by_label("Language").fill("es-AR")
    profile.get_by_role("button", name="Save").click()

    for page in (agent.page, colleague.page):
        expect(section(page, "Profile").get_by_role("link", name="ada@example.com")).to_be_visible()
        expect(section(page, "Profile")).to_contain_text("+541155550101")
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(colleague.row(name)).to_be_visible()


def test_whoever_is_slower_is_told_and_loses_nothing(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    question = words("Two at once?")
    customer.writes(question)
    opens_panel(agent, question)
    opens_panel(colleague, question)
    mine, theirs = section(agent.page, "Profile"), section(colleague.page, "Profile")
    mine.get_by_role("button", name="Edit").click()
    mine.get_by_label("Name").fill(words("Mine"))
    theirs.get_by_role("button", name="Edit").click()
    theirs.get_by_label("Name").fill(words("Theirs"))
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_label("Name")).to_have_count(0)

    mine.get_by_role("button", name="Save").click()

    expect(mine.get_by_role("alert")).to_contain_text("Somebody else changed this meanwhile")
    expect(mine.get_by_label("Name")).to_have_value(words("Mine"))
    expect(agent.page.get_by_role("heading", name=words("Theirs"))).to_be_visible()


def test_a_field_that_is_refused_says_what_is_wrong_with_it(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Wrong address?")
    customer.writes(question)
    opens_panel(agent, question)
    profile = section(agent.page, "Profile")
    profile.get_by_role("button", name="Edit").click()
    profile.get_by_label("Phone number").fill("12")
    profile.get_by_role("button", name="Save").click()

    expect(profile.get_by_label("Phone number")).to_have_attribute("aria-invalid", "true")
    profile.get_by_role("button", name="Cancel").click()
    expect(profile.get_by_role("button", name="Edit")).to_be_visible()


def test_notes_are_written_changed_and_deleted_with_a_way_back_live(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    question, body, changed = words("Notes?"), words("Likes tea"), words("Likes green tea")
    customer.writes(question)
    opens_panel(agent, question)
    opens_panel(colleague, question)
    mine, theirs = section(agent.page, "Notes"), section(colleague.page, "Notes")

    mine.get_by_label("New note").fill(body)
    mine.get_by_role("button", name="Add note").click()
    expect(theirs.get_by_role("article")).to_contain_text(body)
    expect(mine.get_by_role("article")).to_contain_text("You · ")
    expect(mine.get_by_label("New note")).to_have_value("")

    mine.get_by_role("button", name="Edit").click()
    mine.get_by_label("Note", exact=True).fill(changed)
    mine.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("article")).to_contain_text(changed)
    expect(theirs.get_by_role("article")).to_contain_text("edited")

    mine.get_by_role("button", name="Delete").click()
    mine.get_by_role("button", name="Undo").click()
    expect(mine.get_by_role("article")).to_contain_text(changed)
    mine.get_by_role("button", name="Delete").click()
    expect(mine.get_by_role("status")).to_contain_text("Note deleted")
    expect(theirs.get_by_role("article")).to_have_count(0)
    expect(mine).to_contain_text("No notes yet")
    expect(customer.history).not_to_contain_text("tea")


def test_labels_details_and_consent_are_kept_and_there_after_a_reload(
    agent: Agent, customer: Customer, words: Words
) -> None:
    page, question, label = agent.page, words("Remember me?"), words("Wholesale")
    customer.writes(question)
    agent.opens_conversation(question)
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_role("menuitem", name="New tag").click()
    page.get_by_label("Name").fill(label)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("list", name="Tags")).to_contain_text(label)
    page.get_by_role("button", name="View contact").click()

    section(page, "Labels").get_by_role("button", name="Label").click()
    page.get_by_role("menuitemcheckbox", name=label).click()
    page.keyboard.press("Escape")
    details = section(page, "Details")
    details.get_by_role("button", name="Add detail").click()
    details.get_by_label("What it is").fill("Order number")
    details.get_by_label("Value").fill("4711")
    details.get_by_role("button", name="Save").click()
    expect(details.get_by_label("Value")).to_have_count(0)
    consent = section(page, "Consent")
    consent.get_by_role("button", name="Record consent").click()
    consent.get_by_label("Purpose").fill("marketing")
    consent.get_by_label("How it is known").fill("Said so on the phone")
    consent.get_by_role("button", name="Save").click()
    expect(consent.get_by_label("Purpose")).to_have_count(0)

    page.reload()
    page.get_by_role("button", name="View contact").click()

    expect(section(page, "Labels")).to_contain_text(label)
    expect(section(page, "Details")).to_contain_text(re.compile(r"Order number[^¶]*4711[^¶]*You"))
    expect(section(page, "Consent")).to_contain_text("marketing on all channels")
    expect(section(page, "Consent")).to_contain_text("Agreed")
    details.get_by_role("button", name="Edit Order number").click()
    details.get_by_role("button", name="Delete").click()
    expect(details).not_to_contain_text("4711")


def test_identities_and_conversations_are_listed_and_follow_the_line(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question, more = words("Earlier?"), words("And later")
    customer.writes(question)
    opens_panel(agent, question)

    expect(section(agent.page, "Identities").get_by_role("listitem")).to_have_count(1)
    conversations = section(agent.page, "All conversations").get_by_role("link")
    expect(conversations).to_have_count(1)
    expect(conversations).to_contain_text("Open here")
    customer.writes(more)
    expect(conversations).to_contain_text(more)


def test_on_a_phone_the_panel_lies_over_the_conversation_and_closes_again(
    new_page: NewPage, system: System, signed_in: Any, customer: Customer, words: Words
) -> None:
    question = words("Small screen?")
    customer.writes(question)
    page = new_page(storage_state=signed_in, viewport=PHONE, has_touch=True, is_mobile=True)
    agent = Agent(page, system)
    agent.opens()

    opens_panel(agent, question)
    expect(page.get_by_role("dialog", name="Contact")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    page.get_by_role("button", name="View contact").tap()
    page.get_by_role("button", name="Close contact").tap()
    expect(panel(page)).to_have_count(0)
    expect(agent.bubble(question)).to_be_visible()


def test_a_panel_that_cannot_be_loaded_says_so_and_tries_again(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("Hard to reach?")
    customer.writes(question)
    agent.opens_conversation(question)
    agent.page.route("**/GetContact", lambda route: route.abort())
    agent.page.get_by_role("button", name="View contact").click()
    expect(panel(agent.page)).to_contain_text("The contact could not be loaded")

    agent.page.unroute("**/GetContact")
    panel(agent.page).get_by_role("button", name="Try again").click()
    expect(section(agent.page, "Profile")).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_every_part_of_the_panel_fits_and_is_accessible(
    width: int,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    customer: Customer,
    words: Words,
    screenshots: Path,
    axe: Axe,
) -> None:
    question = words("How does it look?")
    customer.writes(question)
    page = new_page(
        storage_state=signed_in, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    agent = Agent(page, system)
    agent.opens()
    opens_panel(agent, question)
    profile, notes = section(page, "Profile"), section(page, "Notes")
    keep_each_width(page, screenshots, "contact-new")
    axe.finds_nothing(page)
    profile.get_by_role("button", name="Edit").click()
    profile.get_by_label("Name").fill("Maximiliane von und zu Hohenstein-Langenburg")
    profile.get_by_label("E-mail address").fill("maximiliane.hohenstein-langenburg@example.com")
    keep_each_width(page, screenshots, "contact-edit")
    axe.finds_nothing(page)
    profile.get_by_role("button", name="Save").click()
    expect(profile.get_by_label("Name")).to_have_count(0)
    for body in ("Prefers to be called in the morning.\n\nNever on Fridays.", "Pays by invoice."):
        notes.get_by_label("New note").fill(body)
        notes.get_by_role("button", name="Add note").click()
        expect(notes.get_by_role("article").first).to_contain_text(body[:10])
    for name, value in (("Order number", "4711"), ("Delivery address", "12 Long Lane, " * 6)):
        section(page, "Details").get_by_role("button", name="Add detail").click()
        section(page, "Details").get_by_label("What it is").fill(name)
        section(page, "Details").get_by_label("Value").fill(value)
        section(page, "Details").get_by_role("button", name="Save").click()
        expect(section(page, "Details").get_by_label("Value")).to_have_count(0)
    consent = section(page, "Consent")
    consent.get_by_role("button", name="Record consent").click()
    consent.get_by_label("Purpose").fill("marketing")
    consent.get_by_label("What they said").select_option(label="They do not agree")
    consent.get_by_label("How it is known").fill("Form on the website")
    keep_each_width(page, screenshots, "contact-consent", consent)
    axe.finds_nothing(page)
    consent.get_by_role("button", name="Save").click()
    expect(consent).to_contain_text("Withdrawn")
    keep_each_width(page, screenshots, "contact-full", profile)
    keep_each_width(page, screenshots, "contact-end", section(page, "All conversations"))
    axe.finds_nothing(page)
