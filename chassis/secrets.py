"""Secrets at rest: AES-256-GCM, a data key per workspace, wrapped by a master key.

INBOX_MASTER_KEY may hold several keys, comma separated: the first seals, all of them open. So a
master key is changed by putting the new one first, and the old one may go once every data key
was wrapped again. A sealed value names its key and is bound to its purpose.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4
VERSION = b"\x01"
NAME_BYTES = len(VERSION) + KEY_ID_BYTES


class CannotOpen(Exception):
    """A sealed value was made by another key, for another purpose, or was changed."""


class DataKey:
    """One key; a workspace's seals its credentials."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)
        self._name = VERSION + hashlib.sha256(b"inbox key id" + secret).digest()[:KEY_ID_BYTES]

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt. `purpose` says what it is, `channel <id>`, and must be the same to open it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._name + nonce + self._cipher.encrypt(nonce, plain, self._bound_to(purpose))

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt. Raises: CannotOpen."""
        name, nonce = sealed[:NAME_BYTES], sealed[NAME_BYTES : NAME_BYTES + NONCE_BYTES]
        if name != self._name or len(nonce) != NONCE_BYTES:
            raise CannotOpen
        try:
            return self._cipher.decrypt(
                nonce, sealed[NAME_BYTES + NONCE_BYTES :], self._bound_to(purpose)
            )
        except InvalidTag:
            raise CannotOpen from None

    def _bound_to(self, purpose: str) -> bytes:
        return self._name + purpose.encode()


class MasterKeys:
    """The keys of INBOX_MASTER_KEY; the first seals."""

    def __init__(self, text: str) -> None:
        """`text` is one or more base64 keys of 32 bytes, comma separated."""
        self._secrets = [base64.b64decode(part.strip()) for part in text.split(",")]
        self._keys = [DataKey(secret) for secret in self._secrets]
        self._mac_keys: dict[str, list[bytes]] = {}

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt with the present key."""
        return self._keys[0].seal(plain, purpose)

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt with whichever key it was sealed by. Raises: CannotOpen."""
        for key in self._keys:
            try:
                return key.open(sealed, purpose)
            except CannotOpen:
                continue
        raise CannotOpen

    def new_data_key(self, workspace_id: str) -> tuple[DataKey, bytes]:
        """A fresh data key, and its wrapped form to be stored."""
        secret = secrets.token_bytes(KEY_BYTES)
        return DataKey(secret), self.seal(secret, f"data key {workspace_id}")

    def data_key(self, workspace_id: str, wrapped: bytes) -> DataKey:
        """A stored data key. Raises: CannotOpen."""
        return DataKey(self.open(wrapped, f"data key {workspace_id}"))

    def needs_wrapping_again(self, wrapped: bytes, purpose: str) -> bool:
        """Whether an older master key sealed it."""
        try:
            self._keys[0].open(wrapped, purpose)
        except CannotOpen:
            return True
        return False

    def macs(self, purpose: str, message: bytes) -> Iterator[bytes]:
        """A keyed digest per master key, the present one first; store that, compare with all.

        `purpose` is one of few: its keys are derived once.
        """
        keys = self._mac_keys.get(purpose)
        if keys is None:
            info = f"inbox mac {purpose}".encode()
            keys = [HKDF(SHA256(), KEY_BYTES, None, info).derive(one) for one in self._secrets]
            self._mac_keys[purpose] = keys
        return (hmac.digest(key, message, "sha256") for key in keys)
