"""Two starts in one checkout take turns with its web client, and build it once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from suite import web


class Npm:
    """Does slowly what npm does, and would be in its own way."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.is_busy = False

    async def __call__(self, node: web.Node, log: Path, *arguments: str) -> None:
        assert not self.is_busy, "two at once write the same folders"
        self.is_busy = True
        await asyncio.sleep(0.05)
        (web.WEB / ("dist" if arguments[0] == "run" else "node_modules")).mkdir(exist_ok=True)
        self.ran.append(arguments[0])
        self.is_busy = False


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    npm = Npm()
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(web, "WEB", tmp_path)
    monkeypatch.setattr(web, "find_node", lambda: web.Node(Path("node"), ("npm",), {}))
    monkeypatch.setattr(web, "_npm", npm)
    return npm


async def test_of_two_starts_one_builds(npm: Npm, tmp_path: Path) -> None:
    await asyncio.gather(*(web.build(tmp_path / "log") for _ in range(2)))

    assert npm.ran == ["install", "run"]
    assert web.is_current()


async def test_tools_are_installed_before_or_after_a_build(npm: Npm, tmp_path: Path) -> None:
    await asyncio.gather(
        web.build(tmp_path / "log"),
        web.install_packages(web.find_node(), tmp_path / "log", with_tools=True),
    )

    assert sorted(npm.ran) in (["install", "install", "run"], ["install", "run"])
