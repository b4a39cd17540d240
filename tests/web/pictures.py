"""Pictures of a screen, kept for people to look at."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.web.accessibility import SCHEMES


def keep_pictures(page: Page, folder: Path, name: str) -> None:
    """Its top, in light and in dark; nothing may overflow."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.viewport_size is not None
    page.get_by_role("main").evaluate("main => main.scrollTo(0, 0)")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{page.viewport_size['width']}-{scheme}.png")
