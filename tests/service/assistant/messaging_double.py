"""Messaging as the AI sees it, with its rules and without its database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.errors import TemporarilyUnavailable
from chassis.ids import new_id
from services.assistant.actions.ports import History, NotOurs, NotTaken, Place
from services.assistant.model.turns import CollectedField, Handover, Mode, News, Speaker
from services.assistant.providers.port import Line
from tests.fakes import FakeClock


@dataclass
class Sent:
    """A message of the AI."""

    id: str
    client_message_id: str
    text: str
    is_queued: bool


@dataclass
class HandedOver:
    """A handover messaging took."""

    request_id: str
    handover: Handover
    fields: list[CollectedField]


@dataclass
class Thread:
    """One conversation."""

    clock: FakeClock
    conversation_id: str = field(default_factory=new_id)
    log_epoch: str = "first life"
    mode: Mode = Mode.AI
    mode_epoch: int = 1
    version: int = 1
    lines: list[Line] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    handovers: list[HandedOver] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    """What was published and not consumed yet."""

    @property
    def inbound_count(self) -> int:
        return sum(line.speaker is Speaker.CUSTOMER for line in self.lines)

    def opens(self) -> None:
        """The thread is there, without a message."""
        self._publish(Speaker.NOBODY, 0)

    def writes(self, text: str = "hola") -> None:
        """The customer writes."""
        self._append(Speaker.CUSTOMER, text, self.inbound_count + 1)

    def is_answered(self, text: str = "hello") -> None:
        """A person writes."""
        self._append(Speaker.PERSON, text, self.inbound_count)

    def is_switched(self, mode: Mode) -> None:
        """Somebody switches the mode."""
        if mode is not self.mode:
            self.mode, self.mode_epoch = mode, self.mode_epoch + 1
            self._publish(Speaker.NOBODY, self.inbound_count)

    def sends(self, client_message_id: str, text: str, *, is_queued: bool) -> Sent:
        """The AI's message, stored once."""
        message = Sent(new_id(), client_message_id, text, is_queued)
        self.sent.append(message)
        self._append(Speaker.AI, text, self.inbound_count)
        return message

    def _append(self, speaker: Speaker, text: str, ordinal: int) -> None:
        self.lines.append(Line(len(self.lines) + 1, speaker, text, ordinal))
        self._publish(speaker, ordinal)

    def _publish(self, speaker: Speaker, ordinal: int) -> None:
        self.version += 1
        self.news.append(
            News(
                conversation_id=self.conversation_id,
                log_epoch=self.log_epoch,
                thread_version=self.version,
                mode=self.mode,
                mode_epoch=self.mode_epoch,
                inbound_count=self.inbound_count,
                at=self.clock.now(),
                speaker=speaker,
                ordinal=ordinal,
            )
        )


class MessagingDouble:
    """Implements `actions.ports.Messaging`; every refusal is one that messaging has."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.threads: dict[str, Thread] = {}
        self.is_away = False
        self.takes_messages = True
        self.queued_looks = 0
        """How often a message is still queued when it is looked at."""

    def thread(self, **fields: object) -> Thread:
        thread = Thread(self.clock, **fields)  # type: ignore[arg-type]
        self.threads[thread.conversation_id] = thread
        return thread

    async def read(self, place: Place, size: int) -> History:
        thread = self._thread(place)
        return History(thread.mode, thread.mode_epoch, tuple(thread.lines[-size:]))

    async def send(
        self, place: Place, *, client_message_id: str, text: str, mode_epoch: int
    ) -> str:
        thread = self._thread(place)
        for message in thread.sent:
            if message.client_message_id == client_message_id:
                return message.id if message.text == text else ""
        self._check(thread, mode_epoch)
        if not self.takes_messages:
            raise NotTaken("CHANNEL_NOT_CONNECTED")
        return thread.sends(client_message_id, text, is_queued=self.queued_looks > 0).id

    async def is_on_its_way(self, place: Place, message_id: str) -> bool:
        message = next(one for one in self._thread(place).sent if one.id == message_id)
        self.queued_looks -= 1
        message.is_queued = self.queued_looks > 0
        return not message.is_queued

    async def hand_over(
        self,
        place: Place,
        *,
        request_id: str,
        mode_epoch: int,
        handover: Handover,
        fields: Sequence[CollectedField],
    ) -> None:
        thread = self._thread(place)
        if any(one.request_id == request_id for one in thread.handovers):
            return
        self._check(thread, mode_epoch)
        thread.handovers.append(HandedOver(request_id, handover, list(fields)))
        thread.sent = [message for message in thread.sent if not message.is_queued]
        thread.is_switched(Mode.MANUAL)

    def _thread(self, place: Place) -> Thread:
        if self.is_away:
            raise TemporarilyUnavailable(part="messaging")
        if place.conversation_id not in self.threads:
            raise NotTaken("CONVERSATION_NOT_FOUND")
        return self.threads[place.conversation_id]

    @staticmethod
    def _check(thread: Thread, mode_epoch: int) -> None:
        if thread.mode is not Mode.AI or thread.mode_epoch != mode_epoch:
            raise NotOurs
