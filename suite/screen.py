"""What a person sees: one line per slow step with its time, calm and without surprises.

Standard library only; the bootstrap uses it before anything is installed.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_SECONDS = 15.0
"""Away from a terminal, a step that takes longer says so this often."""
TICK_SECONDS = 0.5
LABEL_WIDTH = 46


class Screen:
    """Writes to one stream; in colour and with running times only on a terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_terminal = sys.stdout.isatty()
        self._running: dict[str, float] = {}

    def say(self, text: str) -> None:
        """One line."""
        with self._lock:
            self._clear()
            print(text, flush=True)
            self._redraw()

    def done(self, label: str, seconds: float, note: str = "") -> None:
        """A step that has ended well."""
        self.say(f"  {self.green('✓')} {_timed(label, seconds)}{'  ' + note if note else ''}")

    def failed(self, label: str, seconds: float, note: str = "") -> None:
        """A step that has ended badly."""
        self.say(f"  {self.red('✗')} {_timed(label, seconds)}{'  ' + note if note else ''}")

    def trouble(self, text: str) -> None:
        """Something a person should notice, though things go on."""
        self.say(f"  {self.yellow('!')} {text}")

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        """A slow step: shown while it runs, with its time when it has ended."""
        step = Step()
        began = time.monotonic()
        ended = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(label, began, ended), daemon=True)
        ticker.start()
        try:
            yield step
        except BaseException as error:
            self._end(label, ended, ticker)
            if isinstance(error, Exception):  # else it was only called off
                self.failed(label, time.monotonic() - began)
            raise
        self._end(label, ended, ticker)
        self.done(label, time.monotonic() - began, step.note)

    def bold(self, text: str) -> str:
        """Stands out on a terminal."""
        return self._styled(text, "1")

    def green(self, text: str) -> str:
        """Went well."""
        return self._styled(text, "32")

    def yellow(self, text: str) -> str:
        """Worth a look."""
        return self._styled(text, "33")

    def red(self, text: str) -> str:
        """Went wrong."""
        return self._styled(text, "31")

    def _styled(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._is_terminal else text

    def _tick(self, label: str, began: float, ended: threading.Event) -> None:
        """Show that the step still runs: in place on a terminal, else by a line now and then."""
        every = TICK_SECONDS if self._is_terminal else QUIET_SECONDS
        while not ended.wait(every):
            seconds = time.monotonic() - began
            if self._is_terminal:
                with self._lock:
                    self._running[label] = seconds
                    self._redraw()
            else:
                self.say(f"  … {_timed(label, seconds)}")

    def _end(self, label: str, ended: threading.Event, ticker: threading.Thread) -> None:
        ended.set()
        ticker.join()
        with self._lock:
            self._clear()
            self._running.pop(label, None)
            self._redraw()

    def _clear(self) -> None:
        if self._running:
            print("\r\x1b[2K", end="", flush=True)

    def _redraw(self) -> None:
        """Everything that runs now, on one line that the next one replaces."""
        if self._running:
            line = _timed(", ".join(self._running), max(self._running.values()))
            width = shutil.get_terminal_size().columns - len("  … ") - 1
            print(f"\r\x1b[2K  … {line[:width]}", end="", flush=True)


class Step:
    """A step under way; `note` is shown beside its time."""

    def __init__(self) -> None:
        self.note = ""


def _timed(label: str, seconds: float) -> str:
    return f"{label:<{LABEL_WIDTH}} {seconds:6.1f} s"
