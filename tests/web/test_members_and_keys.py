"""Owners change roles and remove people; the settings by keyboard, and for everybody's eyes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import Axe
from tests.web.conftest import DESKTOP, PHONE, NewPage
from tests.web.joining import join
from tests.web.people import Agent
from tests.web.pictures import keep_pictures
from tests.web.system import System


def test_an_owner_changes_a_role_and_a_colleague_sees_it(
    agent: Agent, colleague: Agent, new_page: NewPage, system: System
) -> None:
    join(agent, new_page, system, role="Agent", name="Dora Dunn")
    for one in (agent, colleague):
        one.opens("/settings/members")
    role = "Role of Dora Dunn"

    agent.page.get_by_label(role).select_option("Read-only")

    expect(colleague.page.get_by_label(role)).to_have_value(
        agent.page.get_by_label(role).input_value()
    )
    agent.page.reload()
    expect(agent.page.get_by_label(role).locator("option:checked")).to_have_text("Read-only")


def test_who_is_removed_is_signed_out_and_gone_from_the_list(
    agent: Agent, new_page: NewPage, system: System
) -> None:
    gone = join(agent, new_page, system, role="Agent", name="Enzo Eder")
    agent.opens("/settings/members")

    agent.page.get_by_role("button", name="Remove Enzo Eder").click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Remove").click()

    expect(agent.page.get_by_role("listitem").filter(has_text="Enzo Eder")).to_have_count(0)
    expect(gone.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_settings_are_walked_through_by_keyboard(agent: Agent) -> None:
    page = agent.page
    agent.opens("/settings/account")
    page.get_by_role("link", name="Account").focus()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Members")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Members")).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile("/settings/members$"))
    page.get_by_role("link", name="Knowledge").press("Enter")
    page.get_by_role("button", name="New article").press("Enter")
    expect(page.get_by_role("heading", name="New article")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name="Knowledge")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_members_and_keys_are_accessible_and_fit(
    viewport: Any,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    screenshots: Path,
    axe: Axe,
) -> None:
    page = new_page(storage_state=signed_in, viewport=viewport, reduced_motion="reduce")
    agent = Agent(page, system)
    for section in ("account", "members", "keys"):
        agent.opens(f"/settings/{section}")
        keep_pictures(page, screenshots, section)
        axe.finds_nothing(page)
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    axe.finds_nothing(page)
