"""Files by their links, through a real gateway, as browsers and players read them."""

from __future__ import annotations

import asyncio
import random
import resource
from typing import TYPE_CHECKING

import aiohttp
import grpc
import pytest

from tests.service.gateway.media_double import LINK
from tests.service.gateway.test_connect import error_info

if TYPE_CHECKING:
    from gateway.process import Gateway
    from tests.service.gateway.suite_double import Services

PATH = f"/media/{LINK}"
TAG = '"' + "ab" * 32 + '"'


async def test_a_file_is_read_whole_with_what_a_browser_has_to_know(
    program: aiohttp.ClientSession,
) -> None:
    async with program.get(PATH) as answer:
        assert answer.status == 200
        assert await answer.read() == b"0123456789"
        headers = answer.headers

    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == "10"
    assert headers["etag"] == TAG
    assert headers["accept-ranges"] == "bytes"
    assert headers["cache-control"].startswith("private, max-age=")
    assert headers["content-disposition"].startswith('inline; filename="cat.png"')
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"


async def test_a_head_says_the_same_and_reads_nothing(
    program: aiohttp.ClientSession, services: Services
) -> None:
    async with program.get(PATH) as whole:
        await whole.read()
    services.media.downloads.clear()

    async with program.head(PATH, headers={"range": "bytes=0-0"}) as answer:
        assert answer.status == 200
        assert await answer.read() == b""

    names = ("content-type", "content-length", "etag", "accept-ranges", "content-disposition")
    assert [answer.headers[name] for name in names] == [whole.headers[name] for name in names]
    assert services.media.downloads == []


@pytest.mark.parametrize(
    ("asked", "content_range", "content"),
    [
        ("bytes=0-0", "bytes 0-0/10", b"0"),
        ("bytes=4-", "bytes 4-9/10", b"456789"),
        ("bytes=-3", "bytes 7-9/10", b"789"),
    ],
)
async def test_a_part_is_read_alone(
    program: aiohttp.ClientSession,
    services: Services,
    asked: str,
    content_range: str,
    content: bytes,
) -> None:
    async with program.get(PATH, headers={"range": asked, "if-range": TAG}) as answer:
        assert answer.status == 206
        assert answer.headers["content-range"] == content_range
        assert answer.headers["content-length"] == str(len(content))
        assert await answer.read() == content

    assert services.media.read_bytes == len(content)


async def test_several_parts_are_answered_by_the_whole(program: aiohttp.ClientSession) -> None:
    async with program.get(PATH, headers={"range": "bytes=0-1,5-6"}) as answer:
        assert answer.status == 200
        assert "content-range" not in answer.headers
        assert await answer.read() == b"0123456789"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": TAG}, 304),
        ({"if-match": '"other"'}, 412),
        ({"range": "bytes=10-"}, 416),
    ],
)
async def test_what_needs_no_bytes_reads_none(
    program: aiohttp.ClientSession, services: Services, headers: dict[str, str], status: int
) -> None:
    async with program.get(PATH, headers=headers) as answer:
        assert answer.status == status
        assert await answer.read() == b""
        assert answer.headers["etag"] == TAG
        if status == 416:
            assert answer.headers["content-range"] == "bytes */10"

    assert services.media.downloads == []


async def test_the_end_of_a_long_film_is_reached_without_its_beginning(
    program: aiohttp.ClientSession, services: Services
) -> None:
    services.media.content = bytes(100 * 1024 * 1024 - 10) + b"0123456789"

    async with program.get(PATH, headers={"range": "bytes=-10"}) as answer:
        assert await answer.read() == b"0123456789"

    assert services.media.read_bytes == 10


async def test_a_large_file_comes_in_windows_and_costs_little_memory(
    program: aiohttp.ClientSession, services: Services
) -> None:
    services.media.content = random.Random(1).randbytes(1024 * 1024) * 70
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    place = 0

    async with program.get(PATH) as answer:
        async for piece in answer.content.iter_chunked(256 * 1024):
            assert piece == services.media.content[place : place + len(piece)]
            place += len(piece)

    assert place == len(services.media.content)
    assert len(services.media.downloads) == 5
    # Service, gateway and client share this process; kilobytes on Linux.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 * 1024


async def test_what_could_act_is_saved(program: aiohttp.ClientSession, services: Services) -> None:
    services.media.content = b"<svg onload='alert(1)'/>"
    services.media.sniffed_type, services.media.is_inline = "text/plain", False
    services.media.file_name = 'x"\u00f1;.svg'

    async with program.get(PATH) as answer:
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["content-disposition"] == (
            "attachment; filename=\"x___.svg\"; filename*=UTF-8''x%22%C3%B1%3B.svg"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("refusal", "status", "reason"),
    [
        ((grpc.StatusCode.NOT_FOUND, "MEDIA_LINK_INVALID"), 404, "MEDIA_LINK_INVALID"),
        ((grpc.StatusCode.NOT_FOUND, "MEDIA_LINK_EXPIRED"), 410, "MEDIA_LINK_EXPIRED"),
        ((grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND"), 404, "MEDIA_NOT_FOUND"),
    ],
)
async def test_a_link_that_is_not_good_says_why_and_is_not_cached(
    program: aiohttp.ClientSession,
    services: Services,
    refusal: tuple[grpc.StatusCode, str],
    status: int,
    reason: str,
) -> None:
    services.media.refusal = refusal

    async with program.get(PATH) as answer:
        assert answer.status == status
        assert answer.headers["cache-control"] == "no-store"
        assert error_info(await answer.json()).reason == reason


@pytest.mark.parametrize("link", ["", "x/y", "..%2F..%2Fetc%2Fpasswd", "%00", "%FF", "x" * 200])
async def test_what_is_no_link_is_not_asked_for(
    program: aiohttp.ClientSession, services: Services, link: str
) -> None:
    services.media.refusal = grpc.StatusCode.INTERNAL, "INTERNAL"

    async with program.get(f"/media/{link}") as answer:
        assert answer.status == 404
        assert error_info(await answer.json()).reason == "MEDIA_LINK_INVALID"


async def test_bytes_that_cannot_be_had_are_an_error_and_not_an_empty_file(
    program: aiohttp.ClientSession, services: Services
) -> None:
    services.media.break_after = 0

    async with program.get(PATH) as answer:
        assert answer.status == 503
        assert error_info(await answer.json()).reason == "TEMPORARILY_UNAVAILABLE"


async def test_a_download_that_breaks_is_cut_and_goes_on_where_it_was(
    program: aiohttp.ClientSession, services: Services
) -> None:
    services.media.content = random.Random(2).randbytes(3_000_000)
    services.media.break_after = 1_000_000
    got = bytearray()
    with pytest.raises(aiohttp.ClientError):
        async with program.get(PATH) as answer:
            async for piece in answer.content.iter_any():
                got += piece
    assert 0 < len(got) < len(services.media.content)
    services.media.break_after = None

    rest = {"range": f"bytes={len(got)}-", "if-range": TAG}
    async with program.get(PATH, headers=rest) as answer:
        assert answer.status == 206
        got += await answer.read()

    assert bytes(got) == services.media.content


async def test_a_reader_that_takes_nothing_is_sent_away(
    gateway: Gateway, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.downloads.STALLED_SECONDS", 0.2)
    services.media.content = bytes(64 * 1024 * 1024)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
    writer.write(f"GET {PATH} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")

    async with asyncio.timeout(20):
        while gateway_is_sending(services):
            await asyncio.sleep(0.05)
    writer.close()

    assert services.media.read_bytes < len(services.media.content)


def gateway_is_sending(services: Services) -> bool:
    return services.media.under_way > 0
