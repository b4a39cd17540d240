"""What the platform knows: accounts, their messages, their switches. No I/O and no tasks."""

from __future__ import annotations

import heapq
import itertools
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from chassis.clock import Clock
from chassis.ids import new_id
from suite.simulator import events
from suite.simulator.switches import RequestRefused, Switches

MAX_ACCOUNTS = 1_000
MAX_MESSAGES = 5_000
MAX_CALLS = 10_000
MAX_PENDING_EVENTS = 20_000
MAX_TEXT_LENGTH = 4_096
MAX_CAPTION_LENGTH = 1_024
MAX_MEDIA = 1_000
MAX_MEDIA_BYTES = 100 * 1024 * 1024

NAME = re.compile(r"[A-Za-z0-9+._@-]{1,64}")
"""What account and customer ids look like; they travel in paths."""

TEXT = "text"
FILE_KINDS = ("image", "video", "audio", "voice", "document", "sticker")
WITHOUT_CAPTION = {"audio", "voice", "sticker"}

TO_CUSTOMER = "to_customer"
FROM_CUSTOMER = "from_customer"

API_APP, PHONE_APP = "api", "phone"
"""Where the business wrote a message, as an echo names it."""

ACCEPTED, SENT, DELIVERED, READ, FAILED = "accepted", "sent", "delivered", "read", "failed"
STATES = (ACCEPTED, SENT, DELIVERED, READ)


@dataclass(slots=True)
class PlatformMessage:
    """One message on the customer's phone."""

    id: str
    customer_id: str
    direction: str
    text: str
    time: str
    state: str = ACCEPTED
    callback_data: str = ""
    idempotency_key: str = ""
    error_code: str = ""
    was_fetched: bool = False
    """Of a customer's message: the business's webhook has taken it."""
    kind: str = TEXT
    media_id: str = ""
    """Of a file; its caption is the text, which may be empty."""
    file_name: str = ""
    details: Any = None
    """Of a customer's message that is no text: what its kind consists of."""


