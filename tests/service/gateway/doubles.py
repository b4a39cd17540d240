"""The services behind the gateway, made small: the same contracts, over real gRPC on loopback."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2
from joserfc.jwk import OKPKey

from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from tests.service.gateway.log_double import Log

SESSION = "is_1.secret"
WORKSPACE = "0192f0c1-7c00-7000-8000-000000000001"
CHANNEL = "0192f0c1-7c00-7000-8000-0000000000c1"
SERVICE_KEY = "service." + "k" * 40


async def refuse(
    context: grpc.aio.ServicerContext[Any, Any],
    code: grpc.StatusCode,
    reason: str,
    **metadata: str,
) -> Any:
    """End a call as chassis.rpc does: a status with an ErrorInfo."""
    packed = AnyMessage()
    packed.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="inbox", metadata=metadata))
    status = status_pb2.Status(code=code.value[0], message=f"about {reason}", details=[packed])
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
    await context.abort(code, status.message)


def metadata_of(context: grpc.aio.ServicerContext[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in context.invocation_metadata() or ()}


@dataclass
class Identity(identity_v1.IdentityServiceServicer):
    """Knows one session; each exchange gives a token with the next number."""

    exchanges: int = 0
    refused_tokens: set[str] = field(default_factory=set)
    is_away: bool = False
    tickets: dict[str, str] = field(default_factory=dict)
    """Unused tickets and the member they stand for."""
    role: policy_v1.Role.ValueType = policy_v1.ROLE_AGENT
    expires_at: int = 4_000_000_000
    ended_sessions: list[str] = field(default_factory=list)
    next_ticket: int = 0
    sign_in_addresses: list[str] = field(default_factory=list)
    signing_key: OKPKey = field(
        default_factory=lambda: OKPKey.generate_key(
            "Ed25519", {"kid": "test-key"}, private=True, auto_kid=False
        )
    )
    refusal: tuple[grpc.StatusCode, str] | None = None
    """What GetSelf answers."""
    delay_seconds: float = 0
    """Before GetSelf answers."""

    async def SignIn(self, request: Any, context: Any) -> Any:
        self.sign_in_addresses.append(metadata_of(context).get("x-inbox-client-address", ""))
        if request.password.password != "right" and request.link_token != "il_1.good":
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_REFUSED")
        return identity_v1.SignInResponse(
            session_token=SESSION, member=identity_v1.Member(id="m1", display_name="Ana")
        )

    async def SignOut(self, request: Any, context: Any) -> Any:
        self.ended_sessions.append(request.session_token)
        return identity_v1.SignOutResponse()

    async def AcceptInvite(self, request: Any, context: Any) -> Any:
        return identity_v1.AcceptInviteResponse(session_token=SESSION)

    async def GetSelf(self, request: Any, context: Any) -> Any:
        await asyncio.sleep(self.delay_seconds)
        if self.refusal is not None:
            await refuse(context, *self.refusal, id="7")
        credential = metadata_of(context).get("authorization", "")
        if not credential:
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_MISSING")
        if credential in self.refused_tokens:
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")
        return identity_v1.GetSelfResponse(
            subject=identity_v1.Subject(id=credential, workspace_id=WORKSPACE)
        )

    async def GetJwks(self, request: Any, context: Any) -> Any:
        keys = {"keys": [self.signing_key.as_dict(private=False)]}
        return identity_v1.GetJwksResponse(jwks_json=json.dumps(keys))

    async def CreateTicket(self, request: Any, context: Any) -> Any:
        return identity_v1.CreateTicketResponse(ticket=self.issue_ticket("m1"))

    def issue_ticket(self, member_id: str) -> str:
        self.next_ticket += 1
        ticket = f"it_{self.next_ticket}.secret"
        self.tickets[ticket] = member_id
        return ticket

    async def ExchangeToken(self, request: Any, context: Any) -> Any:
        self.exchanges += 1
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        member_id = self.tickets.pop(request.ticket, "")
        if request.session_token == SESSION:
            member_id = "m1"
        if not member_id:
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")
        answer = identity_v1.ExchangeTokenResponse(
            subject=identity_v1.Subject(
                id=member_id, workspace_id=WORKSPACE, role=self.role, display_name="Ana"
            ),
            credential_id=f"credential-of-{member_id}",
        )
        answer.access_token.token = f"token-{self.exchanges}"
        answer.access_token.expire_time.seconds = self.expires_at
        return answer


@dataclass
class Channels(messaging_v1.ChannelServiceServicer):
    """Stores webhook calls; may be told to refuse."""

    stored: list[messaging_v1.IngestWebhookRequest] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    refusal: tuple[grpc.StatusCode, str] | None = None

    async def IngestWebhook(self, request: Any, context: Any) -> Any:
        self.credentials.append(metadata_of(context)["authorization"])
        if self.refusal is not None:
            await refuse(context, *self.refusal)
        self.stored.append(request)
        challenge = request.query.get("hub.challenge", "")
        return messaging_v1.IngestWebhookResponse(body=challenge.encode())


@dataclass
class WebChat(messaging_v1.WebChatServiceServicer):
    """One chat box that one site may embed."""

    log: Log
    acknowledged: list[messaging_v1.AcknowledgeMessagesRequest] = field(default_factory=list)
    allowed_origins: list[str] = field(default_factory=lambda: ["https://shop.example"])

    async def GetEmbedding(self, request: Any, context: Any) -> Any:
        if request.channel_id != CHANNEL:
            await refuse(context, grpc.StatusCode.NOT_FOUND, "CHANNEL_NOT_FOUND")
        return messaging_v1.GetEmbeddingResponse(allowed_origins=self.allowed_origins)

    async def ListMessages(self, request: Any, context: Any) -> Any:
        assert metadata_of(context)["authorization"].startswith("Bearer eyJ")
        return messaging_v1.WebChatServiceListMessagesResponse(
            messages=[messaging_v1.VisitorMessage(seq=self.log.last_seq)]
        )

    async def PostMessage(self, request: Any, context: Any) -> Any:
        if not request.text:
            await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "TEXT_EMPTY")
        message = self.log.message(request.text, client_message_id=request.client_message_id)
        return messaging_v1.PostMessageResponse(
            message=messaging_v1.VisitorMessage(id=message.id, text=message.text)
        )

    async def AcknowledgeMessages(self, request: Any, context: Any) -> Any:
        self.acknowledged.append(request)
        return messaging_v1.AcknowledgeMessagesResponse()
