"""Makes .venv hold exactly the locked requirements, then hands over to it.

Standard library only. uv does it when there is one on PATH, else the venv module and pip. What
was installed is remembered as the digest of the lock files, so a warm start costs nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from suite.screen import Screen

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "inbox-installed.json"
LOG = VENV / "install.log"
RUN_LOCK = ROOT / "requirements-local.lock"
"""What `./dev up` needs: the services and the real servers."""
TOOLS_LOCK = ROOT / "requirements-dev.lock"
"""The same and the tools of `./dev test` and `./dev check`."""
SHOWN_LINES = 20


def hand_over(arguments: list[str], *, with_tools: bool) -> None:
    """Replace this process by `python -m suite` in the checkout's environment."""
    try:
        ensure_installed(with_tools=with_tools)
    except InstallationFailed as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit("\nstopped; the next start continues the installation")
    environment = dict(os.environ)  # noqa: TID251 - handed on as it is
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT), str(ROOT / "client"), str(ROOT / "gen")]
    )
    environment.pop("PYTHONHOME", None)
    # -P: a file that lies in the present folder must not pose as a module.
    command = [str(PYTHON), "-P", "-m", "suite", *arguments]
    os.execve(PYTHON, command, environment)  # noqa: S606 - no shell wanted


class InstallationFailed(Exception):
    """The requirements could not be installed; the text says what to do."""


def ensure_installed(*, with_tools: bool) -> None:
    """Install what is missing; nothing when the lock files are those of last time."""
    wanted = _digest(TOOLS_LOCK if with_tools else RUN_LOCK)
    if wanted in _installed():
        return
    lock_path = ROOT / ".venv.lock"
    try:
        lock = lock_path.open("a")
    except PermissionError as error:
        raise InstallationFailed(
            f"cannot write to {ROOT}: {error.strerror}.\n"
            "Use a checkout of your own, or run this as the user it belongs to."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if wanted in _installed():  # another `./dev` did it meanwhile
            return
        _install(with_tools=with_tools)


def _installed() -> list[str]:
    """Digests of the lock files whose requirements are all here."""
    try:
        state = json.loads(INSTALLED.read_text())
    except (OSError, ValueError):
        return []
    if state.get("python") != _python_version() or not PYTHON.exists():
        return []
    return list(state.get("locks", ()))


def _install(*, with_tools: bool) -> None:
    screen = Screen()
    uv = shutil.which("uv")
    lock = TOOLS_LOCK if with_tools else RUN_LOCK
    count = sum("==" in line for line in lock.read_text().splitlines())
    INSTALLED.unlink(missing_ok=True)
    how = "uv" if uv else "pip"
    screen.say(f"First start with these requirements: {count} packages go into .venv by {how}.")
    if _environment_version() != _python_version():
        with screen.step(f"Python environment, {_python_version()}"):
            _make_environment(uv)
    with screen.step(f"{count} locked packages"):
        _run(_install_command(uv, lock))
    with screen.step("Compiled to byte code"):
        # At once and on all cores: else every service would do it at the same time.
        _run([str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(_site_packages())], check=False)
    # The tools' lock contains the other.
    locks = [_digest(RUN_LOCK)] + ([_digest(TOOLS_LOCK)] if with_tools else [])
    INSTALLED.write_text(json.dumps({"python": _python_version(), "locks": locks}))


def _make_environment(uv: str | None) -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)])
        return
    # Without pip inside: the pip of this Python, or ensurepip's, installs into it from outside.
    venv.create(VENV, with_pip=False, symlinks=True)
    if not _has_module("pip"):
        if not _has_module("ensurepip"):
            raise InstallationFailed(
                "this Python has neither pip nor ensurepip.\n"
                "Install one of them (Debian and Ubuntu: apt-get install python3-venv) or uv."
            )
        _run([str(PYTHON), "-m", "ensurepip", "--default-pip"])


def _install_command(uv: str | None, lock: Path) -> list[str]:
    if uv:
        return [
            uv, "pip", "install", "--python", str(PYTHON), "--require-hashes", "--no-deps",
            "--only-binary", ":all:", "-r", str(lock),
        ]  # fmt: skip
    own = VENV / "bin" / "pip"
    pip = (
        [str(PYTHON), "-m", "pip"]
        if own.exists()
        else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    )
    return [
        *pip, "install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile",
        "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r", str(lock),
    ]  # fmt: skip


def _run(command: list[str], *, check: bool = True) -> None:
    log = LOG if VENV.exists() else ROOT / ".venv-install.log"
    with log.open("ab") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if check and done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])
        raise InstallationFailed(
            f"{tail}\n\n`{' '.join(command[:4])} …` ended with {done.returncode}; "
            f"all of its output is in {log}."
        )


def _site_packages() -> Path:
    major, minor = sys.version_info[:2]
    return VENV / "lib" / f"python{major}.{minor}" / "site-packages"


def _environment_version() -> str | None:
    """The Python version of .venv, or None where it is missing or no longer starts."""
    try:
        answer = subprocess.run(
            [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return answer.stdout.strip() or None


def _python_version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _has_module(name: str) -> bool:
    found = subprocess.run(
        [sys.executable, "-c", f"import {name}"], capture_output=True, check=False
    )
    return found.returncode == 0


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()
