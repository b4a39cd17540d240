"""What the client reads from the contracts, for every RPC there is."""

from __future__ import annotations

from uuid import UUID

import pytest

from chassis.policy import policy_of
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from inbox_client import Inbox
from inbox_client.methods import ID_FIELDS, method_of
from tests.contracts import Rpc, all_contracts, all_rpcs

UNARY = [
    rpc
    for rpc in all_rpcs()
    if not (rpc.descriptor.client_streaming or rpc.descriptor.server_streaming)
]
WRITES = [rpc for rpc in UNARY if not rpc.policy.read_only]
WITHOUT_ID = {
    # Named by what they change, or by a version the caller saw; never tried again in doubt.
    "ChannelService/DisconnectChannel",
    "ChannelService/TestChannel",
    "ChannelService/UpdateChannel",
    "IdentityService/ChangePassword",
    "IdentityService/RemoveMember",
    "IdentityService/RevokeApiKey",
    "IdentityService/UpdateMember",
    "MessagingService/UpdateMessagingSettings",
    # Credentials: a second one is a second one.
    "IdentityService/AcceptInvite",
    "IdentityService/CreateSignInLink",
    "IdentityService/CreateTicket",
    "IdentityService/ExchangeToken",
    "IdentityService/IssueBotToken",
    "IdentityService/IssueVisitorToken",
    "IdentityService/SignIn",
    "IdentityService/SignOut",
    "WebChatService/OpenSession",
    # The next word replaces this one.
    "RealtimeService/PublishAiActivity",
    "RealtimeService/PublishPresence",
    "WebChatService/AcknowledgeMessages",
    # Operators try again by hand.
    "DeadLetterService/RedriveDeadLetters",
    # The platform tells it again.
    "ChannelService/IngestWebhook",
}


def name_of(rpc: Rpc) -> str:
    return rpc.name


@pytest.mark.parametrize("rpc", WRITES, ids=name_of)
def test_a_write_gets_an_id_before_its_first_try(rpc: Rpc) -> None:
    method, given = method_of(rpc.path), rpc.request()

    sent = method.completed(given)

    assert method.may_be_repeated is (rpc.name not in WITHOUT_ID)
    assert given == rpc.request(), "the caller's own request is left alone"
    if method.id_field:
        assert UUID(getattr(sent, method.id_field))
        assert method.completed(sent) == sent, "an id stays what it is"
    else:
        assert sent == given
        assert not any(name in rpc.descriptor.input_type.fields_by_name for name in ID_FIELDS)


@pytest.mark.parametrize("rpc", [rpc for rpc in UNARY if rpc.policy.read_only], ids=name_of)
def test_a_reading_call_may_always_be_repeated(rpc: Rpc) -> None:
    assert method_of(rpc.path).may_be_repeated


@pytest.mark.parametrize("rpc", [rpc for rpc in all_rpcs() if rpc not in UNARY], ids=name_of)
def test_a_stream_ends_as_late_as_its_service_allows(rpc: Rpc) -> None:
    assert method_of(rpc.path).longest == policy_of(rpc.descriptor).longest


def test_two_requests_get_two_ids() -> None:
    method = method_of("/inbox.messaging.v1.MessagingService/SendMessage")
    request = messaging_v1.SendMessageRequest(text="hola")

    assert method.completed(request) != method.completed(request)


def test_every_service_that_a_key_may_call_has_a_namespace() -> None:
    with Inbox("localhost:1", "ik_1.x") as inbox:
        offered = {type(stub).__name__ for stub in vars(inbox).values()}
    theirs = {
        f"{contract.service.name}Stub"
        for contract in all_contracts()
        for method in contract.service.methods
        if {"agent", "bot", "owner"} & {role.value for role in policy_of(method).roles}
    }

    assert conversation_v1.ConversationServiceStub.__name__ in theirs
    assert theirs <= offered
