"""What identity's audit says of people and of what lets them in."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from chassis import audit
from chassis.auth import Role
from chassis.ids import new_id
from inbox.identity import v1
from inbox.policy import v1 as policy_v1
from tests.audited import Kept, kept_in
from tests.service.identity.conftest import Desk


async def story_of(desk: Desk, entity_id: str) -> list[Kept]:
    kept = await kept_in(desk.ports.app, desk.workspace_id)
    return [one for one in kept if one.entity_id == entity_id]


async def test_a_members_story_can_be_read_from_invitation_to_removal(desk: Desk) -> None:
    member, _, _ = await desk.a_member(Role.AGENT)
    await desk.as_owner.UpdateMember(
        v1.UpdateMemberRequest(member_id=member.id, role=policy_v1.ROLE_OWNER)
    )
    await desk.as_owner.RemoveMember(v1.RemoveMemberRequest(member_id=member.id))

    story = await story_of(desk, member.id)

    said = [(one.command.partition("/")[2], one.actor) for one in story]
    assert said == [
        ("InviteMember", "member Olga"),
        ("InviteMember", "member Olga"),
        ("AcceptInvite", "member Ana"),
        ("AcceptInvite", "member Ana"),
        ("UpdateMember", "member Olga"),
        ("RemoveMember", "member Olga"),
    ]
    invited, link, joined, password, promoted, removed = story
    assert invited.before is None
    assert invited.after is not None
    assert (invited.after["role"], invited.after["state"]) == ("agent", "invited")
    assert link.after is not None
    assert link.after.keys() == {"invite_expire_time"}
    assert (joined.before, joined.after) == ({"state": "invited"}, {"state": "active"})
    assert password.after == {"password": "withheld"}
    assert (promoted.before, promoted.after) == ({"role": "agent"}, {"role": "owner"})
    assert (removed.before, removed.after) == ({"state": "active"}, {"state": "removed"})


async def test_who_removes_a_member_is_said_to_end_their_sessions(desk: Desk) -> None:
    member, session, _ = await desk.a_member()

    await desk.as_owner.RemoveMember(v1.RemoveMemberRequest(member_id=member.id))

    session_id = session.partition("_")[2].partition(".")[0]
    opened, ended = await story_of(desk, session_id)
    assert (opened.command, opened.actor) == ("IdentityService/AcceptInvite", "member Ana")
    assert opened.after == {"member_id": member.id}
    assert (ended.command, ended.actor) == ("IdentityService/RemoveMember", "member Olga")
    assert ended.before == {"end_time": None}


async def test_a_repeat_that_changes_nothing_leaves_no_further_entry(desk: Desk) -> None:
    request = v1.CreateApiKeyRequest(
        request_id=new_id(), display_name="robot", role=policy_v1.ROLE_BOT
    )
    created = await desk.as_owner.CreateApiKey(request)
    await desk.as_owner.CreateApiKey(request)
    for _ in range(2):
        await desk.as_owner.RevokeApiKey(v1.RevokeApiKeyRequest(api_key_id=created.api_key.id))

    made, revoked = await story_of(desk, created.api_key.id)

    assert made.after == {
        "display_name": "robot",
        "role": "bot",
        "expire_time": None,
        "revoke_time": None,
    }
    assert revoked.before == {"revoke_time": None}
    assert created.secret.partition(".")[2] not in str((made, revoked))


async def test_a_refused_command_leaves_no_entry(desk: Desk) -> None:
    before = await kept_in(desk.ports.app, desk.workspace_id)

    with pytest.raises(grpc.aio.AioRpcError):
        await desk.as_owner.RemoveMember(v1.RemoveMemberRequest(member_id=desk.owner.id))

    assert await kept_in(desk.ports.app, desk.workspace_id) == before


async def test_no_change_is_made_that_cannot_be_audited(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    request = v1.CreateApiKeyRequest(
        request_id=new_id(), display_name="robot", role=policy_v1.ROLE_BOT
    )
    with monkeypatch.context() as broken, pytest.raises(grpc.aio.AioRpcError):
        broken.setattr(audit, "append", fail)
        await desk.as_owner.CreateApiKey(request)

    listed = await desk.as_owner.ListApiKeys(v1.ListApiKeysRequest())
    assert list(listed.api_keys) == []
