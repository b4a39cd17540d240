"""Presence and typing: seen by everybody at every replica, forgotten when not said again."""

from __future__ import annotations

import asyncio

from chassis.auth import Role
from chassis.ids import new_id
from inbox.realtime import v1 as realtime_v1
from services.realtime.model import Presences
from services.realtime.service import RealtimeService, add_to_server
from services.realtime.sweeper import sweep
from tests.service.chassis.eventing import a_workspace, until
from tests.service.realtime.stage import Client, Replica, Stage
from tests.serving import serving


def presence(member: str, **said: object) -> realtime_v1.ServerFrame:
    return realtime_v1.ServerFrame(
        presence=realtime_v1.Presence(member_id=member, **said)  # type: ignore[arg-type]
    )


async def test_a_word_at_one_replica_is_heard_at_the_other_and_by_later_watchers(
    stage: Stage, nats_url: str
) -> None:
    here, elsewhere = a_workspace(), a_workspace()
    async with stage.replica(nats_url) as one, stage.replica(nats_url) as other:
        watcher = Client(here)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(watcher.follow(other))
            await until(lambda: bool(watcher.position))
            await one.presence.tell(here, presence("m1", conversation_id="c", is_typing=True))
            await one.presence.tell(elsewhere, presence("m2"))
            await until(lambda: "m1" in watcher.present)
            late = Client(here)
            await late.follow(one, frames=2)
            await one.presence.tell(here, presence("m1", is_gone=True))
            await until(lambda: not watcher.present)
            following.cancel()

    assert late.present["m1"].is_typing
    assert "m2" not in late.present


async def test_a_member_who_is_not_heard_of_fades(stage: Stage, replica: Replica) -> None:
    here = a_workspace()
    watcher = Client(here)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(watcher.follow(replica))
        await until(lambda: bool(watcher.position))
        await replica.presence.tell(here, presence("m1"))
        await until(lambda: "m1" in watcher.present)

        sweep(replica.live, asyncio.get_running_loop().time() + 29)
        await asyncio.sleep(0.1)
        assert "m1" in watcher.present
        sweep(replica.live, asyncio.get_running_loop().time() + 31)
        await until(lambda: not watcher.present)
        following.cancel()


async def test_typing_that_is_not_said_again_ends_and_the_member_stays(
    stage: Stage, replica: Replica
) -> None:
    here, conversation = a_workspace(), new_id()
    watcher = Client(here)
    types = presence("m1", conversation_id=conversation, is_typing=True)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(watcher.follow(replica))
        await until(lambda: bool(watcher.position))
        await replica.presence.tell(here, types)
        await until(lambda: "m1" in watcher.present)

        sweep(replica.live, asyncio.get_running_loop().time() + 7)
        assert watcher.present["m1"].is_typing
        sweep(replica.live, asyncio.get_running_loop().time() + 9)
        await until(lambda: not watcher.present["m1"].is_typing)
        late = Client(here)
        await late.follow(replica, frames=2)
        await replica.presence.tell(here, types)
        await until(lambda: watcher.present["m1"].is_typing)
        following.cancel()

    assert late.present["m1"].conversation_id == conversation
    assert not late.present["m1"].is_typing


async def test_a_customers_typing_is_passed_on_and_kept_nowhere(
    stage: Stage, replica: Replica
) -> None:
    here, conversation = a_workspace(), new_id()
    watcher = Client(here)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(watcher.follow(replica))
        await until(lambda: bool(watcher.position))
        typing = realtime_v1.CustomerTyping(conversation_id=conversation)
        await replica.presence.tell(here, realtime_v1.ServerFrame(customer_typing=typing))
        await until(lambda: watcher.customer_typing == [conversation])
        following.cancel()
    late = Client(here)
    await late.follow(replica, frames=2)

    assert late.customer_typing == []


