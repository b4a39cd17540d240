"""API keys: making, listing, revoking."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest

from chassis import audit
from chassis.auth import Caller, Role
from chassis.errors import FieldInvalid, IdempotencyKeyReused
from chassis.ids import derived_id
from services.identity import events
from services.identity.actions import audited
from services.identity.actions.ports import Ports, request_digest
from services.identity.actions.tokens import API_KEY_PURPOSE
from services.identity.model.credentials import (
    API_KEY_PREFIX,
    SECRET_SHOWN_AGAIN_FOR,
    ApiKey,
    ApiKeyId,
    SecretToken,
    api_key_secret,
)
from services.identity.model.faults import ApiKeyNotFound
from services.identity.store import credentials as store

SECRET_PURPOSE = "api key secret"  # noqa: S105 - the purpose, not the secret


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key and, for a day, its credential."""

    key: ApiKey
    credential: str = field(repr=False)


async def create_api_key(
    ports: Ports,
    caller: Caller,
    *,
    request_id: str,
    display_name: str,
    role: Role,
    expire_time: datetime | None,
) -> CreatedKey:
    """Make a key. A repeat within a day returns the same key with its secret, later without.

    The secret is a keyed digest of the request, so it need not be stored to be shown again.
    Raises: FieldInvalid, IdempotencyKeyReused.
    """
    workspace_id = caller.workspace
    now = ports.clock.now()
    digest = request_digest(display_name, role.value, expire_time)
    made = f"{workspace_id} {request_id}".encode()
    secrets = [api_key_secret(mac) for mac in ports.master_keys.macs(SECRET_PURPOSE, made)]
    key = ApiKey(
        id=ApiKeyId(derived_id("api key", workspace_id, request_id)),
        workspace_id=workspace_id,
        display_name=display_name,
        role=role,
        create_time=now,
        expire_time=expire_time,
    )
    async with ports.app.begin(workspace_id) as transaction:
        # Two repeats at once: one makes the key, the other waits for it and finds it.
        is_new = (expire_time is None or expire_time > now) and await store.insert_api_key(
            transaction,
            key,
            secret_mac=_mac(ports, secrets[0]),
            request_id=request_id,
            request_digest=digest,
        )
        if is_new:
            await ports.publish(transaction, [events.api_key_changed(key)], now)
            changes = [audited.api_key_changed(None, key)]
            await audit.append(transaction, caller, "IdentityService/CreateApiKey", changes, at=now)
            return CreatedKey(key, SecretToken(key.id, secrets[0]).text(API_KEY_PREFIX))
        found = await store.find_api_key_of_request(transaction, workspace_id, request_id)
    if found is None:
        raise FieldInvalid(field="expire_time", rule="must be in the future")
    key, present_digest, secret_mac = found
    if present_digest != digest:
        raise IdempotencyKeyReused(field="request_id")
    if now - key.create_time > SECRET_SHOWN_AGAIN_FOR:
        return CreatedKey(key, "")
    # The master key may have changed meanwhile: the secret is whichever one was stored.
    secret = next((one for one in secrets if _is_of(ports, one, secret_mac)), None)
    return CreatedKey(key, SecretToken(key.id, secret).text(API_KEY_PREFIX) if secret else "")


async def revoke_api_key(ports: Ports, caller: Caller, api_key_id: ApiKeyId) -> ApiKey:
    """End a key everywhere; a repeat returns the same. Raises: ApiKeyNotFound."""
    workspace_id = caller.workspace
    now = ports.clock.now()
    async with ports.app.begin(workspace_id) as transaction:
        key = await store.get_api_key(transaction, workspace_id, api_key_id)
        if key is None:
            raise ApiKeyNotFound(api_key_id=api_key_id)
        if key.revoke_time is not None:
            return key
        revoked = key.revoked(now)
        await store.revoke_api_key(transaction, revoked, now)
        await store.void_tokens(transaction, workspace_id, key.id, now)
        await ports.publish(transaction, [events.api_key_changed(revoked)], now)
        changes = [audited.api_key_changed(key, revoked)]
        await audit.append(transaction, caller, "IdentityService/RevokeApiKey", changes, at=now)
    return revoked


async def list_api_keys(
    ports: Ports, caller: Caller, *, before: tuple[datetime, str] | None, limit: int
) -> list[ApiKey]:
    """The workspace's keys without their secrets, newest first."""
    async with ports.app.begin(caller.workspace) as transaction:
        return await store.list_api_keys(transaction, caller.workspace, before=before, limit=limit)


def _mac(ports: Ports, secret: str) -> bytes:
    return next(iter(ports.master_keys.macs(API_KEY_PURPOSE, secret.encode())))


def _is_of(ports: Ports, secret: str, secret_mac: bytes) -> bool:
    macs = ports.master_keys.macs(API_KEY_PURPOSE, secret.encode())
    return any(compare_digest(mac, secret_mac) for mac in macs)
