"""Pictures of a screen, kept for people to look at."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.web.accessibility import SCHEMES

TALL = 2_200
PHONES = (390, 320)


def widths_like(page: Page) -> tuple[int, ...]:
    """A phone of 320 pixels is one of 390 for a moment, without loading again; then it is back."""
    size = page.viewport_size
    assert size is not None
    return PHONES if size["width"] in PHONES else (size["width"],)


def keep_each_width(page: Page, folder: Path, name: str, part: Locator | None = None) -> None:
    """Of the window, or of one part of it, at each width of its kind; nothing may overflow."""
    size = page.viewport_size
    assert size is not None
    for width in widths_like(page):
        page.set_viewport_size({"width": width, "height": size["height"]})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if part is not None:
            part.evaluate("part => part.scrollIntoView({block: 'end'})")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")


def keep_pictures(page: Page, folder: Path, name: str, *, is_whole: bool = False) -> None:
    """Its top, or as if the window were tall enough, in light and in dark; nothing may overflow."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    size = page.viewport_size
    assert size is not None
    if is_whole:
        page.set_viewport_size({"width": size["width"], "height": TALL})
    page.get_by_role("main").evaluate("main => main.scrollTo(0, 0)")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{size['width']}-{scheme}.png")
    page.set_viewport_size(size)
