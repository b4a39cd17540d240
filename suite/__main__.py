"""`python -m suite`: the commands behind `./dev`, inside its environment."""

from __future__ import annotations

import importlib
import sys

from suite import commandline
from suite.infra.program import SuiteError

MODULES = {
    "up": "suite.up",
    "test": "suite.tiers",
    "check": "suite.checks",
    "bench": "suite.tiers",
    "faults": "suite.tiers",
    "backup": "suite.backup",
    "restore": "suite.backup",
    "status": "suite.status",
    "logs": "suite.status",
    "key": "suite.demo",
    "reset": "suite.status",
}
"""Which module runs a command; only that one is imported."""
INTERRUPTED = 130


def main() -> int:
    """Run one command; the exit code."""
    options = commandline.parse(sys.argv[1:])
    try:
        module = importlib.import_module(MODULES[options.command])
        code: int = module.run(options)
    except SuiteError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except ExceptionGroup as group:
        # A start that failed in one of several parts; every reason is shown once.
        known, others = group.split(SuiteError)
        if others or known is None:
            raise
        for leaf in _leaves(known):
            print(f"\n{leaf}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _leaves(group: BaseExceptionGroup[SuiteError]) -> list[SuiteError]:
    leaves: list[SuiteError] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves


if __name__ == "__main__":
    sys.exit(main())
