"""Keeps the platform in a folder, so that a restart of the suite keeps the phones' history."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from suite.simulator.platform import Account, Call, Platform, PlatformMedia, PlatformMessage
from suite.simulator.switches import Switches

SAVE_EVERY_SECONDS = 1.0
SETTINGS = (
    "display_name",
    "token",
    "webhook_url",
    "webhook_secret",
    "is_idempotent",
    "has_lookup",
    "echoes_callback_data",
)


class PlatformStore:
    """One JSON file per account, replaced as a whole."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        self._folder = folder
        self._platform = platform
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    def load(self) -> None:
        """Bring back every account that was saved, and watch all accounts from now on."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in sorted(self._folder.glob("*.json")):
            self._platform.add(_account(json.loads(file.read_text()), self._platform))
        for account in self._platform.accounts.values():
            self._watch(account)
        self._platform.account_added.append(self._watch)

    async def run(self) -> None:
        """Save what changed, at most once a second; and once more at the end."""
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(SAVE_EVERY_SECONDS)
                self.save()
        finally:
            self.save()

    def save(self) -> None:
        """Write the accounts that changed."""
        self._wake.clear()
        while self._changed:
            account = self._platform.accounts[self._changed.pop()]
            written = self._folder / f".{account.id}.new"
            written.touch(mode=0o600)
            written.write_text(json.dumps(_saved(account)))
            written.rename(self._folder / f"{account.id}.json")

    def _watch(self, account: Account) -> None:
        def note() -> None:
            self._changed.add(account.id)
            self._wake.set()

        account.changed.append(note)


def _saved(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        **{name: getattr(account, name) for name in SETTINGS},
        "switches": asdict(account.switches),
        "customers": account.customers,
        "messages": [asdict(message) for message in account.messages.values()],
        "media": [asdict(media) for media in account.media.values()],
        "calls": [asdict(call) for call in account.calls],
        "events": account.in_flight + [event for _, _, event in sorted(account.pending)],
        "on_the_way": [(message, state) for _, _, message, state in sorted(account.on_the_way)],
    }


def _account(saved: dict[str, Any], platform: Platform) -> Account:
    account = Account(id=saved["id"], clock=platform.clock)
    for name in SETTINGS:
        setattr(account, name, saved[name])
    account.switches = Switches(**saved["switches"])
    account.customers = saved["customers"]
    account.messages = {entry["id"]: PlatformMessage(**entry) for entry in saved["messages"]}
    account.media = {entry["id"]: PlatformMedia(**entry) for entry in saved.get("media", ())}
    account.calls = deque((Call(**entry) for entry in saved["calls"]), account.calls.maxlen)
    for event in saved["events"]:
        account.plan(event)
    for message_id, state in saved["on_the_way"]:
        if message_id in account.messages:
            account.carry(account.messages[message_id], state, after=1.0)
    return account
