"""The workspace's tags, the star, and which conversations have them, against the real database."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import IdempotencyKeyReused, VersionConflict
from chassis.ids import WorkspaceId, new_id
from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.tags import forget_deleted
from services.conversation.mapping import conversation_to, tag_to
from services.conversation.model.conversation import Folder
from services.conversation.model.counters import ALL, CounterKey, Tally
from services.conversation.model.faults import TagBuiltIn, TagExists, TagNotFound, TooManyTags
from services.conversation.model.tags import MAX_TAGS, PRIORITY, TagColor
from tests.service.conversation.desk import Desk, a_customer


async def test_every_workspace_has_the_star_before_anything_is_written(desk: Desk) -> None:
    [star] = await desk.tags()

    assert star == PRIORITY
    assert (star.key, star.display_name, star.is_built_in) == ("priority", "", True)


async def test_the_star_can_be_renamed_and_is_found_as_before(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())

    renamed = await desk.update_tag("prioritario", display_name="Urgente", color=TagColor.RED)
    starred = await desk.tag(ana.conversation_id, "priority")

    assert await desk.tags() == [renamed]
    assert (renamed.key, renamed.version, starred.is_priority) == ("priority", 2, True)
    with pytest.raises(TagBuiltIn):
        await desk.delete_tag("priority")
    [_, changed, _] = await desk.published()
    assert changed == conversation_v1.TagChanged(tag=tag_to(renamed))


async def test_a_star_is_given_once_and_told_once_with_who_gave_it(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(desk.tag(ana.conversation_id))

    starred = await desk.get(ana.conversation_id)
    [_, event] = await desk.published()
    assert event == conversation_v1.ConversationTagged(
        conversation=conversation_to(starred),
        author=messaging_v1.Author(
            kind=messaging_v1.AUTHOR_KIND_MEMBER, id=desk.agent.id, display_name="Bea"
        ),
        tag_id=PRIORITY.id,
    )
    assert conversation_to(starred).is_priority


async def test_a_late_repeat_of_a_star_does_not_undo_what_happened_since(desk: Desk) -> None:
    ana, request_id = a_customer(), new_id()
    await desk.apply(ana.opens())
    await desk.tag(ana.conversation_id, request_id=request_id)
    await desk.untag(ana.conversation_id)

    repeated = await desk.tag(ana.conversation_id, "prioritario", request_id=request_id)

    assert not repeated.is_priority
    with pytest.raises(IdempotencyKeyReused):
        await desk.untag(ana.conversation_id, request_id=request_id)
    with pytest.raises(VersionConflict):
        await desk.tag(ana.conversation_id, expected_version=1)


async def test_a_repeated_request_creates_one_tag(desk: Desk) -> None:
    request_id = new_id()

    async with asyncio.TaskGroup() as group:
        made = [group.create_task(desk.create_tag("VIP", request_id=request_id)) for _ in range(4)]

    assert len({task.result() for task in made}) == 1
    assert [tag.key for tag in await desk.tags()] == ["priority", "vip"]
    with pytest.raises(IdempotencyKeyReused):
        await desk.create_tag("Refund", request_id=request_id)
    with pytest.raises(TagExists):
        await desk.create_tag("vip")


async def test_a_renamed_tag_keeps_its_conversations_and_its_key(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())
    vip = await desk.create_tag("VIP")
    await desk.tag(ana.conversation_id, "vip")

    renamed = await desk.update_tag("vip", display_name="Very important", expected_version=1)

    [found] = (await desk.page(tags=("vip",))).conversations
    assert (found.tag_ids, renamed.key, renamed.version) == ((vip.id,), "vip", 2)
    with pytest.raises(VersionConflict):
        await desk.update_tag("vip", color=TagColor.PINK, expected_version=1)


async def test_a_deleted_tag_is_gone_at_once_and_its_key_is_free(desk: Desk) -> None:
    ana, bob, request_id = a_customer(), a_customer(), new_id()
    await desk.apply(ana.opens(), bob.opens())
    old = await desk.create_tag("VIP")
    for customer in (ana, bob):
        await desk.tag(customer.conversation_id, "vip")

    deleted = await desk.delete_tag("vip", request_id=request_id)
    fresh = await desk.create_tag("VIP")
    repeated = await desk.delete_tag("vip", request_id=request_id)

    assert (deleted, deleted.is_deleted) == (repeated, True)
    assert [tag.id for tag in await desk.tags()] == [PRIORITY.id, fresh.id]
    assert CounterKey("tag", old.id, "open") not in await desk.counters()
    assert (await desk.page(tags=("vip",))).conversations == []
    for act in (desk.tag, desk.untag):
        with pytest.raises(TagNotFound):
            await act(ana.conversation_id, old.id)
    # What follows counts for the living tag only.
    await desk.tag(ana.conversation_id, "vip")
    await desk.move(bob.conversation_id, Folder.ARCHIVED)
    assert (await desk.get(ana.conversation_id)).tag_ids == (fresh.id,)
    assert (await desk.counters())[CounterKey("tag", fresh.id, "open")] == Tally(1, 0)
    assert await desk.drift() == 0


async def test_what_a_deleted_tag_left_is_removed_in_the_background(desk: Desk) -> None:
    customers = [a_customer() for _ in range(5)]
    await desk.apply(*[customer.opens() for customer in customers])
    gone, kept = await desk.create_tag("gone"), await desk.create_tag("kept")
    for customer in customers:
        await desk.tag(customer.conversation_id, gone.id)
        await desk.tag(customer.conversation_id, kept.id)
    await desk.delete_tag(gone.id)

    await forget_deleted(desk.worker, desk.workspace_id)

    async with desk.worker.begin(desk.workspace_id) as transaction:
        left = await transaction.raw.fetch(
            "SELECT tag_id, count(*) FROM conversation_tags GROUP BY 1"
        )
    assert [(str(row[0]), row[1]) for row in left] == [(kept.id, 5)]


async def test_a_tag_deleted_while_conversations_are_given_it_leaves_no_drift(desk: Desk) -> None:
    customers = [a_customer() for _ in range(6)]
    await desk.apply(*[customer.opens() for customer in customers])
    tag = await desk.create_tag("contested")

    async def give(conversation_id: str) -> None:
        try:
            await desk.tag(conversation_id, tag.id)
        except TagNotFound:
            return
        await desk.move(conversation_id, Folder.SOLVED)

    async with asyncio.TaskGroup() as group:
        for customer in customers[:3]:
            group.create_task(give(customer.conversation_id))
        group.create_task(desk.delete_tag(tag.id))
        for customer in customers[3:]:
            group.create_task(give(customer.conversation_id))

    assert await desk.drift() == 0


async def test_a_workspace_has_so_many_tags_and_no_more(desk: Desk) -> None:
    async with desk.worker.begin(desk.workspace_id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO tags SELECT $1, md5('tag' || n)::uuid, 'tag-' || n, 'Tag', 'gray', now(), "
            "false, 1 FROM generate_series(1, $2::int) n",
            desk.workspace_id,
            MAX_TAGS - 1,
        )

    with pytest.raises(TooManyTags):
        await desk.create_tag("one more")


async def test_tags_of_another_workspace_are_not_found(desk: Desk) -> None:
    stranger = Desk(desk.means, desk.worker, WorkspaceId(new_id()), [])
    ana = a_customer()
    await stranger.apply(ana.opens())
    vip = await desk.create_tag("VIP")

    for name in (vip.id, "vip"):
        with pytest.raises(TagNotFound):
            await stranger.tag(ana.conversation_id, name)
        with pytest.raises(TagNotFound):
            await stranger.update_tag(name, display_name="mine")
        with pytest.raises(TagNotFound):
            await stranger.delete_tag(name)
        with pytest.raises(TagNotFound):
            await stranger.page(tags=(name,))
    assert await stranger.counters() == {
        CounterKey("channel", ana.thread.channel_id, "open"): Tally(1, 0),
        CounterKey("folder", ALL, "open"): Tally(1, 0),
    }
