"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest

from chassis.ids import new_id
from chassis.rpc import remote_fault
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from tests.fakes import FakeClock
from tests.service.identity.conftest import Desk

PASSWORD = "correct horse battery"


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return remote_fault(caught.value).reason


def by_password(email: str, password: str = PASSWORD) -> v1.SignInRequest:
    return v1.SignInRequest(password=v1.PasswordCredential(email=email, password=password))


async def test_a_link_lets_its_member_in_once(desk: Desk) -> None:
    link = await desk.as_service.CreateSignInLink(
        v1.CreateSignInLinkRequest(member_id=desk.owner.id)
    )
    request = v1.SignInRequest(link_token=link.link_token)

    signed_in = await desk.anyone.SignIn(request)
    again = await refusal(desk.anyone.SignIn(request))

    assert signed_in.member.id == desk.owner.id
    assert signed_in.workspace.id == desk.workspace_id
    assert again == "LINK_USED_OR_EXPIRED"


async def test_the_first_owner_becomes_active_by_signing_in(desk: Desk) -> None:
    assert desk.owner.state == v1.MEMBER_STATE_ACTIVE


async def test_a_link_is_too_old_after_an_hour(desk: Desk, clock: FakeClock) -> None:
    link = await desk.as_service.CreateSignInLink(
        v1.CreateSignInLinkRequest(member_id=desk.owner.id)
    )

    clock.advance(timedelta(hours=1))

    answer = await refusal(desk.anyone.SignIn(v1.SignInRequest(link_token=link.link_token)))
    assert answer == "LINK_USED_OR_EXPIRED"


@pytest.mark.parametrize("token", ["x", "il_x.y", "is_" + "0" * 36, "", "il_\u00e9"])
async def test_a_made_up_link_is_refused_like_an_old_one(desk: Desk, token: str) -> None:
    answer = await refusal(desk.anyone.SignIn(v1.SignInRequest(link_token=token)))

    assert answer == "LINK_USED_OR_EXPIRED"


async def test_an_invite_is_not_a_sign_in_link(desk: Desk) -> None:
    invited = await desk.as_owner.InviteMember(
        v1.InviteMemberRequest(
            request_id=new_id(),
            email=f"{new_id()}@example.com",
            display_name="B",
            role=policy_v1.ROLE_AGENT,
        )
    )

    answer = await refusal(desk.anyone.SignIn(v1.SignInRequest(link_token=invited.invite_token)))

    assert answer == "LINK_USED_OR_EXPIRED"


async def test_a_member_signs_in_by_password_whatever_the_case_of_the_address(desk: Desk) -> None:
    member, _, email = await desk.a_member()

    signed_in = await desk.anyone.SignIn(by_password(email.upper()))

    assert signed_in.member.id == member.id
    who = await desk.with_credential(signed_in.access_token.token).GetSelf(v1.GetSelfRequest())
    assert who.member.email == email


async def test_a_wrong_password_and_an_unknown_address_look_the_same(desk: Desk) -> None:
    _, _, email = await desk.a_member()

    wrong = await refusal(desk.anyone.SignIn(by_password(email, "wrong password")))
    unknown = await refusal(desk.anyone.SignIn(by_password(f"{new_id()}@example.com")))

    assert wrong == unknown == "SIGN_IN_REFUSED"


async def test_an_address_in_two_workspaces_signs_in_where_the_password_fits(
    desk: Desk, other_desk: Desk
) -> None:
    email = f"{new_id()}@example.com"
    for place, password in ((desk, "the first password"), (other_desk, "the second password")):
        invited = await place.as_owner.InviteMember(
            v1.InviteMemberRequest(
                request_id=new_id(), email=email, display_name="Ana", role=policy_v1.ROLE_AGENT
            )
        )
        await place.anyone.AcceptInvite(
            v1.AcceptInviteRequest(invite_token=invited.invite_token, password=password)
        )

    first = await desk.anyone.SignIn(by_password(email, "the first password"))
    second = await desk.anyone.SignIn(by_password(email, "the second password"))

    assert first.workspace.id == desk.workspace_id
    assert second.workspace.id == other_desk.workspace_id


async def test_guessing_a_password_is_slowed_down_per_account(desk: Desk, clock: FakeClock) -> None:
    _, _, email = await desk.a_member()
    for _ in range(10):
        await refusal(desk.anyone.SignIn(by_password(email, "a wrong password")))

    limited = await refusal(desk.anyone.SignIn(by_password(email)))
    clock.advance(timedelta(seconds=6))
    let_in = await desk.anyone.SignIn(by_password(email))

    assert limited == "RATE_LIMITED"
    assert let_in.session_token


