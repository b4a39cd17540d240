"""The people of the browser tests: an agent in the client, a customer in the chat box."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.web.system import System

Status = Literal["sending", "sent", "delivered", "read", "failed"]


class Agent:
    """A member of the workspace who looks at the client."""

    def __init__(self, page: Page, system: System) -> None:
        self.page = page
        self._system = system

    @property
    def rows(self) -> Locator:
        """The entries of the list."""
        return self.page.get_by_role("list", name=re.compile("conversations")).get_by_role("link")

    @property
    def field(self) -> Locator:
        """Where replies are written."""
        return self.page.get_by_placeholder("Write a reply…")

    @property
    def pane(self) -> Locator:
        """The open conversation with all that belongs to it."""
        return self.page.get_by_role("region", name="Conversation", exact=True)

    @property
    def history(self) -> Locator:
        """The messages of the open conversation."""
        return self.page.get_by_role("log")

    def folder(self, name: str) -> Locator:
        """A folder above the list; its text ends with how many conversations lie there."""
        folders = self.page.get_by_role("group", name="Folder")
        return folders.get_by_role("button", name=re.compile(f"^{name}"))

    def row(self, text: str) -> Locator:
        """The entry that shows these words."""
        return self.rows.filter(has_text=text)

    def bubble(self, text: str) -> Locator:
        """The one message with these words."""
        return self.history.get_by_role("article").filter(has_text=text)

    def opens(self, path: str = "/") -> None:
        """Go to a page of the client and wait until it shows what it is about."""
        self.page.goto(self._system.url + path)
        expect(self.page.get_by_role("heading").first).to_be_visible()
        expect(self.page.get_by_label(re.compile("^Loading"))).to_have_count(0)

    def opens_conversation(self, text: str) -> None:
        """Click the newest entry with these words."""
        self.row(text).first.click()
        expect(self.history).to_contain_text(text)

    def writes(self, text: str) -> None:
        """Type a reply and send it by Enter."""
        self.field.fill(text)
        self.field.press("Enter")

    def sees_status(self, text: str, status: Status) -> None:
        """The message with these words got this far."""
        expect(self.bubble(text).locator(f"[data-status={status}]")).to_be_visible()


class Customer:
    """Somebody on the business's site."""

    def __init__(self, page: Page, system: System) -> None:
        self.page = page
        self._system = system

    @property
    def history(self) -> Locator:
        """What the box shows."""
        return self.page.get_by_role("log")

    @property
    def field(self) -> Locator:
        """Where they write."""
        return self.page.get_by_label("Your message")

    def opens(self) -> None:
        """Go to the chat page."""
        self.page.goto(self._system.chat_url)

    def bubble(self, text: str) -> Locator:
        """The one message with these words."""
        return self.history.get_by_role("article").filter(has_text=text)

    def writes(self, text: str) -> None:
        """Type a message and send it by Enter."""
        self.field.fill(text)
        self.field.press("Enter")
