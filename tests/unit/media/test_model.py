"""What is believed of the words that come with a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from chassis.ids import WorkspaceId, new_id
from services.media.model import files
from services.media.model.files import (
    MAX_MEDIA_BYTES,
    MediaMismatch,
    MediaTooLarge,
    OffsetBeyondEnd,
)
from tests.fakes import START


def announced(**fields: object) -> files.Announcement:
    given = {
        "request_id": new_id(),
        "file_name": "photo.png",
        "content_type": "image/png",
        "size_bytes": 3,
        "sha256": "",
    }
    return files.announce(**(given | fields))  # type: ignore[arg-type]


def a_media(size_bytes: int) -> files.Media:
    return files.Media(new_id(), "photo.png", "image/png", size_bytes, "0" * 64, START)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("  spaced.txt. ", "spaced.txt"),
        ("año 😀.pdf", "año 😀.pdf"),
        ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
        ("x" * 300, "x" * 255),
        ("x." + "y" * 300, "x." + "y" * 253),
    ],
)
def test_a_file_name_is_made_harmless(given: str, kept: str) -> None:
    assert files.harmless_name(given) == kept


@given(st.text())
def test_no_name_is_ever_a_path_or_empty_or_too_long(name: str) -> None:
    kept = files.harmless_name(name)

    assert 1 <= len(kept) <= 255
    assert kept not in {".", ".."}
    assert not set(kept) & set("/\\\x00\r\n")
    assert files.harmless_name(kept) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("audio/ogg; codecs=opus", "audio/ogg; codecs=opus"),
        ("", "application/octet-stream"),
    ],
)
def test_a_media_type_is_kept_as_it_is(given: str, kept: str) -> None:
    assert announced(content_type=given).content_type == kept


@pytest.mark.parametrize(
    "given", ["image", "image/", "a/b\r\nx: y", "a b/c", "a/b;", "a/" + "b" * 200]
)
def test_what_is_no_media_type_is_refused(given: str) -> None:
    with pytest.raises(FieldInvalid, match="media type"):
        announced(content_type=given)


def test_sizes_and_digests_are_checked_before_the_first_byte() -> None:
    with pytest.raises(MediaTooLarge):
        announced(size_bytes=MAX_MEDIA_BYTES + 1)
    with pytest.raises(FieldInvalid):
        announced(size_bytes=-1)
    with pytest.raises(FieldInvalid):
        announced(sha256="../../etc/passwd")
    assert announced(size_bytes=MAX_MEDIA_BYTES, sha256="AB" * 32).sha256 == "ab" * 32


def test_what_came_must_be_what_was_announced() -> None:
    with pytest.raises(MediaMismatch, match="3 was announced, 2 came"):
        files.check_received(announced(), size_bytes=2, sha256="0" * 64)
    with pytest.raises(MediaMismatch, match="sha256"):
        files.check_received(announced(sha256="1" * 64), size_bytes=3, sha256="0" * 64)
    files.check_received(announced(), size_bytes=3, sha256="0" * 64)


@pytest.mark.parametrize(
    ("offset", "limit", "wanted"),
    [
        (0, 0, range(10)),
        (4, 0, range(4, 10)),
        (4, 3, range(4, 7)),
        (4, 100, range(4, 10)),
        (10, 0, range(10, 10)),
        (0, 2**62, range(10)),
    ],
)
def test_a_download_holds_the_bytes_asked_for(offset: int, limit: int, wanted: range) -> None:
    assert files.byte_range(a_media(10), offset, limit) == wanted


def test_a_download_cannot_start_outside_the_file() -> None:
    with pytest.raises(OffsetBeyondEnd):
        files.byte_range(a_media(10), 11, 0)
    with pytest.raises(FieldInvalid):
        files.byte_range(a_media(10), -1, 0)
    with pytest.raises(FieldInvalid):
        files.byte_range(a_media(10), 0, -1)


def test_equal_bytes_of_two_workspaces_lie_apart() -> None:
    one, other = WorkspaceId(new_id()), WorkspaceId(new_id())

    assert files.blob_key(one, "0" * 64) != files.blob_key(other, "0" * 64)
