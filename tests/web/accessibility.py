"""What axe says of a page: the rules of WCAG 2.2 A and AA, and good practice."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from suite import web

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
RULES: dict[Scheme, list[str]] = {"light": [], "dark": ["color-contrast"]}
"""All of them once; of the same page in other colors only the one that looks at colors."""

FIND_VIOLATIONS = """async (rules) => {
  const { violations } = await axe.run(rules.length > 0 ? { runOnly: rules } : {});
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.failureSummary} ${node.html}`),
  );
}"""


class Axe:
    """The checker. It comes with the tools of the web client, which a start leaves out."""

    def __init__(self, log: Path) -> None:
        # In a thread of its own, for this one has Playwright's event loop.
        with ThreadPoolExecutor(1) as pool:
            installing = web.install_packages(web.find_node(), log, with_tools=True)
            pool.submit(asyncio.run, installing).result()
        self._script = (web.WEB / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def finds_nothing(self, page: Page) -> None:
        """There is nothing to complain about, in light and in dark."""
        page.evaluate(self._script)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            violations: list[str] = page.evaluate(FIND_VIOLATIONS, RULES[scheme])
            assert not violations, f"{page.url}, {scheme}:\n" + "\n".join(violations)
