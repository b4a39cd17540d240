"""The real service behind the real gateway: as a player reads it, and as an attacker would."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr

from chassis.auth import Role
from gateway.process import Gateway
from gateway.settings import GatewaySettings
from inbox.media import v1 as media_v1
from services.media.actions import Means
from services.media.service import MediaService
from tests.service.media.test_service import uploaded
from tests.serving import SERVICE_KEY, Serving, new_workspace_id, serving

NOWHERE = ("127.0.0.1:1",)
FILM = b"\x00\x00\x00\x18ftypisom" + random.Random(1).randbytes(20 * 1024 * 1024)
pytestmark = pytest.mark.parametrize("blobs", ["folder"], indirect=True)


@pytest.fixture
async def server(means: Means) -> AsyncIterator[Serving]:
    async with serving((media_v1.add_MediaServiceServicer_to_server, MediaService(means))) as one:
        yield one


@pytest.fixture
def agent(server: Serving) -> media_v1.MediaServiceStub:
    return media_v1.MediaServiceStub(server.channel(Role.AGENT, new_workspace_id()))


@pytest.fixture
async def player(server: Serving) -> AsyncIterator[aiohttp.ClientSession]:
    """Something that has a link and no credential."""
    settings = GatewaySettings(
        service_key=SecretStr(SERVICE_KEY),
        http_listen="127.0.0.1:0",
        public_url="http://127.0.0.1",
        identity_address=NOWHERE,
        conversation_address=NOWHERE,
        messaging_address=NOWHERE,
        media_address=(server.address,),
        assistant_address=NOWHERE,
        realtime_address=NOWHERE,
    )
    async with (
        Gateway(settings) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
    ):
        yield session


async def path_of(agent: media_v1.MediaServiceStub, media: media_v1.Media) -> str:
    asked = media_v1.CreateLinkRequest(media_id=media.id)
    return (await agent.CreateLink(asked, timeout=30)).path


async def test_a_films_end_is_read_before_its_beginning(
    agent: media_v1.MediaServiceStub, player: aiohttp.ClientSession
) -> None:
    media = (await uploaded(agent, FILM, content_type="text/html")).media
    path = await path_of(agent, media)

    async with player.get(path, headers={"range": "bytes=-1000"}) as answer:
        assert answer.status == 206
        size = len(FILM)
        assert answer.headers["content-range"] == f"bytes {size - 1000}-{size - 1}/{size}"
        assert await answer.read() == FILM[-1000:]
        tag = answer.headers["etag"]
    async with player.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "video/mp4")
        assert hashlib.sha256(await answer.read()).hexdigest() == media.sha256
    async with player.get(path, headers={"if-none-match": tag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\x00<html><script>alert(1)</script>",
    ],
)
async def test_what_calls_itself_a_picture_and_would_act_is_saved(
    agent: media_v1.MediaServiceStub, player: aiohttp.ClientSession, content: bytes
) -> None:
    name = "../../cat.png"
    media = (await uploaded(agent, content, content_type="image/svg+xml", file_name=name)).media

    async with player.get(await path_of(agent, media)) as answer:
        assert answer.content_type in {"text/plain", "application/octet-stream"}
        assert answer.headers["content-disposition"].startswith('attachment; filename="cat.png"')
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_link_that_was_changed_opens_nothing(
    agent: media_v1.MediaServiceStub, player: aiohttp.ClientSession
) -> None:
    path = await path_of(agent, (await uploaded(agent, b"secret")).media)

    async with player.get(path) as answer:
        assert await answer.read() == b"secret"
    async with player.get(path[:20] + ("A" if path[20] != "A" else "B") + path[21:]) as answer:
        assert answer.status == 404
