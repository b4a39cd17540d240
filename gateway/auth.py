"""Browsers' credentials: the session's cookie, what it is exchanged for, and who may use it.

The cookie is HttpOnly, so no script reads it; SameSite=Strict, a header that only our own pages
can set, and the Origin check keep other sites from using it. Programs send `authorization`
instead, which is passed on untouched. The gateway's own service key is never used for a caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import grpc
import orjson
from aiohttp import web
from google.protobuf.json_format import MessageToDict

from gateway import client_address
from gateway.bodies import read_body
from gateway.errors import EdgeError, invalid, of_rpc
from inbox.identity import v1 as identity_v1

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.client_address import ClientAddresses
    from gateway.origins import Origins
    from gateway.sessions import Sessions
    from gateway.upstream import Metadata, Upstream

Answer = TypeVar("Answer")

COOKIE = "inbox_session"
COOKIE_DAYS = 30
WORKSPACE_HEADER = "x-inbox-workspace"
MAX_BODY_BYTES = 16 * 1024
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request carries, as gRPC metadata."""

    metadata: Metadata
    session: str | None = None
    """The session it was exchanged from, if it was."""


class Credentials:
    """Reads requests' credentials, and calls services with them."""

    def __init__(self, sessions: Sessions, origins: Origins) -> None:
        self._sessions = sessions
        self._origins = origins

    async def of_request(self, request: web.Request, *, is_needed: bool = True) -> Credential:
        """The credential a call goes on with; an empty one if it has none. Raises: EdgeError."""
        given = request.headers.get("authorization")
        if given is not None:
            metadata = [("authorization", given)]
            workspace = request.headers.get(WORKSPACE_HEADER)
            if workspace:
                metadata.append((WORKSPACE_HEADER, workspace))
            return Credential(metadata)
        session = request.cookies.get(COOKIE)
        if session is None or not is_needed:
            return Credential([])
        self._origins.check_own_page(request)
        token = await self._sessions.access_token(session)
        return Credential([("authorization", f"Bearer {token}")], session)

    async def call(
        self,
        request: web.Request,
        rpc: Callable[[Metadata], Awaitable[Answer]],
        *,
        is_needed: bool = True,
    ) -> Answer:
        """Call a service in the request's name. Raises: EdgeError, AioRpcError.

        A session's remembered token may have been refused because the member's rights changed:
        nothing was done then, so the call is made once more with a fresh token.
        """
        credential = await self.of_request(request, is_needed=is_needed)
        try:
            return await rpc(credential.metadata)
        except grpc.aio.AioRpcError as error:
            if credential.session is None or error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                raise
        self._sessions.forget(credential.session)
        return await rpc((await self.of_request(request)).metadata)


@dataclass(frozen=True, slots=True)
class _Fields:
    """A small JSON object of strings."""

    values: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first that is there; empty if none is."""
        return next((self.values[name] for name in names if name in self.values), "")


class AuthRoutes:
    """The addresses under /auth/, which set and clear the cookie."""

    def __init__(
        self,
        upstream: Upstream,
        sessions: Sessions,
        credentials: Credentials,
        origins: Origins,
        addresses: ClientAddresses,
        *,
        is_https: bool,
    ) -> None:
        self._credentials = credentials
        self._addresses = addresses
        # Signing in needs no credential. With our own beside it, identity believes us about the
        # client's address, and counts tries per client instead of all of them as ours.
        self._sign_in = identity_v1.IdentityServiceStub(upstream.own("identity"))
        self._identity = identity_v1.IdentityServiceStub(upstream.forwarding("identity"))
        self._sessions = sessions
        self._origins = origins
        self._is_https = is_https

    async def sign_in(self, request: web.Request) -> web.Response:
        """`{email, password}` or `{link}` → the cookie, and who signed in."""
        fields = await self._fields(request)
        asked = identity_v1.SignInRequest()
        if fields.get("link"):
            asked.link_token = fields.get("link")
        elif fields.get("email"):
            asked.password.email = fields.get("email")
            asked.password.password = fields.get("password")
        else:
            raise invalid("body", "needs either link, or email and password")
        try:
            answer = await self._sign_in.SignIn(
                asked, timeout=CALL_SECONDS, metadata=self._vouched(request)
            )
        except grpc.aio.AioRpcError as error:
            raise of_rpc(error, "identity") from error
        shown = {
            "member": MessageToDict(answer.member),
            "workspace": MessageToDict(answer.workspace),
        }
        return self._signed_in(answer.session_token, shown)

    async def accept_invite(self, request: web.Request) -> web.Response:
        """`{token, password, displayName}` → the cookie, and who joined."""
        fields = await self._fields(request)
        asked = identity_v1.AcceptInviteRequest(
            invite_token=fields.get("token", "inviteToken"),
            password=fields.get("password"),
            display_name=fields.get("displayName", "display_name"),
        )
        try:
            answer = await self._sign_in.AcceptInvite(
                asked, timeout=CALL_SECONDS, metadata=self._vouched(request)
            )
        except grpc.aio.AioRpcError as error:
            raise of_rpc(error, "identity") from error
        return self._signed_in(answer.session_token, {"member": MessageToDict(answer.member)})

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session and clear the cookie; a repeat changes nothing."""
        self._origins.check_own_page(request)
        session = request.cookies.get(COOKIE)
        if session is not None:
            try:
                token = await self._sessions.access_token(session)
                await self._identity.SignOut(
                    identity_v1.SignOutRequest(session_token=session),
                    timeout=CALL_SECONDS,
                    metadata=[("authorization", f"Bearer {token}")],
                )
            except EdgeError as error:
                # A session that has ended already is what was asked for.
                if error.code is not grpc.StatusCode.UNAUTHENTICATED:
                    raise
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                    raise of_rpc(error, "identity") from error
            self._sessions.forget(session)
        response = _json({})
        response.del_cookie(COOKIE, path="/", secure=self._is_https, samesite="Strict")
        return response

    async def ticket(self, request: web.Request) -> web.Response:
        """A one-time ticket for the live socket, in the name of the session or the credential."""

        async def create(metadata: Metadata) -> identity_v1.CreateTicketResponse:
            asked = identity_v1.CreateTicketRequest()
            return await self._identity.CreateTicket(asked, timeout=CALL_SECONDS, metadata=metadata)

        try:
            answer = await self._credentials.call(request, create)
        except grpc.aio.AioRpcError as error:
            raise of_rpc(error, "identity") from error
        return _json(MessageToDict(answer))

    async def _fields(self, request: web.Request) -> _Fields:
        self._origins.check_own_page(request)
        body = await read_body(request, MAX_BODY_BYTES)
        try:
            values = orjson.loads(body or b"{}")
        except orjson.JSONDecodeError:
            raise invalid("body", "is not JSON") from None
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise invalid("body", "must be a JSON object of strings")
        return _Fields(values)

    def _vouched(self, request: web.Request) -> Metadata:
        return [(client_address.HEADER, self._addresses.of(request))]

    def _signed_in(self, session: str, shown: Mapping[str, object]) -> web.Response:
        response = _json(shown)
        response.set_cookie(
            COOKIE,
            session,
            max_age=int(timedelta(days=COOKIE_DAYS).total_seconds()),
            path="/",
            httponly=True,
            secure=self._is_https,
            samesite="Strict",
        )
        return response


def _json(shown: Mapping[str, object]) -> web.Response:
    return web.Response(
        body=orjson.dumps(shown),
        content_type="application/json",
        headers={"cache-control": "no-store"},
    )
