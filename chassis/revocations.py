"""Credentials that ended before their tokens did, learnt from identity's events.

Tokens are verified without asking anybody, so a service must hear of revocations: at once by the
live hint, surely by identity's stream. On every connect the stream is read from one token
lifetime ago, so neither a restart nor a lost hint lets a revoked token in again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import nats
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import ConsumerConfig, DeliverPolicy

from chassis import metrics
from chassis.auth_tokens import LEEWAY, LIFETIME
from chassis.caches import LeastRecent
from chassis.clock import Clock
from inbox.identity import v1 as identity_v1

STREAM = "INBOX_IDENTITY"
SUBJECTS = "inbox.identity.v1."
LIVE_SUBJECTS = "inbox.live.identity.*"
KEPT = 200_000
CONNECT_WITHIN = timedelta(seconds=5)
QUIET_FOR = timedelta(seconds=30)
"""Silence after which the stream is asked whether it is still there."""
REMEMBER_FOR = LIFETIME + 2 * LEEWAY


class Revocations:
    """What has ended, for as long as a token of it could still be around."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended: LeastRecent[str, float] = LeastRecent(KEPT)
        self._versions: LeastRecent[str, tuple[int, float]] = LeastRecent(KEPT)

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
        """Take in one event of identity; others than the ones it needs are passed over."""
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

    def remembered_since(self) -> datetime:
        """Older events void nothing that is still valid."""
        return self._clock.now() - REMEMBER_FOR

    def _until(self) -> float:
        return self._clock.monotonic() + REMEMBER_FOR.total_seconds()


async def listen(revocations: Revocations, nats_url: str) -> None:
    """Feed revocations from NATS until the connection breaks; a supervisor calls it again."""
    client = await nats.connect(
        nats_url,
        allow_reconnect=False,
        connect_timeout=int(CONNECT_WITHIN.total_seconds()),
    )
    try:
        await _follow(client, revocations)
    finally:
        metrics.REVOCATIONS_CONNECTED.set(0)
        await client.close()


async def _follow(client: Client, revocations: Revocations) -> None:
    async def hint(message: Msg) -> None:
        revocations.apply((message.headers or {}).get("Inbox-Subject", ""), message.data)

    await client.subscribe(LIVE_SUBJECTS, cb=hint)
    stream = client.jetstream()
    since = revocations.remembered_since()
    subscription = await stream.subscribe(
        f"{SUBJECTS}>",
        stream=STREAM,
        ordered_consumer=True,
        config=ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=since),
    )
    metrics.REVOCATIONS_CONNECTED.set(1)
    while True:
        try:
            message = await subscription.next_msg(timeout=QUIET_FOR.total_seconds())
        except (TimeoutError, NatsTimeout):
            # A deleted stream is silent for ever; its absence shows here, and ends this run.
            await subscription.consumer_info()
            continue
        revocations.apply(message.subject, message.data)
