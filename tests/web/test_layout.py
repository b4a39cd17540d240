"""Every screen at every width, light and dark: nothing overflows, and a picture of each is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PHONE, NewPage
from tests.web.people import Agent, Customer
from tests.web.system import System

Words = Callable[[str], str]
Scheme = Literal["light", "dark"]
SIZES = {320: 640, 390: 844, 768: 1024, 1280: 800, 1440: 900}
ENDS = (320, 1280)
SETTINGS = ("account", "members", "keys", "knowledge", "assistant", "inbox", "audit")
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def assert_nothing_overflows(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def conversation_path(browser: Any, system: System, signed_in: Any) -> str:
    """A conversation with a few messages, made once for all pictures."""
    context = browser.new_context(viewport=PHONE)
    customer = Customer(context.new_page(), system)
    customer.opens()
    customer.writes("Hello! The lamp I ordered arrived, but the shade is cracked.")
    context_agent = browser.new_context(storage_state=signed_in)
    agent = Agent(context_agent.new_page(), system)
    agent.opens()
    agent.opens_conversation("the shade is cracked")
    agent.writes("I am sorry about that! A new one leaves today.\n\nYou can keep the old one.")
    agent.sees_status("I am sorry", "read")
    customer.writes("That is great, thank you. When will it be here?")
    expect(agent.bubble("When will it be here?")).to_be_visible()
    path = agent.page.evaluate("location.pathname")
    context.close()
    context_agent.close()
    assert isinstance(path, str)
    return path


def fits(page: Page, widths: Iterable[int], screenshots: Path, name: str) -> None:
    """Nothing overflows while the window grows, in light and in dark."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert_nothing_overflows(page)
            page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png")


@pytest.mark.parametrize("name", ["list", "conversation", "channels", *SETTINGS])
def test_every_screen_fits(
    name: str,
    new_page: NewPage,
    system: System,
    signed_in: Any,
    conversation_path: str,
    screenshots: Path,
) -> None:
    page = new_page(
        storage_state=signed_in, viewport={"width": 320, "height": 640}, reduced_motion="reduce"
    )
    agent = Agent(page, system)
    path = {"list": "/", "conversation": conversation_path, "channels": "/channels"}.get(name)

    agent.opens(path or f"/settings/{name}")

    if name == "conversation":
        expect(agent.bubble("When will it be here?")).to_be_in_viewport()
    fits(page, SIZES if name in {"list", "conversation"} else ENDS, screenshots, name)


@pytest.mark.parametrize("name", ["sign-in", "invite", "chat"])
def test_pages_for_strangers_fit(
    name: str, new_page: NewPage, system: System, screenshots: Path
) -> None:
    page = new_page(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    page.goto(
        {
            "sign-in": f"{system.url}/sign-in",
            "invite": f"{system.url}/invite?token=x",
            "chat": system.chat_url,
        }[name]
    )

    expect(page.get_by_role("heading").first).to_be_visible()
    if name == "chat":
        expect(page.get_by_text("Hello! How can we help?")).to_be_visible()
    fits(page, SIZES, screenshots, name)


def test_a_phone_shows_one_pane_and_back_returns_to_the_list(
    new_page: NewPage, system: System, signed_in: Any, conversation_path: str
) -> None:
    page = new_page(storage_state=signed_in, viewport=PHONE, has_touch=True, is_mobile=True)
    agent = Agent(page, system)
    agent.opens()
    conversations = page.get_by_label("Conversations", exact=True)

    agent.opens_conversation("When will it be here?")
    expect(conversations).to_be_hidden()
    page.get_by_role("button", name="Back to the list").click()
    expect(conversations).to_be_visible()
    agent.opens_conversation("When will it be here?")
    page.go_back()
    expect(conversations).to_be_visible()

    # Opened by its address, there is nothing to go back to but the list.
    agent.opens(conversation_path)
    page.get_by_role("button", name="Back to the list").click()
    expect(conversations).to_be_visible()


def test_a_desktop_shows_list_and_conversation_beside_each_other(
    agent: Agent, conversation_path: str
) -> None:
    agent.opens(conversation_path)

    expect(agent.page.get_by_label("Conversations", exact=True)).to_be_visible()
    expect(agent.bubble("When will it be here?")).to_be_visible()


def test_large_text_keeps_everything_readable(
    new_page: NewPage, system: System, signed_in: Any, conversation_path: str
) -> None:
    page = new_page(storage_state=signed_in)
    agent = Agent(page, system)
    agent.opens(conversation_path)

    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert_nothing_overflows(page)
    expect(agent.field).to_be_in_viewport()


def test_less_motion_stops_what_pulses(
    new_page: NewPage, system: System, signed_in: Any, conversation_path: str
) -> None:
    page = new_page(storage_state=signed_in, reduced_motion="reduce")
    agent = Agent(page, system)

    agent.opens(conversation_path)

    expect(agent.bubble("When will it be here?")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
