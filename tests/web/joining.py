"""Somebody joins the workspace by an invitation."""

from __future__ import annotations

from playwright.sync_api import expect

from chassis.ids import new_id
from tests.web.conftest import NewPage
from tests.web.people import Agent
from tests.web.system import System

PASSWORD = "correct horse battery"
JOINED_MILLIS = 30_000
"""A password is hashed slowly on purpose, and slower yet where much else runs."""


def join(owner: Agent, new_page: NewPage, system: System, *, role: str, name: str) -> Agent:
    """An owner invites them, and they come in."""
    owner.opens("/settings/members")
    owner.page.get_by_role("button", name="Invite").click()
    dialog = owner.page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill(f"{new_id()[-8:]}@example.com")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Role").select_option(role)
    dialog.get_by_role("button", name="Make an invitation").click()
    invitation = dialog.locator("code").inner_text()
    page = new_page()
    page.goto(invitation)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    menu = page.get_by_role("button", name=f"Menu of {name}").first
    expect(menu).to_be_attached(timeout=JOINED_MILLIS)
    return Agent(page, system)
