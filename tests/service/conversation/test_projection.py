"""What messaging's events make of the shared inbox."""

from __future__ import annotations

from dataclasses import replace

from inbox.conversation import v1 as conversation_v1
from inbox.messaging import v1 as messaging_v1
from services.conversation.actions.lost import solve_lost
from services.conversation.mapping import conversation_to
from services.conversation.model.conversation import Folder
from services.conversation.model.thread import AttachmentKind, Mode
from tests.service.conversation.desk import Desk, a_customer


async def test_a_first_message_makes_contact_and_conversation_and_one_event(desk: Desk) -> None:
    ana = a_customer("Ana")

    await desk.apply(ana.opens(), ana.writes("hola\n¿hay stock?"), ana.writes("¿hola?"))

    conversation = await desk.get(ana.conversation_id)
    assert conversation.id == ana.conversation_id
    assert conversation.contact.display_name == "Ana"
    assert [i.key for i in conversation.contact.identities] == [ana.thread.identity_key]
    assert conversation.preview is not None
    assert (conversation.preview.seq, conversation.preview.text) == (2, "¿hola?")
    assert (conversation.inbound_count, conversation.unread_count) == (2, 2)
    [event] = await desk.published()
    assert event == conversation_v1.ConversationOpened(conversation=conversation_to(conversation))


async def test_a_snapshots_newest_message_alone_makes_everything(desk: Desk) -> None:
    ana = a_customer()
    ana.writes("first")
    newest = ana.is_answered("second")

    await desk.apply(newest)

    conversation = await desk.get(ana.conversation_id)
    assert conversation.inbound_count == 1
    assert conversation.preview is not None
    assert conversation.preview.text == "second"


async def test_the_list_knows_what_kind_of_file_came_last_until_a_text_follows(desk: Desk) -> None:
    ana = a_customer()

    await desk.apply(ana.opens(), ana.is_sent_a_file(AttachmentKind.VOICE))

    preview = conversation_to(await desk.get(ana.conversation_id)).preview
    assert (preview.text, preview.attachment_kind) == ("", messaging_v1.ATTACHMENT_KIND_VOICE)

    await desk.apply(ana.writes("gracias"))

    preview = conversation_to(await desk.get(ana.conversation_id)).preview
    assert preview.text == "gracias"
    assert preview.attachment_kind == messaging_v1.ATTACHMENT_KIND_UNSPECIFIED


async def test_any_event_twice_or_late_changes_nothing_and_tells_nothing(desk: Desk) -> None:
    ana = a_customer()
    run = [ana.opens(), ana.writes(), ana.is_switched(Mode.AI), ana.is_answered()]
    await desk.apply(*run)
    once = await desk.get(ana.conversation_id)

    await desk.apply(*run)
    await desk.apply(*reversed(run))

    assert await desk.get(ana.conversation_id) == once
    assert len(await desk.published()) == 1


async def test_messages_and_modes_are_projected_without_an_event_of_our_own(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens())

    await desk.apply(ana.writes())
    await desk.apply(ana.is_switched(Mode.AI))

    conversation = await desk.get(ana.conversation_id)
    assert (conversation.mode, conversation.mode_epoch) == (Mode.AI, 2)
    assert conversation.version == 1
    assert len(await desk.published()) == 1


async def test_a_message_to_a_solved_conversation_reopens_it_as_the_system(desk: Desk) -> None:
    ana = a_customer()
    await desk.apply(ana.opens(), ana.writes())
    await desk.solve(ana.conversation_id)

    await desk.apply(ana.is_answered())
    assert (await desk.get(ana.conversation_id)).folder is Folder.SOLVED
    await desk.apply(ana.writes(), ana.writes())

    conversation = await desk.get(ana.conversation_id)
    assert conversation.folder is Folder.OPEN
    event = (await desk.published())[-1]
    assert isinstance(event, conversation_v1.ConversationReopened)
    assert event.conversation == conversation_to(conversation)
    assert event.author.kind == messaging_v1.AUTHOR_KIND_SYSTEM


async def test_a_replayed_snapshot_does_not_reopen_what_was_solved_since(desk: Desk) -> None:
    ana = a_customer()
    newest = ana.writes()
    await desk.apply(newest)
    await desk.solve(ana.conversation_id)

    await desk.apply(newest)

    assert (await desk.get(ana.conversation_id)).folder is Folder.SOLVED


async def test_customers_with_the_same_name_stay_two_contacts(desk: Desk) -> None:
    one, other = a_customer("Ana"), a_customer("Ana")

    await desk.apply(one.opens(), other.opens())

    first, second = await desk.get(one.conversation_id), await desk.get(other.conversation_id)
    assert first.contact.id != second.contact.id


async def test_a_second_thread_of_one_identity_belongs_to_the_same_contact(desk: Desk) -> None:
    ana = a_customer()
    again = a_customer()
    again.thread = replace(
        again.thread, channel_id=ana.thread.channel_id, external_id=ana.thread.external_id
    )

    await desk.apply(ana.opens())
    await desk.apply(again.opens())

    first, second = await desk.get(ana.conversation_id), await desk.get(again.conversation_id)
    assert first.contact == second.contact


async def test_a_customers_new_name_is_one_event_of_the_contact(desk: Desk) -> None:
    ana = a_customer("")
    await desk.apply(ana.opens())

    await desk.apply(ana.is_called("Ana"), ana.writes())

    contact = (await desk.get(ana.conversation_id)).contact
    assert (contact.display_name, contact.version) == ("Ana", 2)
    [_, event] = await desk.published()
    assert isinstance(event, conversation_v1.ContactChanged)
    assert event.contact.display_name == "Ana"


async def test_a_restored_messaging_database_replaces_what_it_said_before(desk: Desk) -> None:
    ana = a_customer()
    before_backup = ana.writes("kept")
    await desk.apply(before_backup, ana.writes("lost"))
    await desk.mark_read(ana.conversation_id, 2)

    await desk.apply(replace(before_backup, log_epoch="second-life"))

    conversation = await desk.get(ana.conversation_id)
    assert conversation.preview is not None
    assert conversation.preview.text == "kept"
    assert (conversation.inbound_count, conversation.read_ordinal) == (1, 1)


async def test_five_hundred_events_of_a_busy_workspace_are_one_run(desk: Desk) -> None:
    customers = [a_customer(f"customer {number}") for number in range(50)]
    run = [customer.opens() for customer in customers]
    run += [customers[number % 50].writes(f"message {number}") for number in range(450)]

    await desk.apply(*run)

    page = await desk.page(page_size=200)
    assert len(page.conversations) == 50
    assert {c.inbound_count for c in page.conversations} == {9}
    assert len(await desk.published()) == 50


async def test_after_a_restore_conversations_that_messaging_lost_leave_the_open_list(
    desk: Desk,
) -> None:
    kept, lost, archived = a_customer(), a_customer(), a_customer()
    await desk.apply(kept.writes(), lost.writes(), archived.writes())
    await desk.solve(archived.conversation_id)
    before = await desk.get(archived.conversation_id)
    await desk.apply(replace(kept.thread, log_epoch="second-life"))

    for _ in range(2):
        await solve_lost(desk.means, desk.worker, "second-life")

    [shown] = (await desk.page()).conversations
    assert shown.id == kept.conversation_id
    assert await desk.get(archived.conversation_id) == before
    [event] = (await desk.published())[4:]
    assert isinstance(event, conversation_v1.ConversationSolved)
    assert event.conversation.id == lost.conversation_id
    assert event.author.kind == messaging_v1.AUTHOR_KIND_SYSTEM