async def test_that_the_ai_writes_is_told_each_time_and_fades_when_it_is_not_said_again(
    stage: Stage, replica: Replica
) -> None:
    here, conversation = a_workspace(), new_id()
    watcher = Client(here)

    async def tell(*, is_writing: bool) -> None:
        writing = realtime_v1.AiWriting(conversation_id=conversation, is_writing=is_writing)
        await replica.presence.tell(here, realtime_v1.ServerFrame(ai_writing=writing))

    async with asyncio.TaskGroup() as group:
        following = group.create_task(watcher.follow(replica))
        await until(lambda: bool(watcher.position))
        await tell(is_writing=True)
        await until(lambda: watcher.ai_writing == [(conversation, True)])
        sweep(replica.live, asyncio.get_running_loop().time() + 9)
        await tell(is_writing=True)
        await until(lambda: len(watcher.ai_writing) == 2)
        await tell(is_writing=False)
        await until(lambda: len(watcher.ai_writing) == 3)
        sweep(replica.live, asyncio.get_running_loop().time() + 11)
        await tell(is_writing=True)
        await until(lambda: len(watcher.ai_writing) == 4)
        sweep(replica.live, asyncio.get_running_loop().time() + 11)
        await until(lambda: len(watcher.ai_writing) == 5)
        following.cancel()

    assert [is_writing for _, is_writing in watcher.ai_writing] == [True, True, False, True, False]


def test_words_fade_in_the_order_they_were_last_said() -> None:
    presences = Presences()
    assert presences.hear("w", "a", b"1", 0.0)
    assert presences.hear("w", "b", b"1", 1.0)
    assert not presences.hear("w", "a", b"1", 10.0)
    assert presences.hear("w", "a", b"2", 11.0)

    assert presences.fade(31.5) == [("w", "b")]
    assert presences.present("w") == [b"2"]
    assert presences.fade(41.5) == [("w", "a")]
    assert presences.present("w") == []


def test_typing_ends_once_and_not_for_who_left_or_stopped_meanwhile() -> None:
    presences = Presences()
    for number, member in enumerate("abcd"):
        presences.hear("w", member, b"types", float(number), at_rest=b"rests")
    presences.hear("w", "b", b"rests", 4.0)
    presences.leave("w", "c")
    presences.hear("w", "a", b"types", 5.0, at_rest=b"rests")

    assert presences.rest(11.5) == [("w", "d", b"rests")]
    assert presences.rest(11.5) == []
    assert presences.present("w") == [b"types", b"rests", b"rests"]
    assert presences.hear("w", "d", b"types", 12.0, at_rest=b"rests")


async def test_over_grpc_people_and_bots_speak_for_themselves_and_forwarders_for_others(
    stage: Stage, replica: Replica
) -> None:
    here, conversation = a_workspace(), new_id()
    servicer = RealtimeService(replica.live, replica.replay, replica.presence)
    async with serving((add_to_server, servicer)) as server:
        agent = realtime_v1.RealtimeServiceStub(
            server.channel(Role.AGENT, here, id="agent-1", display_name="Ana")
        )
        seen = Client(here)

        async def follow() -> None:
            async for answer in agent.Watch(realtime_v1.WatchRequest()):
                for frame in answer.frames:
                    seen.take(frame)

        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow())
            await until(lambda: bool(seen.position))
            await agent.PublishPresence(
                realtime_v1.PublishPresenceRequest(member_id="somebody-else", is_typing=True)
            )
            gateway = realtime_v1.RealtimeServiceStub(server.channel(Role.SERVICE, here))
            await gateway.PublishPresence(
                realtime_v1.PublishPresenceRequest(member_id="agent-2", display_name="Bo")
            )
            await until(lambda: set(seen.present) == {"agent-1", "agent-2"})
            bot = realtime_v1.RealtimeServiceStub(server.channel(Role.BOT, here))
            await bot.PublishAiActivity(
                realtime_v1.PublishAiActivityRequest(conversation_id=conversation, is_writing=True)
            )
            await until(lambda: bool(seen.ai_writing))
            await stage.emit(here, "messaging", "hello")
            await until(lambda: seen.seen["messaging"] == ["hello"])
            following.cancel()

    assert seen.ai_writing == [(conversation, True)]
    assert seen.present["agent-1"].display_name == "Ana"
    assert not seen.present["agent-1"].is_typing
