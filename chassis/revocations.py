"""Credentials that ended before their tokens did, learnt from identity's events.

Tokens are verified without asking anybody, so a service must hear of revocations: at once by the
live hint, surely by asking for identity's log every two seconds. The log is read from one token
lifetime ago, so neither a restart nor a lost hint lets a revoked token in again; and while
identity is away, nobody can revoke anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from google.protobuf.message import DecodeError

from chassis import hints
from chassis.auth_tokens import LEEWAY, LIFETIME
from chassis.caches import LeastRecent
from chassis.clock import Clock
from chassis.errors import OutOfRange, Unavailable
from chassis.events import Event
from inbox.event import v1 as event_v1
from inbox.identity import v1 as identity_v1

SUBJECTS = "inbox.identity.v1."
LIVE_SUBJECT = hints.subject_of("identity")
KEPT = 200_000
REMEMBER_FOR = LIFETIME + 2 * LEEWAY
LOOK_EVERY = timedelta(seconds=2)
PAGE_SIZE = 500
BEYOND_THE_END = 2**62
FIRST_LOOK_BACK = 256

ReadLog = Callable[[event_v1.ReadEventsRequest], Awaitable[event_v1.ReadEventsResponse]]
"""Identity's EventLogService.ReadEvents. Raises: OutOfRange, Unavailable."""


class Revocations:
    """What has ended, for as long as a token of it could still be around."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended: LeastRecent[str, float] = LeastRecent(KEPT)
        self._versions: LeastRecent[str, tuple[int, float]] = LeastRecent(KEPT)
        self.is_caught_up = False
        """Whether the log was read to its end once: before, a revoked token might pass."""

    def is_revoked(self, credential_id: str, subject_id: str, subject_version: int) -> bool:
        """Whether tokens of this credential, or of this state of its subject, are void."""
        now = self._clock.monotonic()
        ended_until = self._ended.get(credential_id)
        if ended_until is not None and now < ended_until:
            return True
        newest = self._versions.get(subject_id)
        return newest is not None and now < newest[1] and subject_version < newest[0]

    def end(self, credential_id: str) -> None:
        """Void every token of a session or key."""
        self._ended.put(credential_id, self._until())

    def supersede(self, subject_id: str, version: int) -> None:
        """Void the tokens of a member that were made before this version of them."""
        known = self._versions.get(subject_id)
        if known is None or known[0] <= version:
            self._versions.put(subject_id, (version, self._until()))

    def apply(self, subject: str, payload: bytes) -> None:
        """Take in one event of identity; a repeat or one that ends nothing changes nothing."""
        event = subject.removeprefix(SUBJECTS).partition(".")[0]
        try:
            if event == "api_key_changed":
                key = identity_v1.ApiKeyChanged.FromString(payload).api_key
                if key.HasField("revoke_time"):
                    self.end(key.id)
            elif event == "session_revoked":
                self.end(identity_v1.SessionRevoked.FromString(payload).session_id)
            elif event == "member_changed":
                member = identity_v1.MemberChanged.FromString(payload).member
                self.supersede(member.id, member.version)
        except DecodeError:
            return

    def take_hint(self, event: Event) -> None:
        """Take in an event of a live hint of identity's."""
        self.apply(event.subject, event.payload)

    async def follow(self, read: ReadLog) -> None:
        """Read identity's log for ever."""
        place: tuple[str, int] | None = None
        while True:
            try:
                if place is None:
                    place = await self._begin(read)
                place = await self._read_on(read, *place)
            except OutOfRange:
                place = None
            except Unavailable:
                await self._clock.sleep(LOOK_EVERY)

    async def _begin(self, read: ReadLog) -> tuple[str, int]:
        """The log's life, and the first event that may void a token that is still valid."""
        stand = await read(event_v1.ReadEventsRequest(from_gpos=BEYOND_THE_END, page_size=1))
        oldest_needed = self._clock.now() - REMEMBER_FOR
        look_back = FIRST_LOOK_BACK
        while True:
            begin = max(stand.first_gpos, stand.last_gpos + 1 - look_back, 1)
            if begin in {stand.first_gpos, 1}:
                return stand.log_epoch, begin
            page = await read(event_v1.ReadEventsRequest(from_gpos=begin, page_size=1))
            if not page.events or page.events[0].create_time.ToDatetime(UTC) < oldest_needed:
                return stand.log_epoch, begin
            look_back *= 4

    async def _read_on(self, read: ReadLog, log_epoch: str, begin: int) -> tuple[str, int] | None:
        """Take in what follows; where to go on, or None when it is another log now."""
        request = event_v1.ReadEventsRequest(from_gpos=begin, page_size=PAGE_SIZE)
        page = await read(request)
        if page.log_epoch != log_epoch or page.last_gpos < begin - 1:
            return None
        for event in page.events:
            self.apply(event.subject, event.payload)
        if not page.events:
            self.is_caught_up = True
            await self._clock.sleep(LOOK_EVERY)
        return log_epoch, begin + len(page.events)

    def _until(self) -> float:
        return self._clock.monotonic() + REMEMBER_FOR.total_seconds()
