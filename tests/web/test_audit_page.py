"""The audit on screen: who changed what, filters, details, chains; owners only."""

from __future__ import annotations

from collections.abc import Callable
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
AUDIT = "/settings/audit"

FORGE_WHAT_WAS_SEEN = """() => {
  const key = Object.keys(localStorage).find((name) => /audit-anchor.*identity/.test(name));
  const kept = JSON.parse(localStorage.getItem(key));
  kept.anchor.hash = btoa("x".repeat(32));
  localStorage.setItem(key, JSON.stringify(kept));
}"""


def entry(page: Page, command: str) -> Locator:
    """The newest entry of a command."""
    table = page.get_by_role("table", name="Entries, newest first")
    return table.get_by_role("button", name=command).first


def write_article(agent: Agent, title: str) -> None:
    """Something that the audit tells of."""
    agent.opens("/settings/knowledge/new")
    agent.page.get_by_label("Title").fill(title)
    agent.page.get_by_role("button", name="Save").click()
    expect(agent.page.get_by_text("Article added")).to_be_visible()


def test_a_change_is_told_with_its_author_its_contents_and_its_place_in_a_verified_chain(
    agent: Agent, words: Words
) -> None:
    title = words("Warranty")
    write_article(agent, title)
    agent.opens(AUDIT)

    entry(agent.page, "Create article").click()

    row = agent.page.get_by_role("row", expanded=None).filter(has_text="Create article").first
    expect(row).to_contain_text("Ana")
    expect(row).to_contain_text("Article")
    expect(agent.page.get_by_text(title)).to_be_visible()
    chains = agent.page.get_by_role("listitem").filter(has_text="Verified")
    expect(chains).to_have_count(5)
    expect(agent.page.get_by_text("Every chain is as it was written")).to_be_visible()
    agent.page.get_by_role("button", name="Refresh").click()
    agent.page.reload()
    entry(agent.page, "Create article").click()
    expect(agent.page.get_by_text("of its chain, verified")).to_be_visible()


def test_filters_narrow_the_list_and_one_thing_has_a_history(agent: Agent, words: Words) -> None:
    title = words("Sizes")
    write_article(agent, title)
    agent.page.get_by_role("button", name=f"Delete {title}").click()
    agent.opens(AUDIT)

    agent.page.get_by_label("About").select_option("The AI")
    entry(agent.page, "Delete article").click()
    agent.page.get_by_role("button", name="Only this article").click()

    rows = agent.page.get_by_role("table").get_by_role("button", expanded=False)
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Delete article")
    expect(rows.nth(1)).to_contain_text("Create article")
    agent.page.get_by_role("button", name="Only", exact=False).first.click()
    expect(rows).not_to_have_count(2)
    agent.page.get_by_label("About").select_option("Files")
    agent.page.get_by_label("Since").select_option("The last 24 hours")
    expect(agent.page.get_by_text("No entries")).to_be_visible()


def test_a_service_that_does_not_answer_is_said_and_nothing_is_called_verified(
    agent: Agent,
) -> None:
    agent.page.route("**/*MediaAuditService/*", lambda route: route.abort())
    agent.opens(AUDIT)

    expect(agent.page.get_by_role("alert")).to_contain_text("cannot be reached")
    chains = agent.page.get_by_role("listitem").filter(has_text="Files")
    expect(chains).to_contain_text("cannot be reached")
    expect(agent.page.get_by_text("Not every chain could be verified")).to_be_visible()
    agent.page.unroute("**/*MediaAuditService/*")
    chains.get_by_role("button", name="Try again").click()
    expect(chains).to_contain_text("Verified")
    agent.page.get_by_role("button", name="Try again").click()
    expect(agent.page.get_by_role("table")).to_be_visible()


def test_a_chain_that_is_not_the_one_this_browser_saw_before_is_called_broken(
    agent: Agent,
) -> None:
    agent.opens(AUDIT)
    chain = agent.page.get_by_role("listitem").filter(has_text="People and access")
    expect(chain).to_contain_text("Verified")
    agent.page.evaluate(FORGE_WHAT_WAS_SEEN)

    agent.page.reload()

    expect(chain.get_by_role("alert")).to_contain_text("not the entry this browser saw")
    expect(agent.page.get_by_text("A chain is broken")).to_be_visible()
    chain.get_by_role("button", name="Forget what this browser saw").click()
    expect(chain).to_contain_text("Verified")
    agent.page.reload()
    expect(chain).to_contain_text("Verified")


def test_whoever_is_no_owner_is_told_whom_to_ask(
    agent: Agent, new_page: NewPage, system: System
) -> None:
    reader = join(agent, new_page, system, role="Read-only", name="Rui Reis")

    reader.opens(AUDIT)

    expect(reader.page.get_by_text("This is for owners")).to_be_visible()
    expect(reader.page.get_by_text("Ask Ana")).to_be_visible()
    expect(reader.page.get_by_role("link", name="Audit")).to_have_count(0)
    reader.opens("/settings/knowledge")
    expect(reader.page.get_by_role("button", name="New article")).to_have_count(0)
    reader.page.get_by_role("link", name="Returns and refunds").click()
    expect(reader.page.get_by_role("heading", name="Returns and refunds")).to_be_visible()
    expect(reader.page.get_by_label("Title")).to_have_count(0)


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_the_audit_is_accessible_and_fits(
    viewport: Any,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    screenshots: Path,
    axe: Axe,
) -> None:
    page = new_page(storage_state=signed_in, viewport=viewport, reduced_motion="reduce")
    agent = Agent(page, system)
    agent.opens(AUDIT)
    expect(page.get_by_text("Verified ·")).to_have_count(5)
    entry(page, "Create article").click()
    page.get_by_role("table").hover()
    keep_pictures(page, screenshots, "audit")
    keep_pictures(page, screenshots, "audit-whole", is_whole=True)
    axe.finds_nothing(page)
