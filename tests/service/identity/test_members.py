"""The people of a workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest

from chassis.auth import Role
from chassis.ids import new_id
from chassis.rpc import remote_fault
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from tests.fakes import FakeClock
from tests.service.identity.conftest import Desk


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return remote_fault(caught.value).reason


def an_invitation(**fields: Any) -> v1.InviteMemberRequest:
    present = {
        "request_id": new_id(),
        "email": f"{new_id()}@example.com",
        "display_name": "Ben",
        "role": policy_v1.ROLE_AGENT,
    }
    return v1.InviteMemberRequest(**{**present, **fields})


async def test_a_repeated_invitation_is_the_same_member_with_a_fresh_link(desk: Desk) -> None:
    request = an_invitation()

    first = await desk.as_owner.InviteMember(request)
    second = await desk.as_owner.InviteMember(request)

    assert first.member == second.member
    assert second.invite_url == f"http://inbox.test/invite?token={second.invite_token}"
    old = v1.AcceptInviteRequest(invite_token=first.invite_token, password="a good password")
    new = v1.AcceptInviteRequest(invite_token=second.invite_token, password="a good password")
    assert await refusal(desk.anyone.AcceptInvite(old)) == "LINK_USED_OR_EXPIRED"
    assert (await desk.anyone.AcceptInvite(new)).member.id == first.member.id


async def test_a_repeat_after_they_joined_gives_no_link_into_their_account(desk: Desk) -> None:
    request = an_invitation()
    invited = await desk.as_owner.InviteMember(request)
    accept = v1.AcceptInviteRequest(invite_token=invited.invite_token, password="a good password")
    await desk.anyone.AcceptInvite(accept)

    again = await desk.as_owner.InviteMember(request)

    assert again.member.id == invited.member.id
    assert (again.invite_token, again.invite_url) == ("", "")


async def test_a_request_id_stands_for_one_invitation(desk: Desk) -> None:
    request = an_invitation()
    await desk.as_owner.InviteMember(request)
    request.role = policy_v1.ROLE_OWNER

    assert await refusal(desk.as_owner.InviteMember(request)) == "IDEMPOTENCY_KEY_REUSED"


async def test_an_address_is_invited_once_per_workspace(desk: Desk, other_desk: Desk) -> None:
    request = an_invitation()
    await desk.as_owner.InviteMember(request)
    request.request_id = new_id()
    request.email = request.email.upper()

    assert await refusal(desk.as_owner.InviteMember(request)) == "MEMBER_EXISTS"
    assert await other_desk.as_owner.InviteMember(request)


async def test_an_invitation_is_good_for_a_week(desk: Desk, clock: FakeClock) -> None:
    invited = await desk.as_owner.InviteMember(an_invitation())

    clock.advance(timedelta(days=7))

    accept = v1.AcceptInviteRequest(invite_token=invited.invite_token, password="a good password")
    assert await refusal(desk.anyone.AcceptInvite(accept)) == "LINK_USED_OR_EXPIRED"


@pytest.mark.parametrize(
    "fields",
    [
        {"request_id": "x"},
        {"email": "nobody"},
        {"display_name": " "},
        {"display_name": "x" * 81},
        {"role": policy_v1.ROLE_BOT},
        {"role": policy_v1.ROLE_UNSPECIFIED},
        {"role": 77},
    ],
)
async def test_an_invitation_that_cannot_be_is_refused(desk: Desk, fields: dict[str, Any]) -> None:
    answer = await refusal(desk.as_owner.InviteMember(an_invitation(**fields)))

    assert answer == "INVALID_ARGUMENT"


async def test_a_removed_member_is_out_and_may_be_invited_again(desk: Desk) -> None:
    member, session, email = await desk.a_member()
    remove = v1.RemoveMemberRequest(member_id=member.id)

    removed = await desk.as_owner.RemoveMember(remove)
    again = await desk.as_owner.RemoveMember(remove)

    assert removed == again
    assert removed.member.state == v1.MEMBER_STATE_REMOVED
    exchange = v1.ExchangeTokenRequest(session_token=session)
    assert await refusal(desk.anyone.ExchangeToken(exchange)) == "CREDENTIAL_INVALID"
    password = v1.PasswordCredential(email=email, password="correct horse battery")
    sign_in = v1.SignInRequest(password=password)
    assert await refusal(desk.anyone.SignIn(sign_in)) == "SIGN_IN_REFUSED"
    fresh = await desk.as_owner.InviteMember(an_invitation(email=email))
    assert fresh.member.id != member.id


async def test_the_last_owner_can_neither_leave_nor_step_down(desk: Desk) -> None:
    remove = v1.RemoveMemberRequest(member_id=desk.owner.id)
    demote = v1.UpdateMemberRequest(member_id=desk.owner.id, role=policy_v1.ROLE_AGENT)
    await desk.as_owner.InviteMember(an_invitation(role=policy_v1.ROLE_OWNER))  # never joined

    assert await refusal(desk.as_owner.RemoveMember(remove)) == "LAST_OWNER"
    assert await refusal(desk.as_owner.UpdateMember(demote)) == "LAST_OWNER"

    await desk.a_member(Role.OWNER)
    demoted = await desk.as_owner.UpdateMember(demote)
    assert demoted.member.role == policy_v1.ROLE_AGENT


async def test_a_change_is_refused_when_somebody_was_faster(desk: Desk) -> None:
    member, _, _ = await desk.a_member()
    update = v1.UpdateMemberRequest(
        member_id=member.id, display_name="Anna", expected_version=member.version
    )

    changed = await desk.as_owner.UpdateMember(update)
    again = await refusal(desk.as_owner.UpdateMember(update))

    assert changed.member.display_name == "Anna"
    assert changed.member.version == member.version + 1
    assert again == "VERSION_CONFLICT"


async def test_members_are_listed_in_order_of_joining_page_by_page(
    desk: Desk, clock: FakeClock
) -> None:
    expected = [desk.owner.id]
    for _ in range(4):
        clock.advance(timedelta(seconds=1))
        expected.append((await desk.as_owner.InviteMember(an_invitation())).member.id)

    for size in (1, 2, 5, 200):
        listed: list[str] = []
        token = ""
        while True:
            page = await desk.as_owner.ListMembers(
                v1.ListMembersRequest(page_size=size, page_token=token)
            )
            listed += [member.id for member in page.members]
            token = page.next_page_token
            if not token:
                break
        assert listed == expected


async def test_one_member_is_read_by_colleagues_and_by_nobody_elsewhere(
    desk: Desk, other_desk: Desk
) -> None:
    invited = (await desk.as_owner.InviteMember(an_invitation())).member
    request = v1.GetMemberRequest(member_id=invited.id)

    assert (await desk.as_owner.GetMember(request)).member == invited
    removed = await desk.as_owner.RemoveMember(v1.RemoveMemberRequest(member_id=invited.id))
    assert (await desk.as_owner.GetMember(request)).member == removed.member
    assert await refusal(other_desk.as_owner.GetMember(request)) == "MEMBER_NOT_FOUND"


async def test_a_page_token_of_another_list_is_refused(desk: Desk, other_desk: Desk) -> None:
    await desk.as_owner.InviteMember(an_invitation())
    page = await desk.as_owner.ListMembers(v1.ListMembersRequest(page_size=1))
    request = v1.ListMembersRequest(page_size=1, page_token=page.next_page_token)
    keys = v1.ListApiKeysRequest(page_size=1, page_token=page.next_page_token)

    assert await refusal(other_desk.as_owner.ListMembers(request)) == "PAGE_TOKEN_INVALID"
    assert await refusal(desk.as_owner.ListApiKeys(keys)) == "PAGE_TOKEN_INVALID"


async def test_creating_a_workspace_again_returns_it_and_other_content_is_refused(
    desk: Desk,
) -> None:
    suite = v1.IdentityServiceStub(desk.server.service_channel())
    request = v1.CreateWorkspaceRequest(
        request_id=new_id(),
        display_name="Florist",
        time_zone="America/Sao_Paulo",
        owner_email="olga@example.com",
        owner_display_name="Olga",
    )

    first = await suite.CreateWorkspace(request)
    second = await suite.CreateWorkspace(request)
    request.display_name = "Butcher"

    assert first == second
    assert await refusal(suite.CreateWorkspace(request)) == "IDEMPOTENCY_KEY_REUSED"


async def test_a_program_with_an_owners_key_has_no_account_of_its_own(desk: Desk) -> None:
    key = await desk.as_owner.CreateApiKey(
        v1.CreateApiKeyRequest(request_id=new_id(), display_name="k", role=policy_v1.ROLE_OWNER)
    )
    program = desk.with_credential(key.secret)

    who = await program.GetSelf(v1.GetSelfRequest())
    change = v1.ChangePasswordRequest(new_password="a good password")

    assert who.subject.id == key.api_key.id
    assert not who.HasField("member")
    assert await refusal(program.ChangePassword(change)) == "ROLE_NOT_ALLOWED"
    await program.SignOut(v1.SignOutRequest())
    assert await program.GetSelf(v1.GetSelfRequest())
