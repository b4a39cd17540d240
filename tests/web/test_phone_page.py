"""The customer's phone of the platform double, in a real browser behind its prefix."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from suite.simulator.app import Simulator, running_simulator
from suite.simulator.platform import DELIVERED, READ, SENT, Account

PATIENCE_SECONDS = 10.0


@dataclass
class Phone:
    """The page, and the platform behind it in a thread of its own."""

    page: Page
    account: Account
    loop: asyncio.AbstractEventLoop

    def on_platform(self, act: Callable[[Account], Any]) -> Any:
        """Do something where the platform lives."""
        done: Future[Any] = Future()
        self.loop.call_soon_threadsafe(lambda: done.set_result(act(self.account)))
        return done.result(PATIENCE_SECONDS)

    def business_sends(self, text: str) -> str:
        def send(account: Account) -> str:
            message, _ = account.accept("ana", text, "", "")
            account.report(message, SENT)
            account.report(message, DELIVERED)
            return message.id

        sent: str = self.on_platform(send)
        return sent

    def until(self, condition: Callable[[Account], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.on_platform(condition):
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(20)


@contextmanager
def platform_in_a_thread() -> Iterator[tuple[Simulator, asyncio.AbstractEventLoop]]:
    started: Future[tuple[Simulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        stop = asyncio.Event()
        async with running_simulator() as simulator:
            started.set_result((simulator, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    simulator, loop, stop = started.result(PATIENCE_SECONDS)
    try:
        yield simulator, loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_SECONDS)


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Phone]:
    width, height = request.param
    complaints: list[str] = []
    with platform_in_a_thread() as (simulator, loop):
        account = simulator.platform.open("shop", display_name="Café Lumen", token="t")
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        page.goto(f"{simulator.url}/simulator/phone/shop/ana")
        yield Phone(page, account, loop)
        context.close()
    assert complaints == []


def test_what_the_customer_types_reaches_the_business(phone: Phone) -> None:
    phone.page.get_by_label("Message", exact=True).fill("Is the terrace open?")
    phone.page.keyboard.press("Enter")

    expect(phone.page.get_by_role("log")).to_contain_text("Is the terrace open?")
    (message,) = phone.account.messages.values()
    assert (message.text, message.direction) == ("Is the terrace open?", "from_customer")
    assert phone.account.pending_count == 1


def test_a_message_appears_live_and_counts_as_read_once_it_was_seen(phone: Phone) -> None:
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("Café Lumen")

    message_id = phone.business_sends("Yes, until 11 PM.")

    expect(phone.page.get_by_role("log")).to_contain_text("Yes, until 11 PM.")
    phone.until(lambda account: account.messages[message_id].state == READ)


def test_a_hidden_page_reads_nothing(phone: Phone) -> None:
    phone.page.evaluate("Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'})")

    message_id = phone.business_sends("psst")

    expect(phone.page.get_by_role("log")).to_contain_text("psst")
    phone.page.wait_for_timeout(800)
    assert phone.account.messages[message_id].state == DELIVERED


def test_switches_are_thrown_and_show_what_others_threw(phone: Phone) -> None:
    opener = phone.page.get_by_role("button", name="Platform switches")
    if opener.is_visible():
        opener.click()

    def expire(account: Account) -> None:
        account.switches.change({"is_token_expired": True})
        account.tell()

    phone.page.get_by_role("radiogroup", name="Rate limit").get_by_label("All").check()
    phone.until(lambda account: account.switches.rate_limit == -1)
    phone.on_platform(expire)

    expired = phone.page.get_by_role("radiogroup", name="Access token expired")
    expect(expired.get_by_label("On")).to_be_checked()


def test_customers_words_are_never_markup(phone: Phone) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"

    phone.business_sends(evil)

    expect(phone.page.get_by_role("log")).to_contain_text(evil)
    assert "owned" not in phone.page.title()


def test_nothing_is_cut_off_on_the_narrowest_screen(phone: Phone) -> None:
    phone.page.set_viewport_size({"width": 320, "height": 568})
    phone.business_sends("x" * 400)
    expect(phone.page.get_by_role("log")).to_contain_text("xxx")

    is_wider = phone.page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )

    assert not is_wider
