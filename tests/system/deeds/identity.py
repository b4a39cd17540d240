"""People and what lets them in."""

from __future__ import annotations

from chassis.ids import new_id
from inbox.identity import v1 as identity_v1
from inbox.policy import v1 as policy_v1
from tests.serving import SERVICE_KEY, bearer
from tests.system.deeds.stage import SERVICE, Deed, Stage
from tests.system.services import within

PASSWORD = "secret-password-of-the-owner"


async def sign_in(stage: Stage) -> None:
    link = await stage.to.identity.CreateSignInLink(
        identity_v1.CreateSignInLinkRequest(member_id=stage.tenant.owner_id),
        metadata=within(stage.tenant.workspace_id),
    )
    signed_in = await stage.to.identity.SignIn(
        identity_v1.SignInRequest(link_token=link.link_token)
    )
    stage.secrets += [link.link_token, signed_in.session_token, signed_in.access_token.token]
    stage.made["session"] = signed_in.session_token


async def sign_out(stage: Stage) -> None:
    await stage.to.identity.SignOut(
        identity_v1.SignOutRequest(session_token=stage.made["session"]), metadata=stage.owner
    )


async def create_workspace(stage: Stage) -> str:
    created = await stage.to.identity.CreateWorkspace(
        identity_v1.CreateWorkspaceRequest(
            request_id=new_id(),
            display_name="Another",
            owner_email="another@example.com",
            owner_display_name="Another",
        ),
        metadata=bearer(SERVICE_KEY),
    )
    return created.workspace.id


async def create_sign_in_link(stage: Stage) -> None:
    link = await stage.to.identity.CreateSignInLink(
        identity_v1.CreateSignInLinkRequest(member_id=stage.tenant.owner_id),
        metadata=within(stage.tenant.workspace_id),
    )
    stage.secrets.append(link.link_token)


async def create_api_key(stage: Stage) -> None:
    created = await stage.to.identity.CreateApiKey(
        identity_v1.CreateApiKeyRequest(
            request_id=new_id(), display_name="key", role=policy_v1.ROLE_AGENT
        ),
        metadata=stage.owner,
    )
    stage.secrets.append(created.secret)
    stage.made["key"] = created.api_key.id


async def revoke_api_key(stage: Stage) -> None:
    await stage.to.identity.RevokeApiKey(
        identity_v1.RevokeApiKeyRequest(api_key_id=stage.made["key"]), metadata=stage.owner
    )


async def invite_member(stage: Stage) -> None:
    invited = await stage.to.identity.InviteMember(
        identity_v1.InviteMemberRequest(
            request_id=new_id(),
            email="ben@example.com",
            display_name="Ben",
            role=policy_v1.ROLE_AGENT,
        ),
        metadata=stage.owner,
    )
    stage.secrets.append(invited.invite_token)
    stage.made |= {"member": invited.member.id, "invite": invited.invite_token}


async def accept_invite(stage: Stage) -> None:
    accepted = await stage.to.identity.AcceptInvite(
        identity_v1.AcceptInviteRequest(invite_token=stage.made["invite"], password=PASSWORD)
    )
    stage.secrets += [PASSWORD, accepted.session_token]


async def update_member(stage: Stage) -> None:
    await stage.to.identity.UpdateMember(
        identity_v1.UpdateMemberRequest(member_id=stage.made["member"], display_name="Benno"),
        metadata=stage.owner,
    )


async def remove_member(stage: Stage) -> None:
    await stage.to.identity.RemoveMember(
        identity_v1.RemoveMemberRequest(member_id=stage.made["member"]), metadata=stage.owner
    )


async def change_password(stage: Stage) -> None:
    await stage.to.identity.ChangePassword(
        identity_v1.ChangePasswordRequest(new_password=PASSWORD), metadata=stage.owner
    )


DEEDS: dict[str, Deed] = {
    "IdentityService/SignIn": Deed(sign_in),
    "IdentityService/SignOut": Deed(sign_out),
    "IdentityService/CreateWorkspace": Deed(create_workspace, by=SERVICE),
    "IdentityService/CreateSignInLink": Deed(create_sign_in_link, by=SERVICE),
    "IdentityService/CreateApiKey": Deed(create_api_key),
    "IdentityService/RevokeApiKey": Deed(revoke_api_key),
    "IdentityService/InviteMember": Deed(invite_member),
    "IdentityService/AcceptInvite": Deed(accept_invite),
    "IdentityService/UpdateMember": Deed(update_member),
    "IdentityService/RemoveMember": Deed(remove_member),
    "IdentityService/ChangePassword": Deed(change_password),
}
"""In an order in which they can be done."""

NOT_AUDITED: dict[str, str] = {
    "IdentityService/ExchangeToken": "a token of minutes, by a credential whose making is audited",
    "IdentityService/CreateTicket": "opens one socket of a session or key that is audited",
    "IdentityService/IssueBotToken": "of minutes, for the AI of the suite itself",
    "IdentityService/IssueVisitorToken": "a customer's; who wrote what is in the conversation",
}
