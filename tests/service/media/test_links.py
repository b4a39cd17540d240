"""Links: made for who may read the file, resolved for the suite's own processes only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.auth import Role
from chassis.ids import WorkspaceId, new_id
from inbox.media import v1 as media_v1
from services.media.actions import Means
from services.media.service import MediaService
from tests.fakes import FakeClock
from tests.service.media.test_service import refusal, uploaded
from tests.serving import Serving, new_workspace_id, serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
PREFIX = "/media/"
pytestmark = pytest.mark.parametrize("blobs", ["memory"], indirect=True)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(means: Means, clock: FakeClock) -> AsyncIterator[Serving]:
    service = MediaService(replace(means, clock=clock))
    async with serving((media_v1.add_MediaServiceServicer_to_server, service)) as server:
        yield server


@pytest.fixture
def workspace_id() -> WorkspaceId:
    return new_workspace_id()


@pytest.fixture
def agent(server: Serving, workspace_id: WorkspaceId) -> media_v1.MediaServiceStub:
    return media_v1.MediaServiceStub(server.channel(Role.AGENT, workspace_id))


async def link_to(agent: media_v1.MediaServiceStub, media_id: str, **options: bool) -> str:
    asked = media_v1.CreateLinkRequest(media_id=media_id, **options)
    made = await agent.CreateLink(asked, timeout=10)
    assert made.path.startswith(PREFIX)
    return made.path.removeprefix(PREFIX)


async def resolved(server: Serving, link: str) -> media_v1.ResolveLinkResponse:
    gateway = media_v1.MediaServiceStub(server.service_channel())
    return await gateway.ResolveLink(media_v1.ResolveLinkRequest(link=link), timeout=10)


async def test_a_link_stands_for_its_file(
    server: Serving, agent: media_v1.MediaServiceStub, workspace_id: WorkspaceId
) -> None:
    media = (await uploaded(agent, PNG)).media

    answer = await resolved(server, await link_to(agent, media.id))

    assert (answer.workspace_id, answer.media) == (workspace_id, media)
    assert answer.is_inline
    assert not (
        await resolved(server, await link_to(agent, media.id, is_for_saving=True))
    ).is_inline


async def test_what_could_act_is_saved_and_never_shown(
    server: Serving, agent: media_v1.MediaServiceStub
) -> None:
    for content in (b"<svg onload='alert(1)'/>", b"<html>", b"%PDF-1.7", b"MZ\x00", b""):
        media = (await uploaded(agent, content, content_type="image/png")).media

        assert not (await resolved(server, await link_to(agent, media.id))).is_inline


async def test_links_are_equal_for_a_while_and_then_end(
    server: Serving, agent: media_v1.MediaServiceStub, clock: FakeClock
) -> None:
    media = (await uploaded(agent, PNG)).media
    first = await link_to(agent, media.id)
    assert await link_to(agent, media.id) == first

    clock.advance(timedelta(minutes=15))

    assert (await refusal(resolved(server, first))).reason == "MEDIA_LINK_EXPIRED"
    assert (await resolved(server, await link_to(agent, media.id))).media == media


async def test_a_link_that_nobody_made_leads_nowhere(
    server: Serving, agent: media_v1.MediaServiceStub
) -> None:
    link = await link_to(agent, (await uploaded(agent, PNG)).media.id)

    for none_of_ours in ("", "x", link[:-2] + "xx", link + "xx", "../" + link, link.upper()):
        fault = await refusal(resolved(server, none_of_ours))
        assert fault.reason == "MEDIA_LINK_INVALID"


async def test_no_link_is_made_to_a_foreign_file(
    server: Serving, agent: media_v1.MediaServiceStub
) -> None:
    media = (await uploaded(agent, PNG)).media
    stranger = media_v1.MediaServiceStub(server.channel(Role.OWNER, new_workspace_id()))

    for media_id in (media.id, new_id()):
        assert (await refusal(link_to(stranger, media_id))).reason == "MEDIA_NOT_FOUND"