@dataclass(frozen=True, slots=True)
class PlatformMedia:
    """A file that the business uploaded. Its bytes are counted and hashed, not kept."""

    id: str
    content_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request to send, as it arrived; the evidence tests count."""

    time: str
    customer_id: str
    callback_data: str
    idempotency_key: str
    outcome: str
    message_id: str = ""


@dataclass(slots=True)
class Account:
    """A business's account on the platform."""

    id: str
    clock: Clock
    display_name: str = ""
    token: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    is_idempotent: bool = False
    has_lookup: bool = True
    echoes_callback_data: bool = True
    switches: Switches = field(default_factory=Switches)
    messages: dict[str, PlatformMessage] = field(default_factory=dict)
    media: dict[str, PlatformMedia] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    """Customer id to name."""
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))
    pending: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    """A heap of (due on the monotonic clock, order, event for the webhook)."""
    on_the_way: list[tuple[float, int, str, str]] = field(default_factory=list)
    """A heap of (due, order, message id, state it then reaches): what the phone network carries."""
    in_flight: list[dict[str, Any]] = field(default_factory=list)
    """Taken for the webhook, not yet answered with 200."""
    webhook_state: str = "idle"
    changed: list[Callable[[], None]] = field(default_factory=list)
    """Called after every change: pages, the store and the webhook sender listen."""
    _order: Iterator[int] = field(default_factory=itertools.count)

    def tell(self) -> None:
        """Tell who listens that something changed."""
        for call in tuple(self.changed):
            call()

    def keep_media(self, content_type: str, size_bytes: int, sha256: str) -> PlatformMedia:
        """Take a file that messages may name from now on."""
        media = PlatformMedia(f"media.{new_id()}", content_type, size_bytes, sha256)
        self.media[media.id] = media
        while len(self.media) > MAX_MEDIA:
            del self.media[next(iter(self.media))]
        self.tell()
        return media

    def accept(
        self,
        customer_id: str,
        text: str,
        callback_data: str,
        idempotency_key: str,
        *,
        kind: str = TEXT,
        media_id: str = "",
        file_name: str = "",
    ) -> tuple[PlatformMessage, bool]:
        """Put a message of the business onto the customer's phone, and say whether it is new.

        A key whose message failed is free again, so that a retry is more than an echo.
        """
        if self.is_idempotent and idempotency_key:
            for message in self.messages.values():
                if message.idempotency_key == idempotency_key and message.state != FAILED:
                    return message, False
        message = PlatformMessage(
            id=f"sim.{new_id()}",
            customer_id=customer_id,
            direction=TO_CUSTOMER,
            text=text,
            time=self.now(),
            callback_data=callback_data,
            idempotency_key=idempotency_key,
            kind=kind,
            media_id=media_id,
            file_name=file_name,
        )
        self._keep(message)
        return message, True

    def record(self, call: Call) -> None:
        """Keep the evidence of one request to send."""
        self.calls.append(call)

    def write(
        self, customer_id: str, text: str, name: str = "", *, kind: str = TEXT, details: Any = None
    ) -> PlatformMessage:
        """Let the customer write to the business: a text, or details of any other kind."""
        message = PlatformMessage(
            id=f"sim.{new_id()}",
            customer_id=customer_id,
            direction=FROM_CUSTOMER,
            text=text,
            time=self.now(),
            kind=kind,
            details=details,
        )
        if name:
            self.customers[customer_id] = name
        self._keep(message)
        self.plan(events.customer_wrote(message, self.customers[customer_id]))
        return message

    def answer_from_phone(self, customer_id: str, text: str) -> PlatformMessage:
        """Let the business's owner answer the customer on the platform's own app."""
        message = PlatformMessage(
            id=f"sim.{new_id()}",
            customer_id=customer_id,
            direction=TO_CUSTOMER,
            text=text,
            time=self.now(),
            state=SENT,
        )
        self._keep(message)
        self.echo(message, app=PHONE_APP)
        return message

    def echo(self, message: PlatformMessage, *, app: str) -> None:
        """Tell the business of a message of its own."""
        event = events.business_wrote(message, app, with_mark=self.echoes_callback_data)
        self.plan(event)

    def carry(self, message: PlatformMessage, state: str, *, after: float) -> None:
        """Let a message reach a state later on."""
        due = self.clock.monotonic() + after
        heapq.heappush(self.on_the_way, (due, next(self._order), message.id, state))
        self.tell()

    def arrive(self) -> float | None:
        """Report what reached its state by now; answers the seconds until the next one."""
        while self.on_the_way and self.on_the_way[0][0] <= self.clock.monotonic():
            _, _, message_id, state = heapq.heappop(self.on_the_way)
            message = self.messages.get(message_id)
            if message is not None:
                code = "recipient_unavailable" if state == FAILED else ""
                self.report(message, state, error_code=code)
        if not self.on_the_way:
            return None
        return max(0.0, self.on_the_way[0][0] - self.clock.monotonic())

    def report(self, message: PlatformMessage, state: str, *, error_code: str = "") -> None:
        """Bring a message to a state and tell the business, unless receipts are off."""
        is_receipt = state in {DELIVERED, READ}
        if state == FAILED:
            message.state, message.error_code = FAILED, error_code
        elif message.state == FAILED or STATES.index(state) > STATES.index(message.state):
            message.state, message.error_code = state, ""
        if is_receipt and self.switches.are_receipts_off:
            self.tell()
            return
        event = events.reached(
            message,
            state,
            self.now(),
            error_code=error_code,
            with_mark=self.echoes_callback_data,
        )
        self.plan(event)

    def see(self, customer_id: str) -> int:
        """Let the customer look at the conversation: what was delivered counts as read."""
        seen = [
            message
            for message in self.messages.values()
            if message.customer_id == customer_id
            and message.direction == TO_CUSTOMER
            and message.state in {SENT, DELIVERED}
        ]
        for message in seen:
            self.report(message, READ)
        return len(seen)

    def plan(self, event: dict[str, Any], *, after: float = 0.0) -> None:
        """Queue an event for the webhook."""
        if len(self.pending) < MAX_PENDING_EVENTS:
            due = self.clock.monotonic() + after
            heapq.heappush(self.pending, (due, next(self._order), event))
        self.tell()

    def take_due(self, limit: int) -> list[dict[str, Any]]:
        """The events that are due, earliest first."""
        now = self.clock.monotonic()
        due: list[dict[str, Any]] = []
        while self.pending and self.pending[0][0] <= now and len(due) < limit:
            due.append(heapq.heappop(self.pending)[2])
        return due

    @property
    def pending_count(self) -> int:
        """Events the business's webhook has not taken yet."""
        return len(self.pending) + len(self.in_flight)

    def seconds_to_next(self) -> float | None:
        """How long until an event is due; None when none is planned."""
        return max(0.0, self.pending[0][0] - self.clock.monotonic()) if self.pending else None

    def now(self) -> str:
        """The time, as the platform writes it."""
        return self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def phone(self, customer_id: str) -> dict[str, Any]:
        """What the customer's-phone page shows."""
        shown = [
            asdict(message)
            for message in self.messages.values()
            if message.customer_id == customer_id
        ][-200:]
        for message in shown:
            del message["callback_data"], message["idempotency_key"]
        return {
            "account": {"id": self.id, "name": self.display_name or self.id},
            "customer": {"id": customer_id, "name": self.customers.get(customer_id, customer_id)},
            "messages": shown,
            "switches": asdict(self.switches),
            "webhook": {"state": self.webhook_state, "pending": self.pending_count},
        }

    def _keep(self, message: PlatformMessage) -> None:
        self.customers.setdefault(message.customer_id, message.customer_id)
        self.messages[message.id] = message
        while len(self.messages) > MAX_MESSAGES:
            del self.messages[next(iter(self.messages))]


