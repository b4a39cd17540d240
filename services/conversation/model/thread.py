"""What messaging says about a thread."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from services.conversation.model.authors import AuthorKind

MAX_PREVIEW_CHARACTERS = 140


class ChannelKind(enum.Enum):
    """The kinds of channel a customer can write on."""

    WEB_CHAT = "web_chat"
    SIMULATOR = "simulator"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    TELEGRAM = "telegram"


class AttachmentKind(enum.Enum):
    """How a file is shown."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"


class Mode(enum.Enum):
    """Who answers."""

    AI = "ai"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Preview:
    """The newest message, as the list shows it; the one with the higher seq is the newer."""

    seq: int
    author_kind: AuthorKind
    text: str
    create_time: datetime
    attachment_kind: AttachmentKind | None = None
    """Of the first file it carries."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A person has a conversation: who of them took it over or wrote last."""

    member_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What one event, or one snapshot entity, of messaging says about a thread."""

    conversation_id: str
    channel_id: str
    channel_kind: ChannelKind
    external_id: str
    customer_name: str
    mode: Mode
    mode_epoch: int
    inbound_count: int
    create_time: datetime
    thread_version: int
    log_epoch: str
    preview: Preview | None = None
    waiting_since: datetime | None = None
    """Since when it waits for a person, because the AI handed it over."""
    hold: Hold | None = None

    @property
    def identity_key(self) -> tuple[str, str]:
        """Whose thread it is."""
        return (self.channel_id, self.external_id)


def preview_text(text: str) -> str:
    """The beginning of a message on one line: runs of white space become single spaces."""
    return " ".join(text.split())[:MAX_PREVIEW_CHARACTERS]
