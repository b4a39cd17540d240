"""The contact's panel, as browser tests find their way in it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.web.people import Agent


def panel(page: Page) -> Locator:
    """The contact's panel: beside the conversation, or over it."""
    return page.get_by_role("complementary", name="Contact").or_(
        page.get_by_role("dialog", name="Contact")
    )


def section(page: Page, name: str) -> Locator:
    """A part of the panel."""
    return panel(page).get_by_role("region", name=name, exact=True)


def opens_panel(agent: Agent, question: str) -> None:
    """Open the conversation with these words, and the contact's panel."""
    agent.opens_conversation(question)
    agent.page.get_by_role("button", name="View contact").click()
    expect(section(agent.page, "Profile")).to_be_visible()