class Platform:
    """All accounts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.account_added: list[Callable[[Account], None]] = []

    def add(self, account: Account) -> None:
        """Open an account. Raises: RequestRefused when there are too many."""
        if len(self.accounts) >= MAX_ACCOUNTS:
            raise RequestRefused(507, "too_many_accounts", "the platform double is full")
        self.accounts[account.id] = account
        for call in self.account_added:
            call(account)

    def open(self, account_id: str, **settings: Any) -> Account:
        """Open an account, or change its settings. Raises: RequestRefused."""
        checked_name(account_id)
        account = self.accounts.get(account_id)
        if account is None:
            account = Account(id=account_id, clock=self.clock)
            self.add(account)
        kinds = {
            "display_name": str,
            "token": str,
            "webhook_url": str,
            "webhook_secret": str,
            "is_idempotent": bool,
            "has_lookup": bool,
            "echoes_callback_data": bool,
        }
        for name, value in settings.items():
            if name not in kinds or type(value) is not kinds[name]:
                raise RequestRefused(400, "bad_setting", f"{name!r} is no setting like that")
        for name, value in settings.items():
            setattr(account, name, value)
        account.tell()
        return account

    def get(self, account_id: str) -> Account:
        """An account. Raises: RequestRefused."""
        account = self.accounts.get(account_id)
        if account is None:
            raise RequestRefused(404, "unknown_account", "there is no such account")
        return account


def checked_name(value: object) -> str:
    """An account's or customer's id. Raises: RequestRefused."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise RequestRefused(400, "bad_id", f"ids look like {NAME.pattern}")
    return value


def checked_text(value: object) -> str:
    """A message's text. Raises: RequestRefused."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_LENGTH:
        raise RequestRefused(400, "bad_text", f"text must have 1 to {MAX_TEXT_LENGTH} characters")
    return value
