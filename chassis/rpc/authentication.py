"""Who is calling: the credential of a call turned into a `Caller`."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from chassis import metrics
from chassis.auth import Caller, CredentialInvalid, CredentialMissing, Role
from chassis.auth_tokens import TokenVerifier, looks_like_token
from chassis.caches import LeastRecent
from chassis.clock import Clock
from chassis.errors import Unauthenticated, Unavailable
from chassis.ids import WorkspaceId, parse_id

AUTHORIZATION = "authorization"
WORKSPACE = "x-inbox-workspace"
SERVICE = "x-inbox-service"
SCHEME = "bearer "
API_KEY_PREFIX = "ik_"
SERVICE_KEY_PREFIX = "service."
EXCHANGED_FOR = timedelta(seconds=60)
REFUSED_FOR = timedelta(seconds=5)
MAX_CREDENTIAL_CHARACTERS = 4096
KEYS_KEPT = 20_000
SERVICE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")

Exchange = Callable[[str], Awaitable[str]]
"""Turns an API key into an access token. Raises: Unauthenticated, Unavailable."""


@dataclass(frozen=True, slots=True)
class _Exchanged:
    token: str
    fresh_until: float
    refusal: Unauthenticated | None = None


class ServiceKeys:
    """The key the suite's processes share; two of them during a change."""

    def __init__(self, text: str) -> None:
        """`text` is one or more keys, comma separated."""
        self._keys = [key.strip().encode() for key in text.split(",")]

    def accepts(self, credential: str) -> bool:
        """Whether it is one of them."""
        given = credential.encode()
        # Every key is compared, so the time taken tells nothing.
        return any([hmac.compare_digest(given, key) for key in self._keys])  # noqa: C419


class Authenticator:
    """Accepts access tokens, API keys and the suite's own service key."""

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        exchange: Exchange,
        service_key: str,
        clock: Clock,
    ) -> None:
        self._verifier = verifier
        self._exchange = exchange
        self._service_keys = ServiceKeys(service_key)
        self._clock = clock
        self._exchanged: LeastRecent[bytes, _Exchanged] = LeastRecent(KEYS_KEPT)
        self._exchanging: dict[bytes, asyncio.Lock] = {}

    async def caller_of(self, metadata: dict[str, str]) -> Caller:
        """Who sent this metadata. Raises: Unauthenticated, FieldInvalid, Unavailable."""
        given = metadata.get(AUTHORIZATION, "")
        if not given:
            raise CredentialMissing
        if not given.lower().startswith(SCHEME) or len(given) > MAX_CREDENTIAL_CHARACTERS:
            raise CredentialInvalid
        credential = given[len(SCHEME) :].strip()
        if looks_like_token(credential):
            return await self._verifier.verify(credential)
        if credential.startswith(SERVICE_KEY_PREFIX):
            return self._service(credential, metadata)
        if credential.startswith(API_KEY_PREFIX):
            return await self._key_holder(credential)
        raise CredentialInvalid

    def _service(self, credential: str, metadata: dict[str, str]) -> Caller:
        if not self._service_keys.accepts(credential):
            raise CredentialInvalid
        workspace = metadata.get(WORKSPACE, "")
        name = metadata.get(SERVICE, "service")
        return Caller(
            id=name if SERVICE_NAME.fullmatch(name) else "service",
            role=Role.SERVICE,
            workspace_id=WorkspaceId(parse_id(WORKSPACE, workspace)) if workspace else None,
            display_name=name if SERVICE_NAME.fullmatch(name) else "service",
        )

    async def _key_holder(self, api_key: str) -> Caller:
        digest = hashlib.sha256(api_key.encode()).digest()
        known = self._exchanged.get(digest)
        if known is None or self._clock.monotonic() >= known.fresh_until:
            known = await self._exchange_once(digest, api_key)
        if known.refusal is not None:
            raise known.refusal
        try:
            return await self._verifier.verify(known.token)
        except Unauthenticated:
            # Revoked or at its end: whatever it was, it is not used again.
            self._exchanged.drop(digest)
            raise

    async def _exchange_once(self, digest: bytes, api_key: str) -> _Exchanged:
        lock = self._exchanging.setdefault(digest, asyncio.Lock())
        try:
            async with lock:
                known = self._exchanged.get(digest)
                if known is not None and self._clock.monotonic() < known.fresh_until:
                    return known
                known = await self._ask(known, api_key)
                self._exchanged.put(digest, known)
                return known
        finally:
            if not lock.locked():
                self._exchanging.pop(digest, None)

    async def _ask(self, known: _Exchanged | None, api_key: str) -> _Exchanged:
        now = self._clock.monotonic()
        try:
            token = await self._exchange(api_key)
        except Unauthenticated as refusal:
            metrics.TOKEN_EXCHANGES.labels("refused").inc()
            return _Exchanged("", now + REFUSED_FOR.total_seconds(), refusal)
        except Unavailable:
            metrics.TOKEN_EXCHANGES.labels("unavailable").inc()
            if known is None or known.refusal is not None:
                raise
            # Identity is away: the token we have goes on until its own end.
            return _Exchanged(known.token, now + REFUSED_FOR.total_seconds())
        metrics.TOKEN_EXCHANGES.labels("exchanged").inc()
        return _Exchanged(token, now + EXCHANGED_FOR.total_seconds())
