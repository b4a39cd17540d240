"""One service in a process of its own, so that a test can kill it in the midst of its work."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chassis.settings import PREFIX, Settings
from suite.settings import ROOT, python_environment

RUN = "import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


@dataclass
class Apart:
    """A service that is not in this process, and its process while it has one."""

    module: str
    settings: Settings
    log: Path
    sabotage: str = ""
    """Python that runs before the service: what a negative control takes out of it."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; returns before it is ready."""
        program = f"{self.sabotage}\n{RUN.format(module=self.module)}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", program],
                cwd=ROOT,
                env=python_environment() | environment_of(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """kill -9: it gets no chance to say goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def is_dead(self) -> bool:
        """Whether it has ended."""
        return self._process is None or self._process.poll() is not None


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that a process would have these settings from."""
    return {PREFIX + name.upper(): _written(value) for name, value in settings}


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
