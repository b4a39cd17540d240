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

HEADLESS_SHELL = "chromium-headless-shell"
"""The same engine without a browser's windows: a page is there in a quarter of the work."""
NAMES = (
    HEADLESS_SHELL,
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
INSTALL_SECONDS = 600
WAYS = f"""\
no browser for the browser tests. Any one of these helps:
  CHROMIUM=/path/to/chromium ./dev test web
  {HEADLESS_SHELL}, chromium or google-chrome on PATH
  apt-get install {HEADLESS_SHELL}   (done by itself when this runs as root)"""


def find_or_install(screen: Screen) -> Path:
    """CHROMIUM, else what is on PATH; the headless shell first, installed where we may."""
    named = suite_settings().chromium
    if named:
        found = shutil.which(named)
        if found is None:
            raise SuiteError(f"CHROMIUM names {named}, which is no program")
        return Path(found)
    refusal = ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        if shutil.which(HEADLESS_SHELL) is None:
            refusal = _install(screen, HEADLESS_SHELL)
        if _on_path() is None:
            refusal = _install(screen, "chromium")
    present = _on_path()
    if present is None:
        raise SuiteError(f"{refusal}\n\n{WAYS}".lstrip())
    return present


def _on_path() -> Path | None:
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return MAC if MAC.exists() else None


def _install(screen: Screen, package: str) -> str:
    """Install a package, and take none away for it; why that failed, where it did."""
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": os.defpath + ":/usr/sbin:/sbin"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--no-remove"]
    with screen.step(f"{package} from the system's packages") as step:
        for command in (["apt-get", "update", "-q"], [*install, package]):
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
                step.note = "not to be had"
                tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
                return f"{' '.join(command)} failed:\n{tail}"
    return ""
