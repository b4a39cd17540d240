"""Finds a browser for the browser tests, or installs one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from suite.infra.program import SuiteError
from suite.settings import suite_settings

if TYPE_CHECKING:
    from suite.screen import Screen

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
INSTALL_SECONDS = 600
WAYS = """\
no browser for the browser tests. Any one of these helps:
  CHROMIUM=/path/to/chromium ./dev test web
  chromium or google-chrome on PATH
  apt-get install chromium   (done by itself when this runs as root on Debian or Ubuntu)"""


def find_or_install(screen: Screen) -> Path:
    """CHROMIUM, else one on PATH, else Debian's package when we may install it."""
    named = suite_settings().chromium
    if named:
        found = shutil.which(named)
        if found is None:
            raise SuiteError(f"CHROMIUM names {named}, which is no program")
        return Path(found)
    present = _on_path()
    if present:
        return present
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with screen.step("Chromium from the system's packages"):
            _install()
        present = _on_path()
        if present:
            return present
    raise SuiteError(WAYS)


def _on_path() -> Path | None:
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return MAC if MAC.exists() else None


def _install() -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": os.defpath + ":/usr/sbin:/sbin"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
            raise SuiteError(f"{' '.join(command)} failed:\n{tail}\n\n{WAYS}")
