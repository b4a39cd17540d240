"""The fault tests by name: each is where the table says; a wrong name is told the right ones."""

from __future__ import annotations

import pytest

from suite.fault_tests import FAULT_TESTS, targets
from suite.infra.program import SuiteError
from suite.settings import ROOT


@pytest.mark.parametrize("name", FAULT_TESTS)
def test_every_name_stands_for_tests_that_exist(name: str) -> None:
    test = FAULT_TESTS[name]
    files = [
        file
        for path in test.paths
        for file in ((ROOT / path).glob("test_*.py") if (ROOT / path).is_dir() else [ROOT / path])
    ]
    text = "".join(file.read_text() for file in files)

    assert text
    assert all(word in text for word in test.chosen.split(" or ")), test


def test_without_a_name_all_of_them_run() -> None:
    chosen = targets([])

    paths = [path for test in FAULT_TESTS.values() for path in test.paths]
    assert all(any(path.startswith(part) for part in chosen) for path in paths)


def test_names_choose_their_tests_in_either_case() -> None:
    assert targets(["t1", "T2"]) == [*FAULT_TESTS["T1"].paths, "-k", "kills or forgets or wiping"]


def test_one_that_is_a_whole_file_takes_all_of_the_others_files() -> None:
    assert targets(["T2", "T12"]) == [
        *FAULT_TESTS["T2"].paths,
        *FAULT_TESTS["T12"].paths,
    ]


def test_an_unknown_name_is_told_which_there_are() -> None:
    with pytest.raises(SuiteError, match=r"T17 +takeovers"):
        targets(["T99"])
