"""What a client keeps of the inbox, for tests of what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.message import Message

from inbox.conversation import v1 as conversation_v1
from services.conversation.mapping import conversation_to
from services.conversation.model import projection
from services.conversation.model.contact import new_contact
from services.conversation.model.conversation import Conversation
from services.conversation.model.thread import ThreadFacts

Frame = Message | ThreadFacts


CounterName = tuple[int, str, str]


@dataclass(slots=True)
class Fresh:
    """All of a workspace's inbox at one moment."""

    conversations: list[conversation_v1.Conversation]
    tags: list[conversation_v1.Tag]
    counters: list[conversation_v1.Counter]
    seen: list[tuple[str, conversation_v1.SeenBy]]
    settings: conversation_v1.InboxSettings
    known: list[tuple[conversation_v1.Contact, conversation_v1.ContactProfile]]
    notes: list[tuple[str, conversation_v1.ContactNote]]
    """By the contact that each is on."""

    def in_order(self) -> Fresh:
        """So that equal ones look equal."""
        self.conversations.sort(key=lambda one: one.id)
        self.tags.sort(key=lambda one: one.id)
        self.counters.sort(key=lambda one: (one.folder, one.channel_id, one.tag_id))
        self.seen.sort(key=lambda one: (one[0], one[1].member_id))
        self.known.sort(key=lambda one: one[0].id)
        self.notes.sort(key=lambda one: (one[0], one[1].id))
        return self


