"""The handlers of messaging as gRPC sees them, through grpcio-testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import grpc_testing
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from chassis.auth import Caller, Role, VisitorBinding
from chassis.ids import new_id
from inbox.error import v1 as error_v1
from inbox.messaging import v1
from inbox.messaging.v1 import messaging_service_pb2, web_chat_service_pb2
from services.messaging.model.faults import ConversationNotFound
from services.messaging.service.means import Means
from services.messaging.service.messaging import MessagingService
from services.messaging.service.web_chat import WebChatService
from tests.grpc_testing_adapter import Adapter
from tests.unit.messaging.builders import CHANNEL, CONVERSATION
from tests.unit.messaging.stand_ins import WORKSPACE, Admitted, StandInWriters, means_of

MESSAGING = messaging_service_pb2.DESCRIPTOR.services_by_name["MessagingService"]
WEB_CHAT = web_chat_service_pb2.DESCRIPTOR.services_by_name["WebChatService"]
AGENT = Caller("maria", Role.AGENT, WORKSPACE, "María")
VISITOR = Caller(
    "visitor", Role.VISITOR, WORKSPACE, "Ana", visitor=VisitorBinding(CHANNEL, "v_1", CONVERSATION)
)


@pytest.fixture
def writers() -> StandInWriters:
    return StandInWriters()


@pytest.fixture
def means(writers: StandInWriters) -> Means:
    return means_of(writers)


@pytest.fixture
def messaging(means: Means) -> Iterator[Any]:
    servicer = MessagingService(means)
    with Adapter(Admitted(servicer, AGENT), MESSAGING) as adapter:
        yield adapter.server()


@pytest.fixture
def web_chat(means: Means) -> Iterator[Any]:
    with Adapter(Admitted(WebChatService(means), VISITOR), WEB_CHAT) as adapter:
        yield adapter.server()


def call(server: Any, method: Any, request: Any) -> tuple[Any, grpc.StatusCode, ErrorInfo]:
    """The response, the status code, and the details of a refusal."""
    rpc = server.invoke_unary_unary(method, (), request, 5)
    response, trailing, code, _ = rpc.termination()
    info = ErrorInfo()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            Status.FromString(value).details[0].Unpack(info)
    return response, code, info


def send_request(**fields: Any) -> v1.SendMessageRequest:
    values = {"conversation_id": CONVERSATION, "client_message_id": new_id(), "text": "hola"}
    return v1.SendMessageRequest(**{**values, **fields})


def test_plain_grpcio_testing_takes_a_handler_nobody_awaited_for_a_success(means: Means) -> None:
    servicer = MessagingService(means)
    server = grpc_testing.server_from_dictionary(
        {MESSAGING: servicer}, grpc_testing.strict_real_time()
    )
    method = MESSAGING.methods_by_name["SendMessage"]

    rpc = server.invoke_unary_unary(method, (), v1.SendMessageRequest(), 5)
    response, _, code, _ = rpc.termination()
    response.close()

    assert code is grpc.StatusCode.OK, "why tests here go through the adapter"


def test_a_send_is_answered_with_the_stored_message(
    messaging: Any, writers: StandInWriters
) -> None:
    request = send_request(client_message_id=new_id().upper())

    response, code, _ = call(messaging, MESSAGING.methods_by_name["SendMessage"], request)

    assert code is grpc.StatusCode.OK
    assert response.message.author.display_name == "María"
    assert response.message.client_message_id == request.client_message_id.lower()
    assert not response.replayed
    (draft,) = writers.drafts
    assert (draft.conversation_id, draft.text) == (CONVERSATION, "hola")


def test_a_refusal_of_the_writer_is_the_calls_error(
    messaging: Any, writers: StandInWriters
) -> None:
    writers.refusal = ConversationNotFound(conversation_id=CONVERSATION)

    _, code, info = call(messaging, MESSAGING.methods_by_name["SendMessage"], send_request())

    assert code is grpc.StatusCode.NOT_FOUND
    assert info.reason == "CONVERSATION_NOT_FOUND"
    assert info.metadata["conversation_id"] == CONVERSATION


@pytest.mark.parametrize(
    ("method", "request_", "reason"),
    [
        ("SendMessage", send_request(conversation_id="x"), "INVALID_ARGUMENT"),
        ("SendMessage", send_request(client_message_id=""), "INVALID_ARGUMENT"),
        ("SendMessage", send_request(text=" "), "TEXT_EMPTY"),
        ("SendMessage", send_request(mode_epoch=-1), "INVALID_ARGUMENT"),
        ("GetMessage", v1.GetMessageRequest(), "INVALID_ARGUMENT"),
        ("GetThread", v1.GetThreadRequest(conversation_id="1"), "INVALID_ARGUMENT"),
        ("ListReceipts", v1.ListReceiptsRequest(), "INVALID_ARGUMENT"),
        ("SearchMessages", v1.SearchMessagesRequest(), "INVALID_ARGUMENT"),
        ("SearchMessages", v1.SearchMessagesRequest(query="…"), "QUERY_WITHOUT_WORDS"),
        (
            "ListMessages",
            v1.ListMessagesRequest(conversation_id=CONVERSATION, before_seq=2, after_seq=1),
            "INVALID_ARGUMENT",
        ),
        (
            "SetMode",
            v1.SetModeRequest(conversation_id=CONVERSATION, request_id=new_id()),
            "INVALID_ARGUMENT",
        ),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_before_the_database(
    messaging: Any, writers: StandInWriters, method: str, request_: Any, reason: str
) -> None:
    _, code, info = call(messaging, MESSAGING.methods_by_name[method], request_)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert info.reason == reason
    assert writers.drafts == []


def test_a_stream_of_sends_answers_every_item(messaging: Any) -> None:
    method = MESSAGING.methods_by_name["SendMessages"]
    rpc = messaging.invoke_stream_stream(method, (), 5)

    rpc.send_request(
        v1.SendMessagesRequest(
            items=[
                v1.SendMessagesItem(ref=7, request=send_request()),
                v1.SendMessagesItem(ref=8, request=send_request(text="")),
            ]
        )
    )
    # The adapter's iterator of requests holds its loop until the next one, or the end.
    rpc.requests_closed()
    results: dict[int, v1.SendMessagesResult] = {}
    while len(results) < 2:
        results.update({result.ref: result for result in rpc.take_response().results})
    _, code, _ = rpc.termination()

    assert code is grpc.StatusCode.OK
    assert results[7].sent.message.text == "hola"
    assert results[8].error.reason == error_v1.REASON_TEXT_EMPTY


def test_a_visitors_post_is_a_customers_draft_that_may_open_its_conversation(
    web_chat: Any, writers: StandInWriters
) -> None:
    request = v1.PostMessageRequest(client_message_id=new_id(), text="hola")

    response, code, _ = call(web_chat, WEB_CHAT.methods_by_name["PostMessage"], request)

    assert code is grpc.StatusCode.OK
    assert response.message.author_kind == v1.VISITOR_AUTHOR_KIND_SELF
    (draft,) = writers.drafts
    assert draft.conversation_id == CONVERSATION
    assert draft.opening is not None
    assert (draft.opening.external_id, draft.opening.customer_name) == ("v_1", "Ana")


def test_a_visitor_says_how_far_from_the_beginning_only(web_chat: Any) -> None:
    request = v1.AcknowledgeMessagesRequest(delivered_up_to_seq=-1)

    _, code, info = call(web_chat, WEB_CHAT.methods_by_name["AcknowledgeMessages"], request)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert info.metadata["field"] == "delivered_up_to_seq"
