"""The data folder remembers what it must, and is nobody else's."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from suite.datafolder import DataFolder
from suite.infra.program import SuiteError
from suite.supervisor import MAX_LOG_BYTES, rotate


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def test_a_secret_stays_the_same_and_differs_from_others(folder: DataFolder) -> None:
    again = DataFolder(folder.path)

    assert folder.secret("one") == again.secret("one")
    assert folder.secret("one") != folder.secret("two")


def test_the_keys_have_the_form_services_expect(folder: DataFolder) -> None:
    assert len(base64.b64decode(folder.secret("master_key"), validate=True)) == 32
    assert folder.secret("service_key").startswith("service.")
    assert len(folder.secret("service_key")) >= len("service.") + 32


def test_ports_are_remembered_and_never_given_twice(folder: DataFolder) -> None:
    ports = [folder.port(f"service-{number}") for number in range(20)]

    assert len(set(ports)) == 20
    assert [folder.port(f"service-{number}") for number in range(20)] == ports


def test_a_second_owner_is_told_who_the_first_is(folder: DataFolder) -> None:
    with folder.locked():
        folder.write_run({"pid": 4711, "url": "http://localhost:8080", "started": "today"})

        with pytest.raises(SuiteError) as refused, DataFolder(folder.path).locked():
            pass

        assert "4711" in str(refused.value)
        assert "http://localhost:8080" in str(refused.value)
        assert folder.is_running
    assert not folder.is_running


def test_data_without_a_version_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({}))

    with pytest.raises(SuiteError, match="without a version"):
        DataFolder(tmp_path).prepare()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_cannot_be_the_data_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SuiteError, match="a file is there"):
        DataFolder(tmp_path / place).prepare()


def test_wiping_leaves_nothing(folder: DataFolder) -> None:
    (folder.blobs / "file").write_text("x")
    folder.secret("one")

    folder.wipe()

    assert not folder.path.exists()


def test_a_log_stays_within_bounds_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with log.open("ab") as writer:
        writer.write(b"old\n" * (MAX_LOG_BYTES // 4 + 1))
        writer.flush()

        rotate(log)
        writer.write(b"new\n")
        writer.flush()

    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "service.log.1").stat().st_size == MAX_LOG_BYTES
