"""Session tokens exchanged for access tokens, remembered for a short while.

Services learn of revocations by themselves and refuse the tokens of an ended session at once, so
a remembered token can do no harm. One that was refused is forgotten and exchanged anew: a member
whose role changed gets a token of the new role. While identity is away, tokens that have not
expired go on.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import grpc

from chassis.caches import LeastRecent
from gateway.errors import AWAY, of_rpc
from inbox.identity import v1 as identity_v1

if TYPE_CHECKING:
    from chassis.clock import Clock
    from gateway.upstream import Upstream

SESSIONS_KEPT = 10_000
TRUSTED_FOR = timedelta(seconds=60)
LEAST_LIFE = timedelta(seconds=30)
"""A token that ends sooner is exchanged anew, so it does not end on its way."""
EXCHANGE_SECONDS = 5.0


@dataclass(slots=True)
class _Exchanged:
    token: str
    expires_at: float
    exchanged_at: float


class Sessions:
    """The cache."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._identity = identity_v1.IdentityServiceStub(upstream.own("identity"))
        self._clock = clock
        self._known: LeastRecent[str, _Exchanged] = LeastRecent(SESSIONS_KEPT)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def access_token(self, session: str) -> str:
        """The session's access token. Raises: EdgeError."""
        key = _key(session)
        known = self._trusted(key)
        if known is not None:
            return known.token
        lock = self._locks.setdefault(key, asyncio.Lock())
        # A page opens with several requests at once: one of them asks, the others wait for it.
        async with lock:
            known = self._trusted(key) or await self._exchange(key, session)
            return known.token

    def forget(self, session: str) -> None:
        """The session has ended, or its token was refused."""
        self._known.drop(_key(session))

    def _trusted(self, key: str) -> _Exchanged | None:
        known = self._known.get(key)
        if known is None or self._ends_soon(known):
            return None
        age = self._clock.monotonic() - known.exchanged_at
        return known if age < TRUSTED_FOR.total_seconds() else None

    def _ends_soon(self, known: _Exchanged) -> bool:
        return self._clock.now().timestamp() > known.expires_at - LEAST_LIFE.total_seconds()

    async def _exchange(self, key: str, session: str) -> _Exchanged:
        try:
            answer = await self._identity.ExchangeToken(
                identity_v1.ExchangeTokenRequest(session_token=session), timeout=EXCHANGE_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            stale = self._known.get(key)
            if error.code() in AWAY and stale is not None and not self._ends_soon(stale):
                return stale
            self._known.drop(key)
            raise of_rpc(error, "identity") from error
        known = _Exchanged(
            token=answer.access_token.token,
            expires_at=float(answer.access_token.expire_time.seconds),
            exchanged_at=self._clock.monotonic(),
        )
        self._known.put(key, known)
        return known


def _key(session: str) -> str:
    """The cache does not hold the credential itself."""
    return hashlib.sha256(session.encode()).hexdigest()
