"""Asking identity: its public keys, tokens for API keys, and what it revoked."""

from __future__ import annotations

import grpc

from chassis.auth import CredentialExpired, CredentialInvalid
from chassis.errors import OutOfRange, TemporarilyUnavailable
from chassis.rpc.channel import Channel
from chassis.rpc.faults import remote_fault
from inbox.event import v1 as event_v1
from inbox.identity import v1 as identity_v1

ANSWER_WITHIN_SECONDS = 3.0


class IdentityClient:
    """Identity, as the other services see it."""

    def __init__(self, channel: Channel) -> None:
        self._identity = identity_v1.IdentityServiceStub(channel)
        self._log = event_v1.EventLogServiceStub(channel)

    async def exchange(self, api_key: str) -> str:
        """A token for an API key.

        Raises: CredentialInvalid, CredentialExpired, TemporarilyUnavailable.
        """
        request = identity_v1.ExchangeTokenRequest(api_key=api_key)
        try:
            response = await self._identity.ExchangeToken(request, timeout=ANSWER_WITHIN_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _fault(error) from error
        return response.access_token.token

    async def key_set(self) -> str:
        """The keys that verify tokens, as a JSON Web Key Set. Raises: TemporarilyUnavailable."""
        request = identity_v1.GetJwksRequest()
        try:
            response = await self._identity.GetJwks(request, timeout=ANSWER_WITHIN_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise _fault(error) from error
        return response.jwks_json

    async def read_log(self, request: event_v1.ReadEventsRequest) -> event_v1.ReadEventsResponse:
        """A part of identity's log. Raises: OutOfRange, TemporarilyUnavailable."""
        try:
            return await self._log.ReadEvents(request, timeout=ANSWER_WITHIN_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                raise OutOfRange from error
            raise TemporarilyUnavailable(part="identity") from error


def _fault(error: grpc.aio.AioRpcError) -> Exception:
    remote = remote_fault(error)
    if remote.reason == CredentialExpired.reason:
        return CredentialExpired()
    if remote.code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT}:
        return CredentialInvalid()
    return TemporarilyUnavailable(part="identity")
