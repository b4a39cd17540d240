"""What browser tests know of the running system, and the phone they play with."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.running_inbox import RunningInbox

CALL_SECONDS = 10.0


class System:
    """Where everything is."""

    def __init__(self, inbox: RunningInbox) -> None:
        self.url = inbox.url
        self.sign_in_url = inbox.links.sign_in
        self.chat_url = inbox.links.chat
        self.is_answered_by = inbox.is_answered_by

    @property
    def channel_id(self) -> str:
        """The chat box's channel."""
        return self.chat_url.rsplit("/", 1)[-1]

    def phone_writes(self, customer: str, text: str) -> None:
        """A customer on the simulated platform writes."""
        path = f"/simulator/phone/demo/{customer}/messages"
        _call("POST", self.url + path, {"text": text, "name": customer.capitalize()})

    def phone_looks(self, customer: str) -> None:
        """They look at what came."""
        _call("POST", f"{self.url}/simulator/phone/demo/{customer}/seen", {})

    def switch(self, **switches: Any) -> None:
        """Change what goes wrong on the simulated platform."""
        _call("PATCH", f"{self.url}/simulator/control/accounts/demo/switches", switches)


def _call(method: str, url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
        answer.read()
