"""The synchronous client and messaging's servicer, joined by grpcio-testing: no socket at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

import grpc
import grpc_testing
import pytest

from chassis.auth import Caller, Role
from inbox.messaging import v1
from inbox.messaging.v1 import messaging_service_pb2
from inbox_client import Inbox, InboxError, Retries
from services.messaging.model.faults import ConversationNotFound
from services.messaging.service.messaging import MessagingService
from tests.grpc_testing_adapter import Adapter
from tests.unit.messaging.builders import CONVERSATION
from tests.unit.messaging.stand_ins import WORKSPACE, Admitted, StandInWriters, means_of

MESSAGING = messaging_service_pb2.DESCRIPTOR.services_by_name["MessagingService"]
SEND = MESSAGING.methods_by_name["SendMessage"]
AT_ONCE = Retries(first_pause=timedelta(0))
WITHIN_SECONDS = 10
Answer = TypeVar("Answer")


class Joined:
    """A client on grpcio-testing's channel, and the servicer on its server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._channel = grpc_testing.channel([MESSAGING], grpc_testing.strict_real_time())
        self._pool = ThreadPoolExecutor(1)
        self.inbox = Inbox(self._channel, "ik_1.secret", retries=AT_ONCE)
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []

    def calls(self, call: Callable[[Inbox], Answer]) -> Future[Answer]:
        """The client's side, in a thread of its own."""
        return self._pool.submit(call, self.inbox)

    def passes(self, method: Any = SEND) -> None:
        """The servicer answers what the client asks."""
        rpc, metadata, request = self._take(method)
        served = self._server.invoke_unary_unary(method, metadata, request, WITHIN_SECONDS)
        response, trailing, code, details = served.termination()
        self._end(rpc, response, trailing, code, details)

    def loses_the_answer(self) -> None:
        """The servicer does what the client asks, and the client never hears of it."""
        rpc, metadata, request = self._take(SEND)
        served = self._server.invoke_unary_unary(SEND, metadata, request, WITHIN_SECONDS)
        served.termination()
        self._end(rpc, None, (), grpc.StatusCode.UNAVAILABLE, "the line was cut")

    def close(self) -> None:
        self._pool.shutdown()

    def _take(self, method: Any) -> tuple[Any, Any, Any]:
        metadata, request, rpc = self._channel.take_unary_unary(method)
        self.requests.append(request)
        self.metadata.append(dict(metadata))
        return rpc, metadata, request

    @staticmethod
    def _end(rpc: Any, response: Any, trailing: Any, code: Any, details: Any) -> None:
        rpc.send_initial_metadata(())
        rpc.terminate(response, trailing or (), code, details)


@pytest.fixture
def writers() -> StandInWriters:
    return StandInWriters()


@pytest.fixture
def joined(writers: StandInWriters) -> Iterator[Joined]:
    agent = Caller("maria", Role.AGENT, WORKSPACE, "María")
    with Adapter(Admitted(MessagingService(means_of(writers)), agent), MESSAGING) as adapter:
        joined = Joined(adapter.server())
        yield joined
        joined.close()


def test_a_send_arrives_with_the_key_and_an_id(joined: Joined, writers: StandInWriters) -> None:
    sending = joined.calls(lambda inbox: inbox.send(CONVERSATION, "hola"))
    joined.passes()

    message = sending.result(WITHIN_SECONDS)
    assert message.author.display_name == "María"
    (draft,) = writers.drafts
    assert draft.text == "hola"
    assert UUID(message.client_message_id)
    assert joined.metadata[0]["authorization"] == "Bearer ik_1.secret"


def test_a_lost_answer_is_asked_for_by_the_same_request(
    joined: Joined, writers: StandInWriters
) -> None:
    sending = joined.calls(lambda inbox: inbox.send(CONVERSATION, "hola"))
    joined.loses_the_answer()
    joined.passes()

    sending.result(WITHIN_SECONDS)
    first, second = joined.requests
    assert first.SerializeToString() == second.SerializeToString()
    assert len({draft.client_message_id for draft in writers.drafts}) == 1


def test_a_refusal_of_the_servicer_is_an_error_with_its_reason(
    joined: Joined, writers: StandInWriters
) -> None:
    writers.refusal = ConversationNotFound(conversation_id=CONVERSATION)

    sending = joined.calls(lambda inbox: inbox.send(CONVERSATION, "hola"))
    joined.passes()

    with pytest.raises(InboxError, match="CONVERSATION_NOT_FOUND") as refused:
        sending.result(WITHIN_SECONDS)
    error = refused.value
    assert error.code is grpc.StatusCode.NOT_FOUND
    assert error.metadata == {"conversation_id": CONVERSATION}
    assert error.request == joined.requests[0]
    assert CONVERSATION in error.message


def test_the_adapter_is_why_this_says_something(writers: StandInWriters) -> None:
    """The negative control: without it, a handler that nobody ran is a success."""
    server = grpc_testing.server_from_dictionary(
        {MESSAGING: MessagingService(means_of(writers))}, grpc_testing.strict_real_time()
    )
    joined = Joined(server)

    sending = joined.calls(lambda inbox: inbox.messaging.SendMessage(v1.SendMessageRequest()))
    joined.passes()

    never_awaited = cast("Any", sending.result(WITHIN_SECONDS))
    assert not isinstance(never_awaited, v1.SendMessageResponse)
    never_awaited.close()
    joined.close()
    assert writers.drafts == []
