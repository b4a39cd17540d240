"""What the platform does by itself: carries messages to phones and calls webhooks.

A webhook gets signed batches, repeated until it answers 200.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from contextlib import suppress
from typing import Any

import aiohttp

from suite.simulator.platform import Account, Platform

MAX_BATCH = 50
GATHER_SECONDS = 0.03
ANSWER_WITHIN_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
SHUFFLE_SPREAD_SECONDS = 0.3
SIGNATURE_HEADER = "X-Simulator-Signature-256"


def sign(secret: str, body: bytes) -> str:
    """The signature header's value for a raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class WebhookSender:
    """One loop per account, all of them owned by `run`."""

    def __init__(self, platform: Platform, *, seed: int | None = None) -> None:
        self._platform = platform
        # Not for secrets: a seed repeats a test's shuffles.
        self._random = random.Random(seed)  # noqa: S311

    async def run(self) -> None:
        """Serve every account until cancelled."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            asyncio.TaskGroup() as group,
        ):

            def serve(account: Account) -> None:
                group.create_task(self._serve(account, session))
                group.create_task(_carry(account))

            for account in self._platform.accounts.values():
                serve(account)
            self._platform.account_added.append(serve)
            try:
                await asyncio.Event().wait()
            finally:
                self._platform.account_added.remove(serve)

    async def _serve(self, account: Account, session: aiohttp.ClientSession) -> None:
        wake = asyncio.Event()
        account.changed.append(wake.set)
        pause = FIRST_PAUSE_SECONDS
        try:
            while True:
                wake.clear()
                if not account.webhook_url:
                    await wake.wait()
                    continue
                if not account.in_flight:
                    account.in_flight = account.take_due(MAX_BATCH)
                    self._shuffle(account)
                if not account.in_flight:
                    await _wait(wake, account.seconds_to_next())
                    continue
                before = account.webhook_state
                if await self._deliver(account, session):
                    self._note_taken(account)
                    pause = FIRST_PAUSE_SECONDS
                else:
                    if before != account.webhook_state:
                        account.tell()
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        finally:
            account.changed.remove(wake.set)

    async def _deliver(self, account: Account, session: aiohttp.ClientSession) -> bool:
        events = list(account.in_flight)
        if account.switches.duplicates:
            events += events
            if account.switches.shuffles:
                self._random.shuffle(events)
        body = json.dumps({"account": account.id, "events": events}).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: sign(account.webhook_secret, body),
        }
        for _ in range(2 if account.switches.duplicates else 1):
            try:
                async with session.post(
                    account.webhook_url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                account.webhook_state = "unreachable"
                return False
            if status != 200:  # noqa: PLR2004 - HTTP's own number
                account.webhook_state = f"answers {status}"
                return False
        account.webhook_state = "ok"
        return True

    def _note_taken(self, account: Account) -> None:
        for event in account.in_flight:
            message = account.messages.get(event.get("message_id", ""))
            if message is not None and event["type"] == "message":
                message.was_fetched = True
        account.in_flight = []
        account.tell()

    def _shuffle(self, account: Account) -> None:
        """Turn the batch round, and let a part of it come in a later one."""
        if not account.switches.shuffles or not account.in_flight:
            return
        events: list[dict[str, Any]] = account.in_flight
        self._random.shuffle(events)
        later = [event for event in events[1:] if not event.get("came_later") and self._coin()]
        account.in_flight = [event for event in events if event not in later]
        for event in later:
            # Once only, so that every event comes in the end.
            event["came_later"] = True
            account.plan(event, after=self._random.uniform(0, SHUFFLE_SPREAD_SECONDS))

    def _coin(self) -> bool:
        return self._random.getrandbits(1) == 1


async def _carry(account: Account) -> None:
    """Let messages reach the phone when they are due."""
    wake = asyncio.Event()
    account.changed.append(wake.set)
    try:
        while True:
            seconds = account.arrive()
            wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), seconds)
    finally:
        account.changed.remove(wake.set)


async def _wait(wake: asyncio.Event, seconds: float | None) -> None:
    """Until something changed, or is due; a little longer, so that batches form."""
    with suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), seconds)
    await asyncio.sleep(GATHER_SECONDS)
