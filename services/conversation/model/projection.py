"""How what messaging says becomes a conversation."""

from __future__ import annotations

from dataclasses import replace

from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.folders import is_reopened
from services.conversation.model.thread import ThreadFacts


def open_conversation(contact: Contact, facts: ThreadFacts) -> Conversation:
    """The conversation a thread's first fact makes.

    What came in before a thread was opened was erased: it is not waiting to be read.
    """
    return Conversation(
        id=facts.conversation_id,
        contact=contact,
        channel_id=facts.channel_id,
        channel_kind=facts.channel_kind,
        folder=Folder.OPEN,
        preview=facts.preview,
        inbound_count=facts.inbound_count,
        read_ordinal=0 if facts.preview else facts.inbound_count,
        solved_ordinal=0,
        mode=facts.mode,
        mode_epoch=facts.mode_epoch,
        log_epoch=facts.log_epoch,
        create_time=facts.create_time,
        waiting_since=facts.waiting_since,
        hold=facts.hold,
        thread_version=facts.thread_version,
    )


def project(
    conversation: Conversation, facts: ThreadFacts, *, reopens_on_inbound: bool = True
) -> Conversation:
    """The conversation with what messaging says; a maximum per field, so order is no matter.

    An inbound message beyond those known when it was settled opens it again, unless the workspace
    chose otherwise: a rule of its own, so it raises the version. Spam stays where it is.
    """
    before = conversation
    if conversation.log_epoch != facts.log_epoch:
        conversation = _start_again(conversation, facts)
    preview, mode, mode_epoch = conversation.preview, conversation.mode, conversation.mode_epoch
    if facts.preview and (preview is None or facts.preview.seq > preview.seq):
        preview = facts.preview
    if facts.mode_epoch > mode_epoch:
        mode, mode_epoch = facts.mode, facts.mode_epoch
    if facts.thread_version > conversation.thread_version:
        conversation = _with_thread(conversation, facts)
    projected = replace(
        conversation,
        preview=preview,
        mode=mode,
        mode_epoch=mode_epoch,
        inbound_count=max(conversation.inbound_count, facts.inbound_count),
    )
    if reopens_on_inbound and is_reopened(before, projected):
        return replace(projected, folder=Folder.OPEN, version=projected.version + 1)
    return projected


def _with_thread(conversation: Conversation, facts: ThreadFacts) -> Conversation:
    return replace(
        conversation,
        waiting_since=facts.waiting_since,
        hold=facts.hold,
        thread_version=facts.thread_version,
    )


def _start_again(conversation: Conversation, facts: ThreadFacts) -> Conversation:
    """Messaging's database was restored from a backup: its versions count from an earlier point.

    What it says now replaces what it said before, and marks may not stand beyond it, or the
    next messages would come in as read, or would not reopen.
    """
    conversation = replace(
        _with_thread(conversation, facts),
        log_epoch=facts.log_epoch,
        preview=facts.preview,
        mode=facts.mode,
        mode_epoch=facts.mode_epoch,
        inbound_count=facts.inbound_count,
        solved_ordinal=min(conversation.solved_ordinal, facts.inbound_count),
    )
    if conversation.read_ordinal <= facts.inbound_count:
        return conversation
    return replace(conversation, read_ordinal=facts.inbound_count, version=conversation.version + 1)
