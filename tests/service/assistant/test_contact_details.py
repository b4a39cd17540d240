"""Details that customers give the AI: kept for a handover, and written down with the contact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chassis.auth import Role, require_caller
from chassis.errors import NotFound, PermissionDenied, TemporarilyUnavailable
from chassis.ids import new_id
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from services.assistant.actions.ports import DetailRefused, Place
from services.assistant.model.settings import OpenAiSettings, ProviderKind
from services.assistant.model.turns import CollectedField
from services.assistant.neighbours import BotTokens, GrpcContacts
from tests.service.assistant.desk import Desk
from tests.service.assistant.messaging_double import Thread
from tests.service.assistant.openai_double import OpenAiDouble, openai_double, tool
from tests.serving import Tokens, new_workspace_id, serving

SIZE = ("size", "M", 1)
SAVES = tool("save_contact_field", key="size", value="M")
HANDS_OVER = tool("hand_over", summary="Wants a shirt.")


@pytest.fixture(autouse=True)
async def _closed(desk: Desk) -> AsyncIterator[None]:
    yield
    await desk.providers.close()


async def asks(desk: Desk, double: OpenAiDouble, text: str) -> Thread:
    """A customer asks, and the endpoint's tools are used."""
    openai = OpenAiSettings(double.url, "a-model")
    await desk.chooses(provider=ProviderKind.OPENAI, openai=openai, api_key="sk-secret")
    customer = desk.customer()
    customer.writes(text)
    await desk.answer_all(customer)
    return customer


def handed(customer: Thread) -> list[tuple[str, str, int]]:
    """The details on the card of the handover."""
    return [
        (one.key, one.value, one.source_seq)
        for handover in customer.handovers
        for one in handover.fields
    ]


async def test_a_detail_goes_to_the_contact_with_the_message_it_was_read_from(desk: Desk) -> None:
    async with openai_double(SAVES, HANDS_OVER) as double:
        ana = await asks(desk, double, "A shirt, size M")

    [(conversation_id, detail, _)] = desk.contacts.told
    assert conversation_id == ana.conversation_id
    assert (detail.key, detail.value, detail.source_seq) == SIZE
    assert handed(ana) == [SIZE]


async def test_what_the_contact_does_not_take_the_model_hears_and_nobody_keeps(desk: Desk) -> None:
    desk.contacts.failure = DetailRefused("a member wrote the field size")
    async with openai_double(SAVES, HANDS_OVER) as double:
        ana = await asks(desk, double, "A shirt, size M")

    assert "a member wrote the field size" in double.messages()[-1]["content"]
    assert handed(ana) == []
    [turn] = await desk.turns()
    assert [one.is_refused for one in turn.tool_calls] == [True, False]


async def test_while_contacts_are_away_a_detail_is_kept_for_the_handover(desk: Desk) -> None:
    desk.contacts.failure = TemporarilyUnavailable(part="conversation")
    async with openai_double(SAVES, HANDS_OVER) as double:
        ana = await asks(desk, double, "A shirt, size M")

    assert handed(ana) == [SIZE]
    assert desk.contacts.told == []


@dataclass
class Conversation(conversation_v1.ContactServiceServicer):
    """Conversation, as far as the AI calls it."""

    requests: list[conversation_v1.SetContactFieldRequest] = field(default_factory=list)
    callers: list[Any] = field(default_factory=list)
    failure: Exception | None = None

    async def SetContactField(
        self, request: conversation_v1.SetContactFieldRequest, context: Any
    ) -> conversation_v1.SetContactFieldResponse:
        self.requests.append(request)
        self.callers.append(require_caller())
        if self.failure is not None:
            raise self.failure
        return conversation_v1.SetContactFieldResponse()


class Identity(identity_v1.IdentityServiceServicer):
    """Identity, as far as the AI calls it."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def IssueBotToken(self, request: Any, context: Any) -> identity_v1.IssueBotTokenResponse:
        workspace_id = require_caller().workspace
        token = self._tokens.token(Role.BOT, workspace_id, display_name=request.display_name)
        issued = identity_v1.AccessToken(token=token)
        issued.expire_time.FromDatetime(self._tokens.clock.now() + timedelta(minutes=10))
        return identity_v1.IssueBotTokenResponse(access_token=issued)


@dataclass(eq=False)
class OfMember(PermissionDenied):
    """As conversation says it."""

    key: str
    reason = "CONTACT_FIELD_OF_MEMBER"

    def __str__(self) -> str:
        return f"a member wrote the field {self.key}"


@dataclass(eq=False)
class NotProjected(NotFound):
    """As conversation says it a moment before it has heard of a conversation."""

    reason = "CONVERSATION_NOT_FOUND"


@pytest.fixture
async def conversation() -> AsyncIterator[tuple[Conversation, GrpcContacts]]:
    """A stand-in, and the port to it."""
    stand_in, tokens = Conversation(), Tokens()  # type: ignore[abstract]
    async with serving(
        (conversation_v1.add_ContactServiceServicer_to_server, stand_in),
        (identity_v1.add_IdentityServiceServicer_to_server, Identity(tokens)),  # type: ignore[abstract]
        tokens=tokens,
    ) as server:
        suite = server.service_channel()
        anonymous = server.channel_with(())
        yield stand_in, GrpcContacts(anonymous, BotTokens(suite, tokens.clock))


PLACE = Place(new_workspace_id(), new_id(), "Iris")
DETAIL = CollectedField(*SIZE)


async def test_conversation_is_told_by_the_workspaces_bot(
    conversation: tuple[Conversation, GrpcContacts],
) -> None:
    stand_in, contacts = conversation
    request_id = new_id()

    await contacts.save_field(PLACE, DETAIL, request_id=request_id)

    assert stand_in.requests == [
        conversation_v1.SetContactFieldRequest(
            source_conversation_id=PLACE.conversation_id,
            source_seq=1,
            request_id=request_id,
            key="size",
            value="M",
        )
    ]
    [caller] = stand_in.callers
    assert (caller.role, caller.workspace_id) == (Role.BOT, PLACE.workspace_id)
    assert caller.display_name == "Iris"


@pytest.mark.parametrize(
    ("failure", "heard"),
    [
        (OfMember("size"), DetailRefused),
        (NotProjected(), TemporarilyUnavailable),
        (TemporarilyUnavailable(part="the database"), TemporarilyUnavailable),
    ],
)
async def test_a_refusal_is_for_good_and_an_absence_is_not(
    conversation: tuple[Conversation, GrpcContacts],
    failure: Exception,
    heard: type[Exception],
) -> None:
    stand_in, contacts = conversation
    stand_in.failure = failure

    with pytest.raises(heard):
        await contacts.save_field(PLACE, DETAIL, request_id=new_id())
