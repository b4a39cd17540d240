"""ConversationService's handlers as gRPC sees them, through grpcio-testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from chassis.auth import Caller, Role, current_caller
from chassis.database import Database
from chassis.ids import WorkspaceId
from inbox.conversation import v1
from inbox.conversation.v1 import conversation_service_pb2
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions import assigning, folders, inbox, reading, tagging
from services.conversation.actions.inbox import ListQuery, Page
from services.conversation.actions.means import Means
from services.conversation.actions.ports import Members
from services.conversation.mapping import conversation_to
from services.conversation.model.conversation import Folder
from services.conversation.model.thread import ChannelKind
from services.conversation.service.inbox import ConversationService
from services.conversation.store.listing import BEFORE_ALL, Place
from tests.fakes import FakeClock
from tests.grpc_testing_adapter import Adapter
from tests.unit.conversation.facts import CHANNEL, CONVERSATION, WORKSPACE, a_conversation, message

SERVICE = conversation_service_pb2.DESCRIPTOR.services_by_name["ConversationService"]
TAG = "018f0000-0000-7000-8000-00000000a001"
REQUEST = "018f0000-0000-7000-8000-00000000aaaa"
AGENT = Caller("member", Role.AGENT, WorkspaceId(WORKSPACE))


class Admitted:
    """The servicer behind a door that let an agent in, as `chassis.rpc` does."""

    def __init__(self, servicer: ConversationService) -> None:
        self._servicer = servicer

    def __getattr__(self, method: str) -> Any:
        async def handle(request: Any, context: Any) -> Any:
            current_caller.set(AGENT)
            return await getattr(self._servicer, method)(request, context)

        return handle


@pytest.fixture
def server() -> Iterator[Any]:
    """Without a database: whoever passes the checks of a request would find none."""
    means = Means(cast("Database", None), FakeClock(), lambda: None, cast("Members", None))
    with Adapter(Admitted(ConversationService(means)), SERVICE) as adapter:
        yield adapter.server()


def call(server: Any, method: str, request: Any) -> tuple[Any, grpc.StatusCode, ErrorInfo]:
    """The response, the status code, and the details of a refusal."""
    rpc = server.invoke_unary_unary(SERVICE.methods_by_name[method], (), request, 5)
    response, trailing, code, _ = rpc.termination()
    info = ErrorInfo()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            Status.FromString(value).details[0].Unpack(info)
    return response, code, info


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListConversations", v1.ListConversationsRequest(channel_id="x"), "channel_id"),
        ("ListConversations", v1.ListConversationsRequest(page_size=-1), "page_size"),
        ("GetConversation", v1.GetConversationRequest(), "conversation_id"),
        ("SolveConversation", v1.SolveConversationRequest(request_id=REQUEST), "conversation_id"),
        (
            "SolveConversation",
            v1.SolveConversationRequest(conversation_id=CONVERSATION),
            "request_id",
        ),
        (
            "ReopenConversation",
            v1.ReopenConversationRequest(conversation_id=CONVERSATION, request_id="1"),
            "request_id",
        ),
        (
            "MoveConversation",
            v1.MoveConversationRequest(conversation_id=CONVERSATION, request_id=REQUEST),
            "folder",
        ),
        (
            "TagConversation",
            v1.TagConversationRequest(conversation_id=CONVERSATION, request_id=REQUEST),
            "tag",
        ),
        (
            "UntagConversation",
            v1.UntagConversationRequest(conversation_id=CONVERSATION, tag="x" * 41),
            "tag",
        ),
        ("ListConversations", v1.ListConversationsRequest(tags=list("abcdef")), "tags"),
        ("ListConversations", v1.ListConversationsRequest(tags=[""]), "tag"),
        (
            "ListConversations",
            v1.ListConversationsRequest(channel_kind=cast("Any", 99)),
            "channel_kind",
        ),
        (
            "MarkUnread",
            v1.MarkUnreadRequest(conversation_id=CONVERSATION, request_id=REQUEST, from_ordinal=1),
            "expected_version",
        ),
        (
            "MarkUnread",
            v1.MarkUnreadRequest(conversation_id=CONVERSATION, request_id=REQUEST),
            "from_ordinal",
        ),
        ("UpdateInboxSettings", v1.UpdateInboxSettingsRequest(), "request_id"),
        ("ListConversations", v1.ListConversationsRequest(assignee="somebody"), "assignee"),
        (
            "AssignConversation",
            v1.AssignConversationRequest(conversation_id=CONVERSATION, member_id="x"),
            "member_id",
        ),
        (
            "AssignConversation",
            v1.AssignConversationRequest(conversation_id=CONVERSATION),
            "request_id",
        ),
        ("SaveDraft", v1.SaveDraftRequest(conversation_id=CONVERSATION), "text"),
        ("SaveDraft", v1.SaveDraftRequest(conversation_id=CONVERSATION, text="x"), "request_id"),
        (
            "SaveDraft",
            v1.SaveDraftRequest(conversation_id=CONVERSATION, text="x" * 20_001),
            "text",
        ),
        ("DeleteDraft", v1.DeleteDraftRequest(conversation_id=CONVERSATION), "request_id"),
        ("MarkRead", v1.MarkReadRequest(conversation_id=CONVERSATION), "request_id"),
        (
            "MarkRead",
            v1.MarkReadRequest(conversation_id=CONVERSATION, request_id=REQUEST, read_ordinal=-1),
            "read_ordinal",
        ),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_before_the_database(
    server: Any, method: str, request_: Any, field: str
) -> None:
    _, code, info = call(server, method, request_)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert (info.domain, info.reason, info.metadata["field"]) == (
        "inbox",
        "INVALID_ARGUMENT",
        field,
    )


def test_a_list_asks_for_open_conversations_unless_told_otherwise(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = a_conversation(preview=message(1, 1).preview, inbound_count=3, read_ordinal=1)
    asked: list[ListQuery] = []

    async def list_conversations(means: Means, caller: Caller, query: ListQuery) -> Page:
        assert caller is AGENT
        asked.append(query)
        last = query.after != BEFORE_ALL
        return Page([shown], None if last else Place(shown.last_activity_time, shown.id))

    monkeypatch.setattr(inbox, "list_conversations", list_conversations)
    first, _, _ = call(server, "ListConversations", v1.ListConversationsRequest())
    second, _, _ = call(
        server, "ListConversations", v1.ListConversationsRequest(page_token=first.next_page_token)
    )
    call(
        server,
        "ListConversations",
        v1.ListConversationsRequest(
            folder=v1.FOLDER_SPAM,
            unread_only=True,
            channel_id=CHANNEL.upper(),
            channel_kind=messaging_v1.CHANNEL_KIND_WEB_CHAT,
            tags=["VIP", "vip"],
            priority_only=True,
            page_size=9999,
        ),
    )
    for assignee in ("me", "nobody", TAG.upper()):
        call(
            server,
            "ListConversations",
            v1.ListConversationsRequest(assignee=assignee, waiting_only=True),
        )

    assert asked == [
        ListQuery(50),
        ListQuery(50, after=Place(shown.last_activity_time, shown.id)),
        ListQuery(
            200,
            Folder.SPAM,
            unread_only=True,
            channel_id=CHANNEL,
            channel_kind=ChannelKind.WEB_CHAT,
            tags=("priority", "vip"),
        ),
        ListQuery(50, waiting_only=True, assignee_id=AGENT.id),
        ListQuery(50, waiting_only=True, unassigned_only=True),
        ListQuery(50, waiting_only=True, assignee_id=TAG),
    ]
    assert first.conversations[0] == conversation_to(shown)
    assert first.conversations[0].unread_count == 2
    assert second.next_page_token == ""


def test_commands_hand_over_what_they_were_given(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[Any, ...]] = []

    def heard_by(name: str) -> Any:
        async def action(means: Means, caller: Caller, *given: Any, **named: Any) -> Any:
            heard.append((name, *given, *named.values()))
            return a_conversation()

        return action

    for home, name in (
        (folders, "move_conversation"),
        (tagging, "tag_conversation"),
        (tagging, "untag_conversation"),
        (assigning, "assign_conversation"),
        (reading, "mark_read"),
        (reading, "mark_unread"),
    ):
        monkeypatch.setattr(home, name, heard_by(name))
    answers = [
        call(
            server,
            "SolveConversation",
            v1.SolveConversationRequest(
                conversation_id=CONVERSATION,
                request_id=REQUEST,
                expected_version=4,
                seen_inbound_count=5,
            ),
        ),
        call(
            server,
            "ReopenConversation",
            v1.ReopenConversationRequest(
                conversation_id=CONVERSATION, request_id=REQUEST, expected_version=6
            ),
        ),
        call(
            server,
            "MarkRead",
            v1.MarkReadRequest(conversation_id=CONVERSATION, request_id=REQUEST, read_ordinal=7),
        ),
        call(
            server,
            "MoveConversation",
            v1.MoveConversationRequest(
                conversation_id=CONVERSATION,
                request_id=REQUEST,
                folder=v1.FOLDER_SPAM,
                expected_version=8,
                seen_inbound_count=9,
            ),
        ),
        call(
            server,
            "TagConversation",
            v1.TagConversationRequest(
                conversation_id=CONVERSATION, request_id=REQUEST, tag="VIP", expected_version=10
            ),
        ),
        call(
            server,
            "UntagConversation",
            v1.UntagConversationRequest(
                conversation_id=CONVERSATION, request_id=REQUEST, tag=TAG, expected_version=11
            ),
        ),
        call(
            server,
            "MarkUnread",
            v1.MarkUnreadRequest(
                conversation_id=CONVERSATION,
                request_id=REQUEST,
                from_ordinal=12,
                expected_version=13,
            ),
        ),
        call(
            server,
            "AssignConversation",
            v1.AssignConversationRequest(
                conversation_id=CONVERSATION, request_id=REQUEST, member_id=TAG, expected_version=14
            ),
        ),
        call(
            server,
            "AssignConversation",
            v1.AssignConversationRequest(conversation_id=CONVERSATION, request_id=REQUEST),
        ),
    ]

    assert [code for _, code, _ in answers] == [grpc.StatusCode.OK] * 9
    assert {answer.conversation.id for answer, _, _ in answers} == {CONVERSATION}
    assert heard == [
        ("move_conversation", CONVERSATION, Folder.SOLVED, REQUEST, 4, 5),
        ("move_conversation", CONVERSATION, Folder.OPEN, REQUEST, 6, 0),
        ("mark_read", CONVERSATION, 7),
        ("move_conversation", CONVERSATION, Folder.SPAM, REQUEST, 8, 9),
        ("tag_conversation", CONVERSATION, "vip", REQUEST, 10),
        ("untag_conversation", CONVERSATION, TAG, REQUEST, 11),
        ("mark_unread", CONVERSATION, 12, REQUEST, 13),
        ("assign_conversation", CONVERSATION, TAG, REQUEST, 14),
        ("assign_conversation", CONVERSATION, None, REQUEST, 0),
    ]
