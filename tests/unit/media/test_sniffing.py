"""What a file is follows its first bytes; nothing that acts is ever named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.media.model.sniffing import HEAD_BYTES, SHOWN, TEXT, UNKNOWN, Kind, kind_of, sniff


def iso(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"GIF89a\x01\x00", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x24\x00\x00\x00NONE", UNKNOWN),
        (iso(b"heic"), "image/heic"),
        (iso(b"avif"), "image/avif"),
        (iso(b"isom"), "video/mp4"),
        (iso(b"mp42"), "video/mp4"),
        (iso(b"qt  "), "video/quicktime"),
        (iso(b"M4A "), "audio/mp4"),
        (iso(b"????"), UNKNOWN),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "video/x-matroska"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x13OpusHead", "audio/ogg"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x2a\x80theora", "video/ogg"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xfe\x00\x00", UNKNOWN),
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"fLaC\x00\x00", "audio/flac"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04 a.txt", "application/zip"),
        (
            b"PK\x03\x04 [Content_Types].xml PK\x03\x04 word/document.xml",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (b"MZ\x90\x00\x03", UNKNOWN),
        (b"hello", TEXT),
        ("año 😀".encode(), TEXT),
        (b"a\x00b", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_first_bytes_tell_the_type(head: bytes, name: str) -> None:
    assert sniff(head, is_whole=True) == name


@pytest.mark.parametrize(
    "head",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><?xml-stylesheet href='evil.xsl'?><a/>",
        b"\xef\xbb\xbf<html>",
        b"window.alert(1)",
    ],
)
def test_what_a_browser_would_execute_is_plain_text(head: bytes) -> None:
    assert sniff(head, is_whole=True) == TEXT
    assert kind_of(TEXT) is Kind.DOCUMENT


def test_a_picture_with_a_page_behind_it_is_the_picture() -> None:
    assert sniff(b"GIF89a/*<script>alert(1)</script>*/", is_whole=True) == "image/gif"


def test_a_character_cut_by_looking_at_the_beginning_only_is_still_text() -> None:
    head = ("x" * (HEAD_BYTES - 1) + "ñ").encode()[:HEAD_BYTES]

    assert sniff(head, is_whole=False) == TEXT
    assert sniff(head, is_whole=True) == UNKNOWN


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_have_a_type_and_never_one_that_acts(head: bytes, is_whole: bool) -> None:
    name = sniff(head, is_whole=is_whole)

    assert not any(word in name for word in ("html", "svg", "xml", "javascript"))
    assert (kind_of(name) is not Kind.DOCUMENT) == (name in SHOWN)
