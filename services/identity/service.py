"""IdentityService: requests to actions, answers to responses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import paging
from chassis.audit_log import AuditLog
from chassis.auth import Role, VisitorBinding, require_caller
from chassis.errors import FieldInvalid
from chassis.ids import WorkspaceId, parse_id
from chassis.requests import page_size, required, text
from chassis.rpc import current_call
from inbox.identity import v1
from services.identity import mapping
from services.identity.actions import api_keys, members, sign_in, tokens, workspaces
from services.identity.actions.ports import Ports
from services.identity.actions.tickets import Tickets, create_ticket
from services.identity.model.credentials import ApiKeyId, parse_role_of_key
from services.identity.model.people import MemberId, parse_email, parse_role_of_person
from services.identity.model.people import parse_time_zone as parse_zone

MAX_EXTERNAL_ID_CHARACTERS = 200
CLIENT_ADDRESS = "x-inbox-client-address"
"""Where a browser's call came from, as the gateway says; believed from the suite's own only."""
Position = tuple[datetime, str]
POSITION = (datetime.fromisoformat, lambda value: str(UUID(value)))


class IdentityService(v1.IdentityServiceServicer):
    """Who people are and what lets them in."""

    def __init__(self, ports: Ports, limits: sign_in.SignInLimits, tickets: Tickets) -> None:
        self._ports = ports
        self._limits = limits
        self._tickets = tickets

    async def SignIn(self, request: v1.SignInRequest, context: Any) -> v1.SignInResponse:
        """Open a session by password or link."""
        kind = request.WhichOneof("credential")
        if kind == "password":
            signed_in = await sign_in.sign_in_by_password(
                self._ports,
                self._limits,
                email=required("password.email", request.password.email),
                password=required("password.password", request.password.password),
                address=_client_address(),
            )
        elif kind == "link_token":
            signed_in = await sign_in.sign_in_by_link(
                self._ports,
                self._limits,
                link_token=request.link_token,
                address=_client_address(),
            )
        else:
            raise FieldInvalid(field="credential", rule="must be a password or a link token")
        return v1.SignInResponse(
            session_token=signed_in.session_token,
            access_token=mapping.access_token_to_proto(signed_in.issued.signed),
            member=mapping.member_to_proto(signed_in.member),
            workspace=mapping.workspace_to_proto(signed_in.workspace),
        )

    async def SignOut(self, request: v1.SignOutRequest, context: Any) -> v1.SignOutResponse:
        """End a session."""
        await sign_in.sign_out(self._ports, require_caller(), request.session_token)
        return v1.SignOutResponse()

    async def GetSelf(self, request: v1.GetSelfRequest, context: Any) -> v1.GetSelfResponse:
        """Say who the caller is."""
        caller = require_caller()
        found = await workspaces.get_self(self._ports, caller)
        return v1.GetSelfResponse(
            subject=mapping.subject_to_proto(caller),
            member=mapping.member_to_proto(found.member) if found.member else None,
            workspace=mapping.workspace_to_proto(found.workspace),
        )

    async def CreateWorkspace(
        self, request: v1.CreateWorkspaceRequest, context: Any
    ) -> v1.CreateWorkspaceResponse:
        """Create a workspace with its first owner."""
        workspace, owner = await workspaces.create_workspace(
            self._ports,
            request_id=parse_id("request_id", request.request_id),
            display_name=text("display_name", request.display_name),
            time_zone=parse_zone(request.time_zone),
            owner_email=parse_email("owner_email", request.owner_email),
            owner_display_name=text("owner_display_name", request.owner_display_name),
            caller=require_caller(),
        )
        return v1.CreateWorkspaceResponse(
            workspace=mapping.workspace_to_proto(workspace),
            owner=mapping.member_to_proto(owner),
        )

    async def CreateSignInLink(
        self, request: v1.CreateSignInLinkRequest, context: Any
    ) -> v1.CreateSignInLinkResponse:
        """Make a one-time sign-in link."""
        link = await sign_in.create_sign_in_link(
            self._ports, require_caller(), _member_id(request.member_id)
        )
        return v1.CreateSignInLinkResponse(
            link_token=link.text, expire_time=mapping.timestamp(link.expire_time)
        )

    async def CreateApiKey(
        self, request: v1.CreateApiKeyRequest, context: Any
    ) -> v1.CreateApiKeyResponse:
        """Make an API key."""
        has_end = request.HasField("expire_time")
        created = await api_keys.create_api_key(
            self._ports,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            display_name=text("display_name", request.display_name),
            role=parse_role_of_key(mapping.role_of(request.role)),
            expire_time=mapping.time_of("expire_time", request.expire_time) if has_end else None,
        )
        return v1.CreateApiKeyResponse(
            api_key=mapping.api_key_to_proto(created.key), secret=created.credential
        )

    async def RevokeApiKey(
        self, request: v1.RevokeApiKeyRequest, context: Any
    ) -> v1.RevokeApiKeyResponse:
        """End an API key."""
        key_id = ApiKeyId(parse_id("api_key_id", request.api_key_id))
        key = await api_keys.revoke_api_key(self._ports, require_caller(), key_id)
        return v1.RevokeApiKeyResponse(api_key=mapping.api_key_to_proto(key))

    async def ListApiKeys(
        self, request: v1.ListApiKeysRequest, context: Any
    ) -> v1.ListApiKeysResponse:
        """List API keys."""
        caller = require_caller()
        query = ("ListApiKeys", caller.workspace)
        size = page_size(request.page_size)
        before = paging.position_in(request.page_token, query, POSITION)
        found = await api_keys.list_api_keys(
            self._ports, caller, before=_position(before), limit=size + 1
        )
        page = found[:size]
        more = len(found) > size
        return v1.ListApiKeysResponse(
            api_keys=[mapping.api_key_to_proto(key) for key in page],
            next_page_token=_token_after(query, page[-1].create_time, page[-1].id) if more else "",
        )

    async def ListMembers(
        self, request: v1.ListMembersRequest, context: Any
    ) -> v1.ListMembersResponse:
        """List members."""
        caller = require_caller()
        query = ("ListMembers", caller.workspace)
        size = page_size(request.page_size)
        after = paging.position_in(request.page_token, query, POSITION)
        found = await members.list_members(
            self._ports, caller, after=_position(after), limit=size + 1
        )
        page = found[:size]
        more = len(found) > size
        return v1.ListMembersResponse(
            members=[mapping.member_to_proto(member) for member in page],
            next_page_token=_token_after(query, page[-1].create_time, page[-1].id) if more else "",
        )

    async def GetMember(self, request: v1.GetMemberRequest, context: Any) -> v1.GetMemberResponse:
        """Get one member."""
        member = await members.get_member(
            self._ports, require_caller(), _member_id(request.member_id)
        )
        return v1.GetMemberResponse(member=mapping.member_to_proto(member))

    async def InviteMember(
        self, request: v1.InviteMemberRequest, context: Any
    ) -> v1.InviteMemberResponse:
        """Invite a person."""
        invited = await members.invite_member(
            self._ports,
            require_caller(),
            request_id=parse_id("request_id", request.request_id),
            email=parse_email("email", request.email),
            display_name=text("display_name", request.display_name),
            role=parse_role_of_person(mapping.role_of(request.role)),
        )
        return v1.InviteMemberResponse(
            member=mapping.member_to_proto(invited.member),
            invite_token=invited.token,
            invite_url=invited.url,
        )

    async def AcceptInvite(
        self, request: v1.AcceptInviteRequest, context: Any
    ) -> v1.AcceptInviteResponse:
        """Accept an invitation."""
        signed_in = await sign_in.accept_invite(
            self._ports,
            self._limits,
            invite_token=required("invite_token", request.invite_token),
            password=request.password,
            display_name=_optional_name(request.display_name),
            address=_client_address(),
        )
        return v1.AcceptInviteResponse(
            session_token=signed_in.session_token,
            member=mapping.member_to_proto(signed_in.member),
        )

    async def UpdateMember(
        self, request: v1.UpdateMemberRequest, context: Any
    ) -> v1.UpdateMemberResponse:
        """Change a member."""
        role = parse_role_of_person(mapping.role_of(request.role)) if request.role else None
        if request.expected_version < 0:
            raise FieldInvalid(field="expected_version", rule="must not be negative")
        member = await members.update_member(
            self._ports,
            require_caller(),
            _member_id(request.member_id),
            role=role,
            display_name=_optional_name(request.display_name),
            expected_version=request.expected_version,
        )
        return v1.UpdateMemberResponse(member=mapping.member_to_proto(member))

    async def RemoveMember(
        self, request: v1.RemoveMemberRequest, context: Any
    ) -> v1.RemoveMemberResponse:
        """Remove a member."""
        member = await members.remove_member(
            self._ports, require_caller(), _member_id(request.member_id)
        )
        return v1.RemoveMemberResponse(member=mapping.member_to_proto(member))

    async def ChangePassword(
        self, request: v1.ChangePasswordRequest, context: Any
    ) -> v1.ChangePasswordResponse:
        """Set the caller's own password."""
        await sign_in.change_password(
            self._ports,
            self._limits,
            require_caller(),
            current=request.current_password,
            new=request.new_password,
        )
        return v1.ChangePasswordResponse()

    async def GetJwks(self, request: v1.GetJwksRequest, context: Any) -> v1.GetJwksResponse:
        """Give the keys that verify access tokens."""
        return v1.GetJwksResponse(jwks_json=self._ports.signing_keys.jwks())

    async def ExchangeToken(
        self, request: v1.ExchangeTokenRequest, context: Any
    ) -> v1.ExchangeTokenResponse:
        """Turn a credential into an access token."""
        kind = request.WhichOneof("credential")
        if kind == "api_key":
            issued = await tokens.exchange_api_key(self._ports, request.api_key)
        elif kind == "session_token":
            issued = await tokens.exchange_session(self._ports, request.session_token)
        elif kind == "ticket":
            issued = await self._tickets.exchange(request.ticket)
        elif kind == "service_key":
            workspace = request.workspace_id
            issued = await tokens.exchange_service_key(
                self._ports,
                request.service_key,
                WorkspaceId(parse_id("workspace_id", workspace)) if workspace else None,
            )
        else:
            raise FieldInvalid(field="credential", rule="must be set")
        return v1.ExchangeTokenResponse(
            access_token=mapping.access_token_to_proto(issued.signed),
            subject=mapping.subject_to_proto(issued.caller),
            credential_id=issued.caller.credential_id,
        )

    async def CreateTicket(
        self, request: v1.CreateTicketRequest, context: Any
    ) -> v1.CreateTicketResponse:
        """Make a one-time ticket."""
        ticket = create_ticket(self._ports, require_caller())
        return v1.CreateTicketResponse(
            ticket=ticket.text, expire_time=mapping.timestamp(ticket.expire_time)
        )

    async def IssueVisitorToken(
        self, request: v1.IssueVisitorTokenRequest, context: Any
    ) -> v1.IssueVisitorTokenResponse:
        """Make an access token for a customer in the chat box."""
        binding = VisitorBinding(
            channel_id=parse_id("channel_id", request.channel_id),
            external_id=text(
                "external_id", request.external_id, at_most=MAX_EXTERNAL_ID_CHARACTERS
            ),
            conversation_id=parse_id("conversation_id", request.conversation_id),
        )
        issued = await tokens.issue_visitor_token(
            self._ports, require_caller(), binding, _optional_name(request.display_name)
        )
        return v1.IssueVisitorTokenResponse(
            access_token=mapping.access_token_to_proto(issued.signed)
        )

    async def IssueBotToken(
        self, request: v1.IssueBotTokenRequest, context: Any
    ) -> v1.IssueBotTokenResponse:
        """Makes a token for the AI of the caller's workspace."""
        name = text("display_name", request.display_name)
        issued = await tokens.issue_bot_token(self._ports, require_caller(), name)
        return v1.IssueBotTokenResponse(access_token=mapping.access_token_to_proto(issued.signed))


class IdentityAuditService(AuditLog, v1.IdentityAuditServiceServicer):
    """Who changed what in identity."""


def _member_id(value: str) -> MemberId:
    return MemberId(parse_id("member_id", value))


def _optional_name(value: str) -> str:
    return text("display_name", value) if value.strip() else ""


def _position(found: tuple[Any, ...] | None) -> Position | None:
    return None if found is None else (found[0], found[1])


def _token_after(query: tuple[object, ...], time: datetime, row_id: str) -> str:
    return paging.next_token(query, (time.isoformat(), row_id))


def _client_address() -> str:
    call = current_call.get()
    if call is None:
        return ""
    if call.caller is not None and call.caller.role is Role.SERVICE:
        return call.metadata.get(CLIENT_ADDRESS, call.peer)
    return call.peer
