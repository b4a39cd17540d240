"""A running system and a browser for each core; each test has people of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from chassis.ids import new_id
from suite.chromium import find_or_install
from suite.screen import Screen
from suite.settings import ROOT
from tests.running_inbox import PEOPLE, running_inbox
from tests.web.accessibility import Axe
from tests.web.people import Agent, Customer
from tests.web.system import System

PATIENCE_MILLIS = 10_000
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
SCREENSHOTS = ROOT / "test-results" / "web"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

STARTING_INCLUDED_SECONDS = 300
"""The first test waits for the build and the start of everything."""

NewPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(STARTING_INCLUDED_SECONDS))


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The running system. People answer in it, except where a test lets the AI."""
    with running_inbox(tmp_path_factory.mktemp("web") / "data", with_web=True) as inbox:
        system = System(inbox)
        system.is_answered_by(PEOPLE)
        yield system


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLIS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_or_install(Screen())), args=FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, system: System) -> Any:
    """What the owner's browser holds after using the one-time link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(system.sign_in_url)
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Browser windows that share nothing; a test fails when a page throws."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(**options: Any) -> Page:
        options.setdefault("viewport", DESKTOP)
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MILLIS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def agent(new_page: NewPage, system: System, signed_in: Any) -> Agent:
    agent = Agent(new_page(storage_state=signed_in), system)
    agent.opens()
    return agent


@pytest.fixture
def colleague(new_page: NewPage, system: System, signed_in: Any) -> Agent:
    """Somebody else at another desk."""
    colleague = Agent(new_page(storage_state=signed_in), system)
    colleague.opens()
    return colleague


@pytest.fixture
def customer(new_page: NewPage, system: System) -> Customer:
    customer = Customer(new_page(viewport=PHONE), system)
    customer.opens()
    return customer


@pytest.fixture
def words() -> Callable[[str], str]:
    """Words that no other test uses: all tests share one inbox."""
    mark = new_id()[-6:]
    return lambda text: f"{text} {mark}"


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


@pytest.fixture(scope="session")
def axe(system: System, tmp_path_factory: pytest.TempPathFactory) -> Axe:
    """Finds what keeps people from using a page; after the start, which installs packages too."""
    return Axe(tmp_path_factory.mktemp("axe") / "install.log")
