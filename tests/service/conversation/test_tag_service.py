"""TagService on a loopback port, as clients meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from chassis.rpc import RemoteFault, remote_fault
from inbox.conversation import v1
from services.conversation.service.tags import TagService
from tests.service.conversation.desk import Desk
from tests.serving import Serving, serving

ALLOWED = {
    "ListTags": {Role.OWNER, Role.AGENT, Role.READ_ONLY, Role.BOT, Role.SERVICE},
    "CreateTag": {Role.OWNER, Role.AGENT},
    "UpdateTag": {Role.OWNER, Role.AGENT},
    "DeleteTag": {Role.OWNER, Role.AGENT},
}


@pytest.fixture
async def server(desk: Desk) -> AsyncIterator[Serving]:
    adding = v1.add_TagServiceServicer_to_server
    async with serving((adding, TagService(desk.means))) as server:
        yield server


@pytest.fixture
def stub(server: Serving, desk: Desk) -> v1.TagServiceStub:
    return v1.TagServiceStub(server.channel(Role.AGENT, desk.workspace_id))


async def refusal(call: Awaitable[Any]) -> RemoteFault:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return remote_fault(refused.value)


async def test_an_agent_creates_renames_and_deletes_a_tag(stub: v1.TagServiceStub) -> None:
    created = await stub.CreateTag(
        v1.CreateTagRequest(
            request_id=new_id(), display_name="  Para mañana ", color=v1.TAG_COLOR_TEAL
        )
    )
    renamed = await stub.UpdateTag(
        v1.UpdateTagRequest(request_id=new_id(), tag="PARA-MANANA", display_name="Mañana")
    )
    listed = await stub.ListTags(v1.ListTagsRequest())
    deleted = await stub.DeleteTag(v1.DeleteTagRequest(request_id=new_id(), tag=created.tag.id))

    assert (created.tag.key, created.tag.display_name) == ("para-manana", "Para mañana")
    assert (renamed.tag.display_name, renamed.tag.color) == ("Mañana", v1.TAG_COLOR_TEAL)
    [star, tag] = listed.tags
    assert (star.key, star.is_built_in, star.color) == ("priority", True, v1.TAG_COLOR_AMBER)
    assert tag == renamed.tag
    assert deleted.tag.is_deleted
    assert list((await stub.ListTags(v1.ListTagsRequest())).tags) == [star]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("method", ALLOWED)
async def test_each_method_is_for_the_roles_of_its_policy(
    desk: Desk, server: Serving, role: Role, method: str
) -> None:
    tag = await desk.create_tag(new_id())
    request = {
        "ListTags": v1.ListTagsRequest(),
        "CreateTag": v1.CreateTagRequest(request_id=new_id(), display_name=new_id()),
        "UpdateTag": v1.UpdateTagRequest(request_id=new_id(), tag=tag.id, color=v1.TAG_COLOR_PINK),
        "DeleteTag": v1.DeleteTagRequest(request_id=new_id(), tag=tag.id),
    }[method]
    stub = v1.TagServiceStub(server.channel(role, desk.workspace_id))
    call: Callable[[Any], Awaitable[Any]] = getattr(stub, method)

    if role in ALLOWED[method]:
        await call(request)
    else:
        assert (await refusal(call(request))).reason == "ROLE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("method", "request_", "reason"),
    [
        ("CreateTag", v1.CreateTagRequest(display_name="VIP"), "INVALID_ARGUMENT"),
        ("CreateTag", v1.CreateTagRequest(request_id=new_id()), "INVALID_ARGUMENT"),
        (
            "CreateTag",
            v1.CreateTagRequest(request_id=new_id(), display_name="x" * 41),
            "INVALID_ARGUMENT",
        ),
        (
            "CreateTag",
            v1.CreateTagRequest(request_id=new_id(), display_name="VIP", key="no key"),
            "INVALID_ARGUMENT",
        ),
        (
            "CreateTag",
            v1.CreateTagRequest(request_id=new_id(), display_name="Prioritario"),
            "TAG_EXISTS",
        ),
        (
            "UpdateTag",
            v1.UpdateTagRequest(request_id=new_id(), tag="priority", color=99),  # type: ignore[arg-type]
            "INVALID_ARGUMENT",
        ),
        ("UpdateTag", v1.UpdateTagRequest(request_id=new_id(), tag="none"), "TAG_NOT_FOUND"),
        ("DeleteTag", v1.DeleteTagRequest(request_id=new_id(), tag=new_id()), "TAG_NOT_FOUND"),
        ("DeleteTag", v1.DeleteTagRequest(request_id=new_id(), tag="prioritario"), "TAG_BUILT_IN"),
        ("DeleteTag", v1.DeleteTagRequest(request_id=new_id()), "INVALID_ARGUMENT"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    stub: v1.TagServiceStub, method: str, request_: Any, reason: str
) -> None:
    assert (await refusal(getattr(stub, method)(request_))).reason == reason
