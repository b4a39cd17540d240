"""Start a program as a good child: it dies with its parent and owns no more than it needs.

Run as `python -I -S launch.py PARENT SIGNAL USER DIRECTORY PROGRAM [ARGUMENT ...]`, where "-"
leaves the user or the directory as they are. A separate step, because work between fork and
exec is unsafe in a process with threads, and because the kernel forgets the death signal when
the user changes, so it has to be asked for last.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the program named on the command line."""
    parent, death_signal, user, directory, *program = sys.argv[1:]
    if directory != "-":
        # As the present user: the next one may be unable to walk here. It can still
        # reach the folder, as /proc/self/cwd.
        os.chdir(directory)
    if user != "-":
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):
        sys.exit("the process that started this one is gone")
    os.execvp(program[0], program)  # noqa: S606 - starting a program without a shell is its job


if __name__ == "__main__":
    main()
