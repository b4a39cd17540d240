"""Two contacts become one; and what a customer may ask for: all that is kept, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chassis.ids import new_id
from tests.web.accessibility import Axe
from tests.web.conftest import NewPage
from tests.web.joining import join
from tests.web.panel import opens_panel, panel, section
from tests.web.people import Agent, Customer
from tests.web.pictures import keep_each_width
from tests.web.system import System

Words = Callable[[str], str]
ERASED_MILLIS = 30_000
"""Several services take their turn, each of which waits until it has heard of all that was said."""


def names(page: Page, name: str, email: str = "") -> None:
    """Call the contact so."""
    profile = section(page, "Profile")
    profile.get_by_role("button", name="Edit").click()
    profile.get_by_label("Name").fill(name)
    profile.get_by_label("E-mail address").fill(email)
    profile.get_by_role("button", name="Save").click()
    expect(profile.get_by_label("Name")).to_have_count(0)


def dialog(page: Page, name: str) -> Locator:
    """The question on screen."""
    return page.get_by_role("dialog", name=name)


def finds_other(page: Page, name: str) -> Locator:
    """From the panel to the preview of merging with the one contact of this name."""
    section(page, "Identities").get_by_role("button", name="Merge").click()
    merging = dialog(page, "Merge with another contact")
    expect(merging.get_by_label("Name of the other contact")).to_be_focused()
    page.keyboard.type(name)
    merging.get_by_role("list", name="Contacts found").get_by_role("button", name=name).click()
    expect(merging.get_by_text("What will be kept")).to_be_visible()
    return merging


def test_two_contacts_become_one_as_the_preview_said_and_colleagues_see_it_by_themselves(
    agent: Agent, colleague: Agent, customer: Customer, system: System, words: Words
) -> None:
    page, mark = agent.page, new_id()[-8:]
    question, elsewhere, name = words("One of two"), words("The same"), f"Inés {mark}"
    customer.writes(question)
    system.phone_writes(f"twin{mark}", elsewhere)
    opens_panel(agent, question)
    opens_panel(colleague, question)
    names(page, name, "ines@example.com")

    merging = finds_other(page, f"Twin{mark}")
    kept = merging.get_by_role("region", name="What will be kept")
    expect(kept).to_contain_text(f"{name}Dropped: Twin{mark}")
    expect(kept).to_contain_text("ines@example.com")
    expect(kept).to_contain_text(f"· twin{mark}")
    merging.get_by_role("radio", name=f"Twin{mark}").check()
    expect(kept).to_contain_text(f"Twin{mark}Dropped: {name}")
    merging.get_by_role("radio", name=name).check()
    merging.get_by_role("button", name="Merge for good").click()

    expect(merging).to_have_count(0)
    for one in (agent, colleague):
        expect(section(one.page, "Identities").get_by_role("listitem")).to_have_count(2)
        expect(section(one.page, "All conversations")).to_contain_text(elsewhere)
        expect(one.row(elsewhere)).to_contain_text(name)


def test_whoever_was_changed_meanwhile_is_looked_at_again_before_merging(
    agent: Agent, colleague: Agent, customer: Customer, system: System, words: Words
) -> None:
    mark = new_id()[-8:]
    question, elsewhere = words("Slow to decide"), words("Quick to change")
    customer.writes(question)
    system.phone_writes(f"quick{mark}", elsewhere)
    opens_panel(agent, question)
    merging = finds_other(agent.page, f"Quick{mark}")
    opens_panel(colleague, elsewhere)
    names(colleague.page, f"Quick{mark}", "quick@example.com")

    merging.get_by_role("button", name="Merge for good").click()

    expect(merging.get_by_role("alert")).to_contain_text("Somebody else changed this meanwhile")
    expect(merging).to_contain_text("quick@example.com")
    merging.get_by_role("button", name="Merge for good").click()
    expect(merging).to_have_count(0)


def test_all_that_is_kept_of_a_contact_is_downloaded_as_one_json_file(
    agent: Agent, customer: Customer, words: Words
) -> None:
    question = words("What do you know of me?")
    customer.writes(question)
    opens_panel(agent, question)
    names(agent.page, words("Ada Lovelace"), "ada@example.com")

    with agent.page.expect_download() as downloading:
        section(agent.page, "Privacy").get_by_role("button", name="Export as JSON").click()

    download = downloading.value
    assert download.suggested_filename.startswith("contact-ada-lovelace-")
    records = json.loads(Path(download.path()).read_text())
    assert records[0]["contact"]["displayName"] == words("Ada Lovelace")
    assert records[1]["profile"]["email"] == "ada@example.com"
    assert question in [record["message"].get("text") for record in records if "message" in record]


def test_an_erased_contact_is_gone_from_every_open_tab_and_each_says_so(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    page, question, name = agent.page, words("Forget me"), words("Eva")
    customer.writes(question)
    opens_panel(agent, question)
    opens_panel(colleague, question)
    names(page, name)
    section(page, "Privacy").get_by_role("button", name="Erase…").click()
    erasing = dialog(page, "Erase this contact")
    erase = erasing.get_by_role("button", name="Erase for good")
    expect(erase).to_be_disabled()
    erasing.get_by_label("to confirm").fill(name[:-1])
    expect(erase).to_be_disabled()

    erasing.get_by_label("to confirm").fill(name)
    erase.click()

    expect(panel(page)).to_contain_text("This contact was erased", timeout=ERASED_MILLIS)
    expect(panel(page).get_by_role("listitem").filter(has_text="done")).to_have_count(4)
    for one in (agent, colleague):
        expect(panel(one.page)).to_contain_text("This contact was erased")
        expect(one.pane).to_contain_text("This conversation was erased")
        expect(one.row(name)).to_have_count(0)
        expect(one.page.get_by_text(question)).to_have_count(0)
    colleague.page.get_by_role("button", name="Back to the list").last.click()
    expect(colleague.pane).to_contain_text("No conversation selected")
    expect(panel(colleague.page)).to_have_count(0)


def test_a_conversation_that_was_erased_while_the_line_was_down_keeps_nothing_from_loading(
    agent: Agent, colleague: Agent, customer: Customer, words: Words
) -> None:
    question = words("Gone meanwhile")
    customer.writes(question)
    opens_panel(agent, question)
    colleague.opens_conversation(question)
    colleague.page.context.set_offline(offline=True)
    section(agent.page, "Privacy").get_by_role("button", name="Erase…").click()
    erasing = dialog(agent.page, "Erase this contact")
    erasing.get_by_label("to confirm").fill("erase")
    erasing.get_by_role("button", name="Erase for good").click()
    expect(panel(agent.page)).to_contain_text("This contact was erased", timeout=ERASED_MILLIS)

    colleague.page.context.set_offline(offline=False)

    expect(colleague.pane).to_contain_text("This conversation was erased")


def test_an_agent_merges_but_only_owners_export_and_erase_and_a_reader_does_neither(
    agent: Agent, customer: Customer, new_page: NewPage, system: System, words: Words
) -> None:
    question = words("May they?")
    customer.writes(question)
    for role, merges in (("Agent", 1), ("Read-only", 0)):
        member = join(agent, new_page, system, role=role, name=words("Noa"))

        opens_panel(member, question)

        privacy = section(member.page, "Privacy")
        expect(privacy).to_contain_text("only owners export everything that is kept")
        expect(privacy.get_by_role("button")).to_have_count(0)
        merge = section(member.page, "Identities").get_by_role("button", name="Merge")
        expect(merge).to_have_count(merges)


@pytest.mark.parametrize("width", [320, 1280])
def test_merging_exporting_and_erasing_fit_and_are_accessible(
    width: int,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    customer: Customer,
    words: Words,
    screenshots: Path,
    axe: Axe,
) -> None:
    mark = new_id()[-8:]
    question, other = words("How does it look?"), f"Maximiliane-Hohenstein-{mark}"
    customer.writes(question)
    system.phone_writes(other, words("And I"))
    page = new_page(
        storage_state=signed_in, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    agent = Agent(page, system)
    agent.opens()
    opens_panel(agent, question)
    names(page, "Maximiliane von und zu Hohenstein-Langenburg", "max@example.com")
    section(page, "Privacy").scroll_into_view_if_needed()
    take(page, screenshots, axe, "privacy-section")
    merging = finds_other(page, other.capitalize())
    take(page, screenshots, axe, "merge-preview")
    merging.get_by_role("button", name="Choose another").click()
    merging.get_by_label("Name of the other contact").fill("Max")
    expect(
        merging.get_by_role("list", name="Contacts found").get_by_role("button")
    ).not_to_have_count(0)
    take(page, screenshots, axe, "merge-find")
    page.keyboard.press("Escape")
    section(page, "Privacy").get_by_role("button", name="Erase…").click()
    erasing = dialog(page, "Erase this contact")
    erasing.get_by_label("to confirm").fill("Maximiliane von und zu Hohenstein-Langenburg")
    take(page, screenshots, axe, "erase-question")
    erasing.get_by_role("button", name="Erase for good").click()
    expect(panel(page)).to_contain_text("This contact was erased", timeout=ERASED_MILLIS)
    take(page, screenshots, axe, "erase-done")


def take(page: Page, folder: Path, axe: Axe, name: str) -> None:
    """Pictures, and nothing for axe to find."""
    keep_each_width(page, folder, name)
    axe.finds_nothing(page)
