"""The inbox list: its order, its pages, its filters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.database import Transaction
from chassis.ids import new_id
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.faults import TagNotFound
from services.conversation.model.tags import PRIORITY
from services.conversation.model.thread import ChannelKind
from services.conversation.store import listing
from services.conversation.store.listing import Filters
from tests.service.conversation.desk import FIRST_DAY, Desk, a_customer


async def listed(
    desk: Desk, page_size: int, *, is_sparse: bool = False, **query: Any
) -> list[Conversation]:
    """Every page of a query, one after the other; only those of a sparse list may be short."""
    shown: list[Conversation] = []
    page = await desk.page(page_size=page_size, **query)
    shown += page.conversations
    while page.next_place:
        assert len(page.conversations) == page_size or is_sparse
        page = await desk.page(page_size=page_size, after=page.next_place, **query)
        shown += page.conversations
    return shown


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 12, 13, 200])
async def test_pages_of_any_size_hold_every_conversation_once_newest_first(
    desk: Desk, page_size: int
) -> None:
    customers = [a_customer(str(number)) for number in range(12)]
    # Several at the very same time: their ids decide.
    times = [FIRST_DAY + timedelta(minutes=number // 3) for number in range(12)]
    await desk.apply(*[c.writes(at=at) for c, at in zip(customers, times, strict=True)])

    shown = await listed(desk, page_size)

    expected = sorted(zip(times, [c.conversation_id for c in customers], strict=True), reverse=True)
    assert [(c.last_activity_time, c.id) for c in shown] == expected


async def test_a_conversation_that_moves_up_while_paging_is_not_shown_twice(desk: Desk) -> None:
    customers = [a_customer(str(number)) for number in range(6)]
    for minute, customer in enumerate(customers):
        await desk.apply(customer.writes(at=FIRST_DAY + timedelta(minutes=minute)))

    first = await desk.page(page_size=3)
    await desk.apply(customers[-1].writes(at=FIRST_DAY + timedelta(hours=1)))
    second = await desk.page(page_size=3, after=first.next_place)

    assert {c.id for c in first.conversations}.isdisjoint(c.id for c in second.conversations)
    assert second.next_place is None


async def test_folder_channel_and_unread_combine(desk: Desk) -> None:
    channel_id = new_id()
    here, elsewhere = a_customer(channel_id=channel_id), a_customer()
    read, solved = a_customer(channel_id=channel_id), a_customer(channel_id=channel_id)
    for customer in (here, elsewhere, read, solved):
        await desk.apply(customer.writes())
    await desk.mark_read(read.conversation_id, 1)
    await desk.solve(solved.conversation_id)

    async def ids(folder: Folder = Folder.OPEN, **query: Any) -> set[str]:
        return {c.id for c in await listed(desk, 2, folder=folder, **query)}

    assert await ids() == {c.conversation_id for c in (here, elsewhere, read)}
    assert await ids(unread_only=True) == {c.conversation_id for c in (here, elsewhere)}
    assert await ids(channel_id=channel_id) == {c.conversation_id for c in (here, read)}
    assert await ids(channel_id=channel_id, unread_only=True) == {here.conversation_id}
    assert await ids(Folder.SOLVED) == {solved.conversation_id}
    assert await ids(Folder.SPAM) == set()


async def test_tags_combine_with_each_other_and_with_everything_else(desk: Desk) -> None:
    channel_id = new_id()
    vip = await desk.create_tag("VIP")
    names = ("nothing", "starred", "vip", "both", "both and read", "both and solved", "elsewhere")
    customers = {name: a_customer(name, channel_id=channel_id) for name in names}
    customers["elsewhere"] = a_customer("elsewhere", kind=ChannelKind.TELEGRAM)
    for name, customer in customers.items():
        await desk.apply(customer.writes())
        if name not in {"nothing", "vip"}:
            await desk.tag(customer.conversation_id, "prioritario")
        if name not in {"nothing", "starred"}:
            await desk.tag(customer.conversation_id, vip.id)
    await desk.mark_read(customers["both and read"].conversation_id, 1)
    await desk.solve(customers["both and solved"].conversation_id)

    async def found(*tags: str, **query: Any) -> set[str]:
        return {c.contact.display_name for c in await listed(desk, 2, tags=tags, **query)}

    both = {"both", "both and read", "elsewhere"}
    assert await found("priority") == {"starred", *both}
    assert await found("vip") == {"vip", *both}
    assert await found("vip", "prioritario") == await found(vip.id, PRIORITY.id) == both
    assert await found("vip", "priority", unread_only=True) == {"both", "elsewhere"}
    assert await found("vip", "priority", channel_id=channel_id) == {"both", "both and read"}
    assert await found("vip", channel_kind=ChannelKind.TELEGRAM) == {"elsewhere"}
    assert await found(channel_kind=ChannelKind.TELEGRAM) == {"elsewhere"}
    assert await found("vip", folder=Folder.SOLVED) == {"both and solved"}
    with pytest.raises(TagNotFound):
        await found("vip", "never-made")


async def test_the_rarest_of_tags_and_channel_leads(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, busy = new_id(), new_id()
    vip = await desk.create_tag("VIP")
    customers = [a_customer(str(n), channel_id=busy if n % 4 else quiet) for n in range(12)]
    for number, customer in enumerate(customers):
        await desk.apply(customer.writes())
        if number < 5:
            await desk.tag(customer.conversation_id)
        if number < 4:
            await desk.tag(customer.conversation_id, vip.id)
        if number < 3:
            await desk.mark_read(customer.conversation_id, 1)
    asked: list[Filters] = []
    page = listing.page

    async def noted(transaction: Transaction, filters: Filters, **where: Any) -> Any:
        asked.append(filters)
        return await page(transaction, filters, **where)

    monkeypatch.setattr(listing, "page", noted)

    async def leaders(*tags: str, **query: Any) -> tuple[tuple[str, ...], bool]:
        await desk.page(tags=tags, **query)
        return asked[-1].tag_ids, asked[-1].is_channel_rarer

    assert await leaders("vip", "priority") == ((vip.id, PRIORITY.id), False)
    assert await leaders("priority", channel_id=busy) == ((PRIORITY.id,), False)
    assert await leaders("priority", channel_id=quiet) == ((PRIORITY.id,), True)
    assert await leaders("vip", "priority", channel_id=quiet) == ((vip.id, PRIORITY.id), True)
    # One of the VIPs is unread, and two on the quiet channel.
    assert await leaders("vip", channel_id=quiet, unread_only=True) == ((vip.id,), False)
    assert await leaders(channel_id=quiet) == ((), False)
    shown = await desk.page(tags=("vip", "priority"), channel_id=quiet)
    assert [c.contact.display_name for c in shown.conversations] == ["0"]


@pytest.mark.parametrize("page_size", [1, 2, 50])
async def test_a_page_of_filters_that_hardly_meet_is_short_and_says_where_to_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    vip, rush = await desk.create_tag("VIP"), await desk.create_tag("Rush")
    customers = [a_customer(str(number)) for number in range(15)]
    both = {0, 6, 7, 14}
    for number, customer in enumerate(customers):
        await desk.apply(customer.writes(at=FIRST_DAY - timedelta(minutes=number)))
        await desk.tag(customer.conversation_id, vip.id)
        if number in both:
            await desk.tag(customer.conversation_id, rush.id)
    for _ in range(20):  # Others that make VIP the rarer of the two.
        other = a_customer("other")
        await desk.apply(other.writes(at=FIRST_DAY - timedelta(days=1)))
        await desk.tag(other.conversation_id, rush.id)
    monkeypatch.setattr(listing, "LOOKED_AT", 4)

    first = await desk.page(page_size=50, tags=("vip", "rush"))
    shown = await listed(desk, page_size, is_sparse=True, tags=("vip", "rush"))

    assert [found.id for found in first.conversations] == [customers[0].conversation_id]
    assert first.next_place is not None
    assert first.next_place.conversation_id == customers[3].conversation_id
    assert [found.id for found in shown] == [customers[n].conversation_id for n in sorted(both)]


async def test_a_list_of_one_tag_follows_every_message_and_every_move(desk: Desk) -> None:
    ana, bob = a_customer("Ana"), a_customer("Bob")
    await desk.apply(ana.writes(), bob.writes(at=FIRST_DAY + timedelta(hours=1)))
    for customer in (ana, bob):
        await desk.tag(customer.conversation_id)

    async def starred(**query: Any) -> list[str]:
        found = await listed(desk, 1, tags=("priority",), **query)
        return [conversation.contact.display_name for conversation in found]

    before = await starred()
    await desk.apply(ana.writes(at=FIRST_DAY + timedelta(hours=2)))
    await desk.mark_read(bob.conversation_id, 1)

    assert (before, await starred()) == (["Bob", "Ana"], ["Ana", "Bob"])
    assert await starred(unread_only=True) == ["Ana"]
    await desk.move(ana.conversation_id, Folder.ARCHIVED)
    assert await starred() == ["Bob"]
    assert await starred(folder=Folder.ARCHIVED) == ["Ana"]
    await desk.apply(ana.writes(at=FIRST_DAY + timedelta(hours=3)))
    assert await starred() == ["Ana", "Bob"]
    await desk.untag(ana.conversation_id, PRIORITY.id)
    assert await starred() == ["Bob"]


async def test_waiting_and_assignee_combine_with_everything_else(desk: Desk) -> None:
    me, colleague, _ = (one.id for one in desk.colleagues)
    channel_id = new_id()
    names = ("nothing", "mine", "hers", "waiting", "mine and waiting", "mine and starred")
    customers = {name: a_customer(name, channel_id=channel_id) for name in names}
    for name, customer in customers.items():
        await desk.apply(customer.writes())
        if "waiting" in name:
            await desk.apply(customer.is_handed_over())
        if "mine" in name or name == "hers":
            await desk.assign(customer.conversation_id, me if "mine" in name else colleague)
        if "starred" in name:
            await desk.tag(customer.conversation_id)
    await desk.mark_read(customers["mine and waiting"].conversation_id, 1)

    async def found(**query: Any) -> set[str]:
        return {c.contact.display_name for c in await listed(desk, 2, **query)}

    mine: dict[str, Any] = {"assignee_id": me}
    starred: dict[str, Any] = {"tags": ("priority",)}
    assert await found(**mine) == {"mine", "mine and waiting", "mine and starred"}
    assert await found(assignee_id=colleague) == {"hers"}
    assert await found(unassigned_only=True) == {"nothing", "waiting"}
    assert await found(waiting_only=True) == {"waiting", "mine and waiting"}
    assert await found(waiting_only=True, **mine) == {"mine and waiting"}
    assert await found(waiting_only=True, unassigned_only=True) == {"waiting"}
    assert await found(unread_only=True, **mine) == {"mine", "mine and starred"}
    assert await found(unread_only=True, waiting_only=True) == {"waiting"}
    assert await found(**starred, **mine) == {"mine and starred"}
    assert await found(**starred, unassigned_only=True) == set()
    assert await found(**starred, waiting_only=True) == set()
    assert await found(channel_id=channel_id, waiting_only=True, **mine) == {"mine and waiting"}
    assert await found(folder=Folder.SOLVED, **mine) == set()

    await desk.apply(customers["waiting"].is_taken_by(me))
    await desk.untag(customers["mine and starred"].conversation_id)
    await desk.tag(customers["nothing"].conversation_id)

    assert await found(waiting_only=True) == {"mine and waiting"}
    assert await found(**starred, unassigned_only=True) == {"nothing"}
