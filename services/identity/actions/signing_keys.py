"""The keys that sign access tokens: made under a lock, sealed by the master key, renewed ahead."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import orjson
from joserfc.jwk import OKPKey

from chassis.auth import Caller
from chassis.auth_tokens import ALGORITHM, LIFETIME, SignedToken, sign
from chassis.clock import Clock
from chassis.database import Database, Transaction
from chassis.ids import new_id
from chassis.logs import log
from chassis.secrets import MasterKeys
from services.identity.model.credentials import (
    VERIFIES_ON_FOR,
    SigningKey,
    next_signing_span,
)
from services.identity.store import credentials as store

LOOK_EVERY = timedelta(minutes=1)
PAUSE_BETWEEN_LOADS = timedelta(seconds=2)


class SigningKeys:
    """The present keys, as this replica knows them; a KeySource of its own verifier."""

    def __init__(self, worker: Database, master_keys: MasterKeys, clock: Clock) -> None:
        self._worker = worker
        self._master_keys = master_keys
        self._clock = clock
        self._keys: list[SigningKey] = []
        self._private: dict[str, OKPKey] = {}
        self._loaded_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def is_loaded(self) -> bool:
        """Whether tokens can be signed."""
        return bool(self._keys)

    async def sign(
        self, caller: Caller, *, version: int = 0, within: timedelta = LIFETIME
    ) -> SignedToken:
        """A token for a caller."""
        now = self._clock.now()
        if not any(key.signs(now) for key in self._keys):
            # This process slept through the change of keys.
            await self.load()
        # Around a change of keys two may sign; the older is known to more verifiers.
        present = next(key for key in self._keys if key.signs(now))
        key = self._private[present.id]
        return sign(key, caller, at=now, within=within, version=version)

    def jwks(self) -> str:
        """The public keys that verify tokens, also those that will sign next."""
        now = self._clock.now()
        keys = [orjson.loads(key.public_jwk) for key in self._keys if now < key.verify_until]
        return orjson.dumps({"keys": keys}).decode()

    async def key(self, key_id: str) -> OKPKey | None:
        """The key by that id; one another replica made a moment ago is looked up."""
        known = self._private.get(key_id)
        since = self._clock.monotonic() - self._loaded_at
        if known is None and since >= PAUSE_BETWEEN_LOADS.total_seconds():
            await self.load()
        return self._private.get(key_id)

    async def run(self) -> None:
        """Look for ever whether a key is due, or another replica made one."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            await self.load()

    async def load(self) -> None:
        """Read the keys, after making the one that is due."""
        async with self._lock:
            self._loaded_at = self._clock.monotonic()
            async with self._worker.begin() as transaction:
                await store.lock_signing_keys(transaction)
                keys = await store.list_signing_keys(transaction)
                while (span := next_signing_span(keys, self._clock.now())) is not None:
                    keys.append(await self._make(transaction, *span))
                private = {key.id: await self._open(transaction, key) for key in keys}
            self._keys, self._private = keys, private

    async def _make(self, transaction: Transaction, begin: datetime, end: datetime) -> SigningKey:
        made = OKPKey.generate_key(
            "Ed25519", {"kid": new_id(), "use": "sig", "alg": ALGORITHM}, auto_kid=False
        )
        key = SigningKey(
            id=str(made.kid),
            sealed_private=self._master_keys.seal(
                orjson.dumps(made.as_dict(private=True)), _purpose(str(made.kid))
            ),
            public_jwk=orjson.dumps(made.as_dict(private=False)).decode(),
            create_time=self._clock.now(),
            sign_from=begin,
            sign_until=end,
            verify_until=end + VERIFIES_ON_FOR,
        )
        await store.insert_signing_key(transaction, key)
        log.info("signing_key_made", key_id=key.id, sign_from=begin.isoformat())
        return key

    async def _open(self, transaction: Transaction, key: SigningKey) -> OKPKey:
        purpose = _purpose(key.id)
        private = self._master_keys.open(key.sealed_private, purpose)
        if self._master_keys.needs_wrapping_again(key.sealed_private, purpose):
            sealed = self._master_keys.seal(private, purpose)
            await store.seal_signing_key_again(transaction, key.id, sealed)
        return OKPKey.import_key(orjson.loads(private))


def _purpose(key_id: str) -> str:
    return f"signing key {key_id}"
