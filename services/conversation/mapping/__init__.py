"""Protobuf to model and back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import DecodeError

from chassis.auth import Caller, Role
from chassis.errors import FieldInvalid, InvalidArgument
from chassis.ids import parse_id
from inbox.conversation import v1 as conversation_v1
from inbox.identity import v1 as identity_v1
from inbox.messaging import v1 as messaging_v1
from inbox.policy import v1 as policy_v1
from inbox.realtime import v1 as realtime_v1
from services.conversation.mapping.times import time_from as _time_from
from services.conversation.mapping.times import time_to as _time_to
from services.conversation.model.assigning import Member
from services.conversation.model.authors import SYSTEM, Author, AuthorKind
from services.conversation.model.contact import Contact
from services.conversation.model.conversation import Conversation, Folder
from services.conversation.model.counters import Counter, CounterKind
from services.conversation.model.drafts import Draft
from services.conversation.model.erasure import STEPS, Erasure
from services.conversation.model.reading import SeenBy
from services.conversation.model.settings import InboxSettings
from services.conversation.model.tags import Tag, TagColor
from services.conversation.model.thread import (
    AttachmentKind,
    ChannelKind,
    Hold,
    Mode,
    Preview,
    ThreadFacts,
    preview_text,
)

MESSAGING_STREAM = "INBOX_MESSAGING"

FOLDERS = {
    Folder.OPEN: conversation_v1.FOLDER_OPEN,
    Folder.SOLVED: conversation_v1.FOLDER_SOLVED,
    Folder.SPAM: conversation_v1.FOLDER_SPAM,
    Folder.ARCHIVED: conversation_v1.FOLDER_ARCHIVED,
}
CHANNEL_KINDS = {
    ChannelKind.WEB_CHAT: messaging_v1.CHANNEL_KIND_WEB_CHAT,
    ChannelKind.SIMULATOR: messaging_v1.CHANNEL_KIND_SIMULATOR,
    ChannelKind.WHATSAPP: messaging_v1.CHANNEL_KIND_WHATSAPP,
    ChannelKind.MESSENGER: messaging_v1.CHANNEL_KIND_MESSENGER,
    ChannelKind.INSTAGRAM: messaging_v1.CHANNEL_KIND_INSTAGRAM,
    ChannelKind.TELEGRAM: messaging_v1.CHANNEL_KIND_TELEGRAM,
}
MODES = {
    Mode.AI: messaging_v1.CONVERSATION_MODE_AI,
    Mode.MANUAL: messaging_v1.CONVERSATION_MODE_MANUAL,
}
ATTACHMENT_KINDS = {
    kind: messaging_v1.AttachmentKind.Value(f"ATTACHMENT_KIND_{kind.name}")
    for kind in AttachmentKind
}
AUTHOR_KINDS = {
    AuthorKind.CUSTOMER: messaging_v1.AUTHOR_KIND_CUSTOMER,
    AuthorKind.MEMBER: messaging_v1.AUTHOR_KIND_MEMBER,
    AuthorKind.AI: messaging_v1.AUTHOR_KIND_AI,
    AuthorKind.PHONE_APP: messaging_v1.AUTHOR_KIND_PHONE_APP,
    AuthorKind.SYSTEM: messaging_v1.AUTHOR_KIND_SYSTEM,
}

TAG_COLORS = {
    TagColor.GRAY: conversation_v1.TAG_COLOR_GRAY,
    TagColor.RED: conversation_v1.TAG_COLOR_RED,
    TagColor.ORANGE: conversation_v1.TAG_COLOR_ORANGE,
    TagColor.AMBER: conversation_v1.TAG_COLOR_AMBER,
    TagColor.GREEN: conversation_v1.TAG_COLOR_GREEN,
    TagColor.TEAL: conversation_v1.TAG_COLOR_TEAL,
    TagColor.BLUE: conversation_v1.TAG_COLOR_BLUE,
    TagColor.PURPLE: conversation_v1.TAG_COLOR_PURPLE,
    TagColor.PINK: conversation_v1.TAG_COLOR_PINK,
}

MEMBER_ROLES: dict[int, Role] = {
    policy_v1.ROLE_OWNER: Role.OWNER,
    policy_v1.ROLE_AGENT: Role.AGENT,
}
"""Members of every other role only read."""

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs", bound=int)


@dataclass(eq=False)
class EventNotUnderstood(InvalidArgument):
    """An event of messaging holds a value this version does not know."""

    field: str
    number: int

    def __str__(self) -> str:
        return f"{self.field} has the value {self.number}, which this version does not know"


def author_of(caller: Caller) -> Author:
    """Who a caller is as the author of a change."""
    if caller.role is Role.SERVICE:
        return SYSTEM
    kind = AuthorKind.AI if caller.role is Role.BOT else AuthorKind.MEMBER
    return Author(kind, caller.id, caller.display_name)


def folder_from(number: int) -> Folder:
    """The folder a request names; Open when it names none. Raises: FieldInvalid."""
    if number == conversation_v1.FOLDER_UNSPECIFIED:
        return Folder.OPEN
    for folder, theirs in FOLDERS.items():
        if theirs == number:
            return folder
    raise FieldInvalid("folder", "must be one of the four folders")


def destination_from(number: int) -> Folder:
    """The folder that something shall move to; it must be named. Raises: FieldInvalid."""
    if number == conversation_v1.FOLDER_UNSPECIFIED:
        raise FieldInvalid("folder", "must be one of the four folders")
    return folder_from(number)


def channel_kind_from(number: int) -> ChannelKind | None:
    """The kind a filter names; None when it names none. Raises: FieldInvalid."""
    if number == messaging_v1.CHANNEL_KIND_UNSPECIFIED:
        return None
    for kind, theirs in CHANNEL_KINDS.items():
        if theirs == number:
            return kind
    raise FieldInvalid("channel_kind", "must be one of the kinds of channel")


def color_from(number: int) -> TagColor | None:
    """The color a request names; None when it names none. Raises: FieldInvalid."""
    if number == conversation_v1.TAG_COLOR_UNSPECIFIED:
        return None
    for color, theirs in TAG_COLORS.items():
        if theirs == number:
            return color
    raise FieldInvalid("color", "must be one of the palette")


def member_from(member: identity_v1.Member) -> Member:
    """A member of the workspace, as identity tells of them."""
    return Member(
        id=member.id,
        role=MEMBER_ROLES.get(member.role, Role.READ_ONLY),
        is_active=member.state == identity_v1.MEMBER_STATE_ACTIVE,
    )


def facts_from(
    thread: messaging_v1.Thread, log_epoch: str, message: messaging_v1.Message | None = None
) -> ThreadFacts:
    """What an event says about a thread. Raises: EventNotUnderstood, FieldInvalid."""
    return ThreadFacts(
        conversation_id=parse_id("thread.conversation_id", thread.conversation_id),
        channel_id=parse_id("thread.channel_id", thread.channel_id),
        channel_kind=_ours(CHANNEL_KINDS, thread.channel_kind, "thread.channel_kind"),
        external_id=thread.external_id,
        customer_name=thread.customer_name,
        mode=_ours(MODES, thread.mode, "thread.mode"),
        mode_epoch=thread.mode_epoch,
        inbound_count=thread.inbound_count,
        create_time=_time_from(thread.create_time),
        thread_version=thread.version,
        log_epoch=log_epoch,
        preview=_preview_from(message) if message and _is_said(message) else None,
        waiting_since=(
            _time_from(thread.handover.create_time) if thread.HasField("handover") else None
        ),
        hold=(
            Hold(thread.hold.member_id, _time_from(thread.hold.since))
            if thread.HasField("hold")
            else None
        ),
    )


def conversation_to(conversation: Conversation) -> conversation_v1.Conversation:
    """A conversation for the wire."""
    return conversation_v1.Conversation(
        id=conversation.id,
        contact=contact_to(conversation.contact),
        channel_id=conversation.channel_id,
        channel_kind=CHANNEL_KINDS[conversation.channel_kind],
        folder=FOLDERS[conversation.folder],
        preview=_preview_to(conversation.preview) if conversation.preview else None,
        inbound_count=conversation.inbound_count,
        read_ordinal=conversation.read_ordinal,
        unread_count=conversation.unread_count,
        mode=MODES[conversation.mode],
        mode_epoch=conversation.mode_epoch,
        last_activity_time=_time_to(conversation.last_activity_time),
        create_time=_time_to(conversation.create_time),
        version=conversation.version,
        tag_ids=conversation.tag_ids,
        is_priority=conversation.is_priority,
        is_silenced=conversation.is_silenced,
        assignee_id=conversation.assignee_id or "",
        waiting_since=_time_to(conversation.waiting_since) if conversation.waiting_since else None,
        hold=_hold_to(conversation.hold) if conversation.hold else None,
        thread_version=conversation.thread_version,
    )


def draft_to(draft: Draft) -> conversation_v1.Draft:
    """A draft for the wire; only for the one who wrote it."""
    return conversation_v1.Draft(
        conversation_id=draft.conversation_id,
        text=draft.text,
        update_time=_time_to(draft.update_time),
        version=draft.version,
    )


def contact_to(contact: Contact) -> conversation_v1.Contact:
    """A contact for the wire."""
    return conversation_v1.Contact(
        id=contact.id,
        display_name=contact.display_name,
        identities=[
            conversation_v1.ChannelIdentity(
                channel_id=identity.channel_id,
                channel_kind=CHANNEL_KINDS[identity.channel_kind],
                external_id=identity.external_id,
            )
            for identity in contact.identities
        ],
        create_time=_time_to(contact.create_time),
        version=contact.version,
        merged_into_id=contact.merged_into_id,
    )


def seen_by_to(seen: SeenBy) -> conversation_v1.SeenBy:
    """How far a member has seen a conversation, for the wire."""
    return conversation_v1.SeenBy(
        member_id=seen.member_id, ordinal=seen.ordinal, seen_time=_time_to(seen.seen_time)
    )


def tag_to(tag: Tag) -> conversation_v1.Tag:
    """A tag for the wire."""
    return conversation_v1.Tag(
        id=tag.id,
        key=tag.key,
        display_name=tag.display_name,
        color=TAG_COLORS[tag.color],
        is_built_in=tag.is_built_in,
        is_deleted=tag.is_deleted,
        create_time=_time_to(tag.create_time) if tag.create_time else None,
        version=tag.version,
    )


def counter_to(counter: Counter) -> conversation_v1.Counter:
    """A counter for the wire."""
    return conversation_v1.Counter(
        folder=FOLDERS[counter.folder],
        channel_id=counter.subject_id if counter.kind is CounterKind.CHANNEL else "",
        tag_id=counter.subject_id if counter.kind is CounterKind.TAG else "",
        conversation_count=counter.tally.conversations,
        unread_count=counter.tally.unread,
        waiting_count=counter.tally.waiting,
        version=counter.version,
    )


def settings_to(settings: InboxSettings) -> conversation_v1.InboxSettings:
    """The inbox settings for the wire."""
    return conversation_v1.InboxSettings(
        reopens_on_inbound=settings.reopens_on_inbound, version=settings.version
    )


def erasure_to(erasure: Erasure) -> conversation_v1.Erasure:
    """An erasure for the wire."""
    done_time = erasure.done_time
    return conversation_v1.Erasure(
        id=erasure.id,
        contact_id=erasure.contact_id,
        conversation_ids=erasure.conversation_ids,
        state=conversation_v1.ERASURE_STATE_DONE
        if done_time
        else conversation_v1.ERASURE_STATE_RUNNING,
        steps=[_step_to(step, erasure.done.get(step)) for step in STEPS],
        create_time=_time_to(erasure.create_time),
        done_time=_time_to(done_time) if done_time else None,
        failure_count=erasure.failure_count,
    )


def author_to(author: Author) -> messaging_v1.Author:
    """An author for the wire."""
    return messaging_v1.Author(
        kind=AUTHOR_KINDS[author.kind], id=author.id, display_name=author.display_name
    )


def _is_said(message: messaging_v1.Message) -> bool:
    """Somebody said it: a row for the team is no preview and no activity."""
    return message.direction != messaging_v1.MESSAGE_DIRECTION_INTERNAL


def _preview_from(message: messaging_v1.Message) -> Preview:
    return Preview(
        seq=message.seq,
        author_kind=_ours(AUTHOR_KINDS, message.author.kind, "message.author.kind"),
        text=preview_text(message.text),
        create_time=_time_from(message.create_time),
        attachment_kind=_attachment_kind_from(message),
    )


def _attachment_kind_from(message: messaging_v1.Message) -> AttachmentKind | None:
    if not message.attachments:
        return None
    return _ours(ATTACHMENT_KINDS, message.attachments[0].kind, "message.attachments.kind")


def _preview_to(preview: Preview) -> conversation_v1.Preview:
    return conversation_v1.Preview(
        seq=preview.seq,
        author_kind=AUTHOR_KINDS[preview.author_kind],
        text=preview.text,
        create_time=_time_to(preview.create_time),
        attachment_kind=_attachment_kind_to(preview.attachment_kind),
    )


def _attachment_kind_to(kind: AttachmentKind | None) -> messaging_v1.AttachmentKind.ValueType:
    return messaging_v1.ATTACHMENT_KIND_UNSPECIFIED if kind is None else ATTACHMENT_KINDS[kind]


def _hold_to(hold: Hold) -> messaging_v1.Hold:
    return messaging_v1.Hold(member_id=hold.member_id, since=_time_to(hold.since))


def _step_to(step: str, done_time: datetime | None) -> conversation_v1.ErasureStep:
    return conversation_v1.ErasureStep(
        name=step, done_time=_time_to(done_time) if done_time else None
    )


def _ours(table: Mapping[Ours, Theirs], theirs: int, field: str) -> Ours:
    for ours, number in table.items():
        if number == theirs:
            return ours
    raise EventNotUnderstood(field, theirs)


def told_of(position: str) -> tuple[str, int] | None:
    """Log epoch and place in messaging's log that a resume position stands for.

    Raises: FieldInvalid.
    """
    if not position:
        return None
    try:
        padded = position + "=" * (-len(position) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        streams = realtime_v1.Position.FromString(raw).streams
    except (binascii.Error, ValueError, DecodeError):
        raise FieldInvalid(field="position", rule="must be a position of the live stream") from None
    found = [one for one in streams if one.stream == MESSAGING_STREAM]
    return (found[0].log_epoch, found[0].gpos) if found else None
