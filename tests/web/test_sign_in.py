"""Getting in and out."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, expect

from chassis.ids import new_id
from tests.web.conftest import NewPage
from tests.web.people import Agent
from tests.web.system import System

PASSWORD = "correct horse battery"


def test_a_sign_in_link_works_once(new_page: NewPage, system: System, signed_in: Any) -> None:
    page = new_page()

    page.goto(system.sign_in_url)

    expect(page.get_by_role("alert")).to_contain_text("used already")
    page.get_by_role("button", name="Sign in with a password").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_whoever_is_not_signed_in_comes_to_the_sign_in_page_and_a_wrong_password_is_refused(
    new_page: NewPage, system: System
) -> None:
    page = new_page()

    page.goto(f"{system.url}/channels")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fchannels$"))
    page.get_by_label("E-mail address").fill("owner@example.com")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("do not match")


def test_an_invited_colleague_joins_signs_out_and_in_again(
    agent: Agent, new_page: NewPage, system: System
) -> None:
    email = f"{new_id()[-8:]}@example.com"
    agent.opens("/settings/members")
    agent.page.get_by_role("button", name="Invite").click()
    dialog = agent.page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill(email)
    dialog.get_by_label("Name").fill("Bo Berg")
    dialog.get_by_role("button", name="Make an invitation").click()
    invitation = dialog.locator("code").inner_text()

    page = new_page()
    page.goto(invitation)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    page.get_by_role("button", name="Menu of Bo Berg").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("E-mail address").fill(email.upper())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_an_api_key_is_shown_once_and_can_be_revoked(agent: Agent) -> None:
    name = f"Orders {new_id()[-6:]}"
    agent.opens("/settings/keys")
    agent.page.get_by_role("button", name="New key").click()
    dialog = agent.page.get_by_role("dialog")
    dialog.get_by_label("What it is for").fill(name)
    dialog.get_by_role("button", name="Make the key").click()
    expect(dialog.locator("code")).to_have_text(re.compile(r"^ik_.+\..+"))
    dialog.get_by_role("button", name="Done").click()

    row = agent.page.get_by_role("listitem").filter(has_text=name)
    row.get_by_role("button", name="Revoke").click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()

    expect(row).to_have_count(0)


def test_the_theme_that_was_chosen_is_there_before_the_first_paint(
    browser: Browser, agent: Agent
) -> None:
    agent.page.get_by_role("button", name="Menu of").last.click()
    agent.page.get_by_role("menuitemradio", name="Dark").click()
    agent.page.keyboard.press("Escape")

    agent.page.reload(wait_until="commit")
    agent.page.wait_for_function("document.readyState !== 'loading'")

    assert agent.page.evaluate("document.documentElement.dataset.theme") == "dark"