async def test_a_session_lives_on_for_thirty_days_after_its_last_use(
    desk: Desk, clock: FakeClock
) -> None:
    exchange = v1.ExchangeTokenRequest(session_token=desk.owner_session)
    for _ in range(3):
        clock.advance(timedelta(days=29))
        await desk.anyone.ExchangeToken(exchange)

    clock.advance(timedelta(days=30))

    assert await refusal(desk.anyone.ExchangeToken(exchange)) == "CREDENTIAL_EXPIRED"


async def test_signing_out_ends_the_session_and_a_repeat_changes_nothing(desk: Desk) -> None:
    member, session, _ = await desk.a_member()
    stub = desk.with_credential(await desk.token_of(session))

    await stub.SignOut(v1.SignOutRequest())
    await stub.SignOut(v1.SignOutRequest(session_token=session))

    answer = await refusal(
        desk.anyone.ExchangeToken(v1.ExchangeTokenRequest(session_token=session))
    )
    assert answer == "CREDENTIAL_INVALID"
    assert member.id


async def test_nobody_ends_somebody_elses_session(desk: Desk, other_desk: Desk) -> None:
    _, session, _ = await desk.a_member()

    await desk.as_owner.SignOut(v1.SignOutRequest(session_token=session))
    await other_desk.as_owner.SignOut(v1.SignOutRequest(session_token=session))

    assert await desk.token_of(session)


async def test_a_new_password_ends_the_other_sessions(desk: Desk) -> None:
    _, session, email = await desk.a_member()
    other = await desk.anyone.SignIn(by_password(email))
    stub = desk.with_credential(await desk.token_of(session))

    await stub.ChangePassword(
        v1.ChangePasswordRequest(current_password=PASSWORD, new_password="a new password 1")
    )

    assert await desk.token_of(session)
    gone = v1.ExchangeTokenRequest(session_token=other.session_token)
    assert await refusal(desk.anyone.ExchangeToken(gone)) == "CREDENTIAL_INVALID"
    assert await refusal(desk.anyone.SignIn(by_password(email))) == "SIGN_IN_REFUSED"
    assert (await desk.anyone.SignIn(by_password(email, "a new password 1"))).session_token


async def test_a_new_password_needs_the_present_one_and_must_be_strong(desk: Desk) -> None:
    _, session, email = await desk.a_member()
    change = desk.with_credential(await desk.token_of(session)).ChangePassword

    wrong = await refusal(
        change(v1.ChangePasswordRequest(current_password="x", new_password="a new password 1"))
    )
    weak = [
        await refusal(
            change(v1.ChangePasswordRequest(current_password=PASSWORD, new_password=password))
        )
        for password in ("short", "aaaaaaaaaaaa", email, "x" * 300)
    ]

    assert wrong == "SIGN_IN_REFUSED"
    assert weak == ["PASSWORD_TOO_WEAK"] * 4


async def test_a_weak_password_does_not_use_up_the_invitation(desk: Desk) -> None:
    invited = await desk.as_owner.InviteMember(
        v1.InviteMemberRequest(
            request_id=new_id(),
            email=f"{new_id()}@example.com",
            display_name="B",
            role=policy_v1.ROLE_AGENT,
        )
    )

    weak = await refusal(
        desk.anyone.AcceptInvite(
            v1.AcceptInviteRequest(invite_token=invited.invite_token, password="short")
        )
    )
    accepted = await desk.anyone.AcceptInvite(
        v1.AcceptInviteRequest(
            invite_token=invited.invite_token, password=PASSWORD, display_name="Bea"
        )
    )

    assert weak == "PASSWORD_TOO_WEAK"
    assert accepted.member.display_name == "Bea"
    assert accepted.member.state == v1.MEMBER_STATE_ACTIVE


@pytest.mark.parametrize(
    "request_",
    [
        v1.SignInRequest(),
        v1.SignInRequest(password=v1.PasswordCredential(email="a@b.c")),
        v1.SignInRequest(password=v1.PasswordCredential(password="x")),
    ],
)
async def test_signing_in_with_nothing_is_told_what_is_missing(
    desk: Desk, request_: v1.SignInRequest
) -> None:
    assert await refusal(desk.anyone.SignIn(request_)) == "INVALID_ARGUMENT"
