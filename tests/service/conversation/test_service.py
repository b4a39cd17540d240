"""ConversationService on a loopback port, as clients meet it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import orjson
import pytest

from chassis.auth import Role
from chassis.ids import WorkspaceId, new_id
from chassis.rpc import RemoteFault, remote_fault
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.mapping import conversation_to
from services.conversation.service.inbox import ConversationService
from tests.service.conversation.desk import FIRST_DAY, Desk, a_customer
from tests.serving import Serving, serving

READERS = {Role.OWNER, Role.AGENT, Role.READ_ONLY, Role.BOT, Role.SERVICE}
ALLOWED = {
    "ListConversations": READERS,
    "GetConversation": READERS,
    "SolveConversation": {Role.OWNER, Role.AGENT, Role.BOT},
    "ReopenConversation": {Role.OWNER, Role.AGENT, Role.BOT},
    "MoveConversation": {Role.OWNER, Role.AGENT, Role.BOT},
    "TagConversation": {Role.OWNER, Role.AGENT, Role.BOT},
    "UntagConversation": {Role.OWNER, Role.AGENT, Role.BOT},
    "MarkRead": {Role.OWNER, Role.AGENT},
    "MarkUnread": {Role.OWNER, Role.AGENT},
    "GetCounters": READERS,
    "GetInboxSettings": READERS,
    "UpdateInboxSettings": {Role.OWNER},
}
OF_THE_WORKSPACE = {
    "ListConversations",
    "GetCounters",
    "GetInboxSettings",
    "UpdateInboxSettings",
}
OF_ONE = [method for method in ALLOWED if method not in OF_THE_WORKSPACE]
WRITES = [method for method in OF_ONE if method != "GetConversation"]


@pytest.fixture
async def server(desk: Desk) -> AsyncIterator[Serving]:
    servicer = ConversationService(desk.means)
    adding = conversation_v1.add_ConversationServiceServicer_to_server
    async with serving((adding, servicer)) as server:
        yield server


@pytest.fixture
def stub(server: Serving, desk: Desk) -> conversation_v1.ConversationServiceStub:
    return conversation_v1.ConversationServiceStub(
        server.channel(Role.AGENT, desk.workspace_id, display_name="Bea")
    )


async def refusal(call: Awaitable[Any]) -> RemoteFault:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return remote_fault(refused.value)


def requests_for(conversation_id: str) -> dict[str, Any]:
    """A valid request for every method."""
    return {
        "ListConversations": conversation_v1.ListConversationsRequest(),
        "GetConversation": conversation_v1.GetConversationRequest(conversation_id=conversation_id),
        "SolveConversation": conversation_v1.SolveConversationRequest(
            conversation_id=conversation_id, request_id=new_id()
        ),
        "ReopenConversation": conversation_v1.ReopenConversationRequest(
            conversation_id=conversation_id, request_id=new_id()
        ),
        "MoveConversation": conversation_v1.MoveConversationRequest(
            conversation_id=conversation_id,
            request_id=new_id(),
            folder=conversation_v1.FOLDER_SPAM,
        ),
        "TagConversation": conversation_v1.TagConversationRequest(
            conversation_id=conversation_id, request_id=new_id(), tag="prioritario"
        ),
        "UntagConversation": conversation_v1.UntagConversationRequest(
            conversation_id=conversation_id, request_id=new_id(), tag="priority"
        ),
        "MarkRead": conversation_v1.MarkReadRequest(
            conversation_id=conversation_id, request_id=new_id(), read_ordinal=1
        ),
        "MarkUnread": conversation_v1.MarkUnreadRequest(
            conversation_id=conversation_id,
            request_id=new_id(),
            from_ordinal=1,
            expected_version=1,
        ),
        "GetCounters": conversation_v1.GetCountersRequest(),
        "GetInboxSettings": conversation_v1.GetInboxSettingsRequest(),
        "UpdateInboxSettings": conversation_v1.UpdateInboxSettingsRequest(
            request_id=new_id(), reopens_on_inbound=False
        ),
    }


async def test_an_agent_lists_solves_reopens_and_reads(
    desk: Desk, stub: conversation_v1.ConversationServiceStub
) -> None:
    ana = a_customer("Ana")
    await desk.apply(ana.opens(), ana.writes("hola"))
    requests = requests_for(ana.conversation_id)

    [shown] = (await stub.ListConversations(requests["ListConversations"])).conversations
    read = (await stub.MarkRead(requests["MarkRead"])).conversation
    solved = (await stub.SolveConversation(requests["SolveConversation"])).conversation
    reopened = (await stub.ReopenConversation(requests["ReopenConversation"])).conversation

    assert (shown.contact.display_name, shown.preview.text, shown.unread_count) == (
        "Ana",
        "hola",
        1,
    )
    assert read.unread_count == 0
    assert solved.folder == conversation_v1.FOLDER_SOLVED
    assert reopened.folder == conversation_v1.FOLDER_OPEN
    got = await stub.GetConversation(requests["GetConversation"])
    assert got.conversation == reopened == conversation_to(await desk.get(ana.conversation_id))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("method", ALLOWED)
async def test_each_method_is_for_the_roles_of_its_policy(
    desk: Desk, server: Serving, role: Role, method: str
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    stub = conversation_v1.ConversationServiceStub(server.channel(role, desk.workspace_id))
    call: Callable[[Any], Awaitable[Any]] = getattr(stub, method)
    request = requests_for(ana.conversation_id)[method]

    if role in ALLOWED[method]:
        await call(request)
    else:
        assert (await refusal(call(request))).reason == "ROLE_NOT_ALLOWED"


@pytest.mark.parametrize("method", OF_ONE)
async def test_a_foreign_conversation_looks_like_none(
    desk: Desk, server: Serving, method: str
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    stranger = server.channel(Role.OWNER, WorkspaceId(new_id()))
    call = getattr(conversation_v1.ConversationServiceStub(stranger), method)

    foreign = await refusal(call(requests_for(ana.conversation_id)[method]))
    unknown = await refusal(call(requests_for(new_id())[method]))

    assert foreign.code is grpc.StatusCode.NOT_FOUND
    assert foreign.reason == unknown.reason == "CONVERSATION_NOT_FOUND"
    assert "Ana" not in foreign.message


@pytest.mark.parametrize("method", OF_ONE)
async def test_ids_that_are_none_are_named(
    stub: conversation_v1.ConversationServiceStub, method: str
) -> None:
    for wrong in ("", "1", "not-a-uuid", "'; DROP TABLE conversations; --"):
        fault = await refusal(getattr(stub, method)(requests_for(wrong)[method]))
        assert (fault.reason, fault.metadata["field"]) == ("INVALID_ARGUMENT", "conversation_id")


@pytest.mark.parametrize("method", WRITES)
async def test_a_write_needs_a_request_id(
    stub: conversation_v1.ConversationServiceStub, method: str
) -> None:
    request = requests_for(new_id())[method]
    request.request_id = ""

    fault = await refusal(getattr(stub, method)(request))

    assert fault.metadata["field"] == "request_id"


@pytest.mark.parametrize(
    ("method", "field", "value"),
    [
        ("ListConversations", "folder", 99),
        ("ListConversations", "page_size", -1),
        ("ListConversations", "channel_id", "no id"),
        ("SolveConversation", "expected_version", -1),
        ("SolveConversation", "seen_inbound_count", -1),
        ("ReopenConversation", "expected_version", -1),
        ("MoveConversation", "folder", conversation_v1.FOLDER_UNSPECIFIED),
        ("MoveConversation", "folder", 99),
        ("MoveConversation", "seen_inbound_count", -1),
        ("TagConversation", "tag", ""),
        ("UntagConversation", "tag", "x" * 41),
        ("ListConversations", "channel_kind", 99),
        ("MarkRead", "read_ordinal", -1),
        ("MarkUnread", "from_ordinal", 0),
        ("MarkUnread", "expected_version", 0),
    ],
)
async def test_values_out_of_range_are_named(
    stub: conversation_v1.ConversationServiceStub, method: str, field: str, value: object
) -> None:
    request = requests_for(new_id())[method]
    setattr(request, field, value)

    fault = await refusal(getattr(stub, method)(request))

    assert fault.code is grpc.StatusCode.INVALID_ARGUMENT
    assert fault.metadata["field"] == field


async def test_the_largest_numbers_do_no_harm(
    desk: Desk, stub: conversation_v1.ConversationServiceStub
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    requests = requests_for(ana.conversation_id)
    requests["MarkRead"].read_ordinal = 2**63 - 1
    requests["SolveConversation"].seen_inbound_count = 2**63 - 1

    mark = await refusal(stub.MarkRead(requests["MarkRead"]))
    await stub.SolveConversation(requests["SolveConversation"])
    late = await refusal(
        stub.ReopenConversation(
            conversation_v1.ReopenConversationRequest(
                conversation_id=ana.conversation_id,
                request_id=new_id(),
                expected_version=2**63 - 1,
            )
        )
    )

    assert mark.code is grpc.StatusCode.OUT_OF_RANGE
    assert mark.metadata["inbound_count"] == "1"
    assert late.reason == "VERSION_CONFLICT"


async def test_an_agent_stars_moves_and_finds_it_by_filters_and_counters(
    desk: Desk, stub: conversation_v1.ConversationServiceStub
) -> None:
    ana, bob = a_customer("Ana"), a_customer("Bob")
    await desk.apply(ana.writes(), bob.writes())
    requests = requests_for(ana.conversation_id)

    starred = (await stub.TagConversation(requests["TagConversation"])).conversation
    found = await stub.ListConversations(
        conversation_v1.ListConversationsRequest(
            priority_only=True,
            unread_only=True,
            channel_kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
        )
    )
    moved = (await stub.MoveConversation(requests["MoveConversation"])).conversation
    counters = (await stub.GetCounters(requests["GetCounters"])).counters

    assert starred.is_priority
    assert [one.id for one in found.conversations] == [ana.conversation_id]
    assert (moved.is_silenced, moved.is_priority) == (True, True)
    in_folders = {
        one.folder: (one.conversation_count, one.unread_count)
        for one in counters
        if not one.channel_id and not one.tag_id
    }
    assert in_folders == {conversation_v1.FOLDER_OPEN: (1, 1), conversation_v1.FOLDER_SPAM: (1, 1)}
    [of_star] = [one for one in counters if one.tag_id]
    assert (of_star.tag_id, of_star.folder) == (starred.tag_ids[0], conversation_v1.FOLDER_SPAM)


async def test_what_is_unread_again_and_who_has_seen_it_is_told(
    desk: Desk, stub: conversation_v1.ConversationServiceStub
) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    requests = requests_for(ana.conversation_id)

    read = (await stub.MarkRead(requests["MarkRead"])).conversation
    requests["MarkUnread"].expected_version = read.version
    unread = (await stub.MarkUnread(requests["MarkUnread"])).conversation
    got = await stub.GetConversation(requests["GetConversation"])

    assert (read.unread_count, unread.unread_count) == (0, 1)
    assert [seen.ordinal for seen in got.seen_by] == [1]


async def test_settings_that_are_left_out_stay(
    stub: conversation_v1.ConversationServiceStub, server: Serving, desk: Desk
) -> None:
    owner = conversation_v1.ConversationServiceStub(server.channel(Role.OWNER, desk.workspace_id))
    quiet = requests_for("")["UpdateInboxSettings"]

    await owner.UpdateInboxSettings(quiet)
    await owner.UpdateInboxSettings(conversation_v1.UpdateInboxSettingsRequest(request_id=new_id()))
    repeated = await owner.UpdateInboxSettings(quiet)
    late = await refusal(
        owner.UpdateInboxSettings(
            conversation_v1.UpdateInboxSettingsRequest(request_id=new_id(), expected_version=7)
        )
    )

    found = (await stub.GetInboxSettings(conversation_v1.GetInboxSettingsRequest())).settings
    assert (found.reopens_on_inbound, found.version) == (False, 1)
    assert repeated.settings == found
    assert late.reason == "VERSION_CONFLICT"


async def test_page_tokens_lead_through_the_whole_list(
    desk: Desk, stub: conversation_v1.ConversationServiceStub
) -> None:
    customers = [a_customer(str(number)) for number in range(5)]
    for minute, customer in enumerate(customers):
        await desk.apply(customer.writes(at=FIRST_DAY + timedelta(minutes=minute)))
    token, names = "", []

    while True:
        page = await stub.ListConversations(
            conversation_v1.ListConversationsRequest(page_size=2, page_token=token)
        )
        names += [conversation.contact.display_name for conversation in page.conversations]
        token = page.next_page_token
        if not token:
            break

    assert names == ["4", "3", "2", "1", "0"]


def forged(*parts: object) -> Callable[[str], str]:
    """A token with the right digest of its query, and other contents."""

    def forge(token: str) -> str:
        digest = orjson.loads(base64.urlsafe_b64decode(token + "=="))[0]
        return base64.urlsafe_b64encode(orjson.dumps([digest, *parts])).decode().rstrip("=")

    return forge


@pytest.mark.parametrize(
    "bend",
    [
        lambda token: token[:-1],
        lambda token: "x" * 5000,
        lambda token: "ñ",
        forged(),
        forged("yesterday", new_id()),
        forged("2026-01-01T00:00:00", new_id()),
        forged("0001-01-01T00:00:00+14:00", new_id()),
        forged("2026-01-01T00:00:00+00:00", "no id"),
        forged(1, 2),
    ],
)
async def test_a_bent_page_token_is_refused(
    desk: Desk, stub: conversation_v1.ConversationServiceStub, bend: Callable[[str], str]
) -> None:
    await desk.apply(a_customer().writes(), a_customer().writes())
    first = await stub.ListConversations(conversation_v1.ListConversationsRequest(page_size=1))

    fault = await refusal(
        stub.ListConversations(
            conversation_v1.ListConversationsRequest(page_token=bend(first.next_page_token))
        )
    )

    assert fault.reason == "PAGE_TOKEN_INVALID"


async def test_a_page_token_belongs_to_its_query(
    desk: Desk, stub: conversation_v1.ConversationServiceStub
) -> None:
    await desk.apply(a_customer().writes(), a_customer().writes())
    first = await stub.ListConversations(conversation_v1.ListConversationsRequest(page_size=1))

    for other in (
        conversation_v1.ListConversationsRequest(unread_only=True),
        conversation_v1.ListConversationsRequest(folder=conversation_v1.FOLDER_SOLVED),
        conversation_v1.ListConversationsRequest(channel_id=new_id()),
        conversation_v1.ListConversationsRequest(priority_only=True),
        conversation_v1.ListConversationsRequest(channel_kind=messaging_v1.CHANNEL_KIND_TELEGRAM),
    ):
        request = conversation_v1.ListConversationsRequest()
        request.CopyFrom(other)
        request.page_token = first.next_page_token
        assert (await refusal(stub.ListConversations(request))).reason == "PAGE_TOKEN_INVALID"
