"""AssistantService over gRPC: how the AI behaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from inbox.assistant import v1
from tests.service.assistant.desk import Desk
from tests.service.assistant.owner import Owner, assert_events_tell_everything, refusal

UNKNOWN_TOOL: Any = 99


async def test_settings_keep_what_is_left_out(desk: Desk, owner: Owner) -> None:
    before = await owner.settings()
    assert (before.provider, before.version) == (v1.PROVIDER_KIND_OFFLINE, 0)

    after = await owner.updates(
        instructions="Be kind.",
        reply_delay=Duration(seconds=3),
        allowed_tools=v1.ToolList(tools=[v1.TOOL_SEARCH_KNOWLEDGE]),
    )

    assert (after.version, after.display_name) == (1, before.display_name)
    assert after.reply_delay.ToTimedelta() == timedelta(seconds=3)
    assert list(after.allowed_tools) == [v1.TOOL_SEARCH_KNOWLEDGE]
    assert after == await owner.settings()
    assert (await owner.updates(instructions="")).instructions == ""
    none = await owner.updates(allowed_tools=v1.ToolList())
    assert list(none.allowed_tools) == []
    await assert_events_tell_everything(desk, owner)


async def test_a_key_is_kept_changed_and_forgotten_and_never_shown(
    desk: Desk, owner: Owner
) -> None:
    assert (await owner.updates(api_key="one")).has_api_key
    changed = await owner.updates(api_key="two")
    assert (changed.has_api_key, changed.version) == (True, 2)
    assert (await owner.updates(display_name="Sol")).has_api_key
    assert not (await owner.updates(api_key="")).has_api_key
    await assert_events_tell_everything(desk, owner)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": "x" * 81}, "display_name"),
        ({"instructions": "x" * 4001}, "instructions"),
        ({"reply_delay": Duration(seconds=31)}, "reply_delay"),
        ({"reply_delay": Duration(seconds=-1)}, "reply_delay"),
        ({"longest_reply_delay": Duration(seconds=1)}, "longest_reply_delay"),
        ({"longest_reply_delay": Duration(seconds=61)}, "longest_reply_delay"),
        ({"answer_within": Duration(nanos=1)}, "answer_within"),
        ({"answer_within": Duration(seconds=2**60)}, "answer_within"),
        ({"min_coverage_percent": 0}, "min_coverage_percent"),
        ({"context_size": 101}, "context_size"),
        ({"provider": 99}, "provider"),
        ({"allowed_tools": v1.ToolList(tools=[UNKNOWN_TOOL])}, "allowed_tools.tools"),
        ({"openai": v1.OpenAiSettings(base_url="ftp://x")}, "openai.base_url"),
        ({"openai": v1.OpenAiSettings(base_url="https://user@x/v1")}, "openai.base_url"),
        ({"openai": v1.OpenAiSettings(base_url="https://x:y/v1")}, "openai.base_url"),
        ({"openai": v1.OpenAiSettings(max_output_tokens=5)}, "openai.max_output_tokens"),
        ({"openai": v1.OpenAiSettings(model="x" * 121)}, "openai.model"),
        ({"agent": v1.AgentSettings(address="nowhere")}, "agent.address"),
        ({"api_key": "a\r\nb"}, "api_key"),
        ({"expected_version": -1}, "expected_version"),
        ({"request_id": "x"}, "request_id"),
    ],
)
async def test_settings_that_cannot_be_are_refused_by_name(
    owner: Owner, fields: dict[str, Any], field: str
) -> None:
    reason, metadata = await refusal(owner.updates(**fields))

    assert (reason, metadata["field"]) == ("INVALID_ARGUMENT", field)


async def test_a_provider_needs_what_it_works_with(owner: Owner) -> None:
    for provider, field in (
        (v1.PROVIDER_KIND_OPENAI, "openai.base_url"),
        (v1.PROVIDER_KIND_AGENT, "agent.address"),
    ):
        reason, metadata = await refusal(owner.updates(provider=provider))
        assert (reason, metadata["field"]) == ("PROVIDER_INCOMPLETE", field)
