"""A stranger installs the client without the suite: it may need gRPC and the contracts only."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "client"
ITS_OWN = {"google", "grpc", "inbox", "inbox_client", "typing_extensions"}
LIST_ROOTS = """
import sys
before = {name.partition(".")[0] for name in sys.modules}
import grpc, grpc.aio
with_grpc = {name.partition(".")[0] for name in sys.modules}
import PROGRAM
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted(after - with_grpc - sys.stdlib_module_names))
"""


def roots_of(program: str, *paths: Path) -> set[str]:
    """The top-level packages that importing a module brings in, beyond gRPC's own."""
    run = subprocess.run(
        [sys.executable, "-P", "-c", LIST_ROOTS.replace("PROGRAM", program)],
        env={"PYTHONPATH": ":".join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "program",
    ["inbox_client", *(path.stem for path in sorted((CLIENT / "examples").glob("*.py")))],
)
def test_it_needs_grpc_and_the_contracts_only(program: str) -> None:
    roots = roots_of(program, CLIENT, CLIENT / "examples", ROOT / "gen")

    assert roots - {program} <= ITS_OWN
    assert "inbox_client" in roots


def test_whoever_needs_more_is_found_out(tmp_path: Path) -> None:
    """The negative control."""
    (tmp_path / "greedy.py").write_text("import inbox_client, orjson\n")

    assert not roots_of("greedy", tmp_path, CLIENT, ROOT / "gen") - {"greedy"} <= ITS_OWN


def test_its_own_project_asks_for_what_the_suite_runs_with() -> None:
    own = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    suite = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    floors = set(own["dependencies"]) - {"googleapis-common-protos>=1.70,<2"}

    assert floors <= set(suite["dependencies"])
    assert own["version"] == suite["version"]
    assert own["requires-python"] == suite["requires-python"]