@dataclass(slots=True)
class Browser:
    """What a client keeps: each entity by its owner's version, the higher wins."""

    owned: dict[str, conversation_v1.Conversation] = field(default_factory=dict)
    contacts: dict[str, conversation_v1.Contact] = field(default_factory=dict)
    threads: dict[str, Conversation] = field(default_factory=dict)
    """Projected fields, from whichever stream brought them."""
    tags: dict[str, conversation_v1.Tag] = field(default_factory=dict)
    counters: dict[CounterName, conversation_v1.Counter] = field(default_factory=dict)
    seen: dict[tuple[str, str], conversation_v1.SeenBy] = field(default_factory=dict)
    settings: conversation_v1.InboxSettings = field(default_factory=conversation_v1.InboxSettings)
    profiles: dict[str, conversation_v1.ContactProfile] = field(default_factory=dict)
    notes: dict[str, conversation_v1.ContactNote] = field(default_factory=dict)

    def load(self, snapshot: Fresh) -> None:
        for conversation in snapshot.conversations:
            self._keep(conversation)
        for tag in snapshot.tags:
            self._keep_tag(tag)
        for counter in snapshot.counters:
            self._keep_counter(counter)
        for conversation_id, seen in snapshot.seen:
            self._keep_seen(conversation_id, seen)
        self._keep_settings(snapshot.settings)
        for contact, profile in snapshot.known:
            self._keep_known(contact, profile)
        for _, note in snapshot.notes:
            self._keep_note(note)

    def take(self, frame: Frame) -> None:
        match frame:
            case ThreadFacts():
                self._project(frame)
            case (
                conversation_v1.ContactChanged()
                | conversation_v1.ContactsMerged()
                | conversation_v1.ContactNoteChanged()
            ):
                self._learn(frame)
            case conversation_v1.TagChanged():
                self._keep_tag(frame.tag)
            case conversation_v1.CountersChanged():
                for counter in frame.counters:
                    self._keep_counter(counter)
            case conversation_v1.InboxSettingsChanged():
                self._keep_settings(frame.settings)
            case conversation_v1.ConversationSeen():
                self._keep_seen(frame.conversation_id, frame.seen_by)
            case conversation_v1.ConversationRead():
                self._keep(frame.conversation)
                self._keep_seen(frame.conversation.id, frame.seen_by)
            case (
                conversation_v1.ConversationOpened()
                | conversation_v1.ConversationSolved()
                | conversation_v1.ConversationReopened()
                | conversation_v1.ConversationMoved()
                | conversation_v1.ConversationMarkedUnread()
                | conversation_v1.ConversationTagged()
                | conversation_v1.ConversationUntagged()
                | conversation_v1.ConversationAssigned()
            ):
                self._keep(frame.conversation)
            case _:
                raise AssertionError(frame)

    def shows(self) -> Fresh:
        """Everything that a person could see."""
        living = {tag.id for tag in self.tags.values() if not tag.is_deleted}
        return Fresh(
            conversations=list(self.shown_conversations().values()),
            tags=[tag for tag in self.tags.values() if not tag.is_deleted],
            counters=[
                counter
                for counter in self.counters.values()
                if counter.conversation_count and (not counter.tag_id or counter.tag_id in living)
            ],
            seen=[(conversation_id, seen) for (conversation_id, _), seen in self.seen.items()],
            settings=self.settings,
            known=[
                (contact, self.profiles.get(contact.id, conversation_v1.ContactProfile()))
                for contact in self.contacts.values()
                if not contact.merged_into_id
            ],
            notes=[
                (contact_id, placed(note, contact_id))
                for note in self.notes.values()
                if not note.is_deleted
                for contact_id in [self._contact_of(note.contact_id).id]
            ],
        ).in_order()

    def shown_conversations(self) -> dict[str, conversation_v1.Conversation]:
        """Conversations, each put together from what its owner and messaging said of it."""
        shown = {}
        for conversation in self.owned.values():
            whole = conversation_v1.Conversation()
            whole.CopyFrom(conversation)
            whole.contact.CopyFrom(self._contact_of(conversation.contact.id))
            if conversation.id in self.threads:
                join_projection(whole, conversation_to(self.threads[conversation.id]))
            whole.unread_count = max(0, whole.inbound_count - whole.read_ordinal)
            shown[whole.id] = whole
        return shown

    def _project(self, facts: ThreadFacts) -> None:
        known = self.threads.get(facts.conversation_id)
        contact = new_contact("", facts)
        self.threads[facts.conversation_id] = projection.project(
            known or projection.open_conversation(contact, facts), facts
        )

    def _keep(self, conversation: conversation_v1.Conversation) -> None:
        self._keep_contact(conversation.contact)
        known = self.owned.get(conversation.id)
        if known is None or conversation.version > known.version:
            kept = conversation_v1.Conversation()
            kept.CopyFrom(conversation)
            older = known
        else:
            kept, older = known, conversation
        if older is not None:
            # The lower version may still bring a newer projection.
            join_projection(kept, older)
        self.owned[conversation.id] = kept

    def _keep_tag(self, tag: conversation_v1.Tag) -> None:
        known = self.tags.get(tag.id)
        if known is None or tag.version > known.version:
            self.tags[tag.id] = tag

    def _keep_counter(self, counter: conversation_v1.Counter) -> None:
        name = (counter.folder, counter.channel_id, counter.tag_id)
        known = self.counters.get(name)
        if known is None or counter.version > known.version:
            self.counters[name] = counter

    def _keep_seen(self, conversation_id: str, seen: conversation_v1.SeenBy) -> None:
        known = self.seen.get((conversation_id, seen.member_id))
        if known is None or seen.ordinal > known.ordinal:
            self.seen[conversation_id, seen.member_id] = seen

    def _keep_settings(self, settings: conversation_v1.InboxSettings) -> None:
        if settings.version >= self.settings.version:
            self.settings = settings

    def _learn(
        self,
        frame: conversation_v1.ContactChanged
        | conversation_v1.ContactsMerged
        | conversation_v1.ContactNoteChanged,
    ) -> None:
        if isinstance(frame, conversation_v1.ContactNoteChanged):
            self._keep_note(frame.note)
            return
        self._keep_known(frame.contact, frame.profile)
        if isinstance(frame, conversation_v1.ContactsMerged):
            self._keep_contact(frame.merged_contact)

    def _contact_of(self, contact_id: str) -> conversation_v1.Contact:
        """The one that it is part of by now."""
        contact = self.contacts[contact_id]
        while contact.merged_into_id:
            contact = self.contacts[contact.merged_into_id]
        return contact

    def _keep_known(
        self, contact: conversation_v1.Contact, profile: conversation_v1.ContactProfile
    ) -> None:
        self._keep_contact(contact)
        known = self.profiles.get(contact.id)
        if known is None or profile.version > known.version:
            self.profiles[contact.id] = profile

    def _keep_note(self, note: conversation_v1.ContactNote) -> None:
        known = self.notes.get(note.id)
        if known is None or note.version > known.version:
            self.notes[note.id] = note

    def _keep_contact(self, contact: conversation_v1.Contact) -> None:
        known = self.contacts.get(contact.id)
        if known is None or contact.version > known.version:
            self.contacts[contact.id] = contact


def join_projection(kept: conversation_v1.Conversation, news: conversation_v1.Conversation) -> None:
    """What messaging knows of a conversation: each part by its own version."""
    if news.preview.seq > kept.preview.seq:
        kept.preview.CopyFrom(news.preview)
        kept.last_activity_time.CopyFrom(news.last_activity_time)
    kept.inbound_count = max(kept.inbound_count, news.inbound_count)
    if news.mode_epoch > kept.mode_epoch:
        kept.mode, kept.mode_epoch = news.mode, news.mode_epoch
    if news.thread_version > kept.thread_version:
        kept.thread_version = news.thread_version
        for name in ("waiting_since", "hold"):
            kept.ClearField(name)
            if news.HasField(name):
                getattr(kept, name).CopyFrom(getattr(news, name))


def placed(note: conversation_v1.ContactNote, contact_id: str) -> conversation_v1.ContactNote:
    """A note as the contact has it that it is on by now."""
    moved = conversation_v1.ContactNote()
    moved.CopyFrom(note)
    moved.contact_id = contact_id
    return moved
