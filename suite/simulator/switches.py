"""What goes wrong on the platform, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

REFUSALS = {
    "recipient_unavailable": 400,
    "content_rejected": 400,
    "window_closed": 400,
    "account_blocked": 403,
    "internal_error": 500,
    "overloaded": 503,
}
"""The platform's own error codes, and the HTTP status each comes with."""

ALL = -1
"""As a count: every send until it is switched off."""


class RequestRefused(Exception):
    """The platform does not take a request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True)
class Switches:
    """What goes wrong. Counts are sends still affected: 0 is off, -1 is every one."""

    fail_next: int = 0
    fail_code: str = "recipient_unavailable"
    rate_limit: int = 0
    retry_after_seconds: float = 2.0
    reset_before_accept: int = 0
    reset_after_accept: int = 0
    answer_late: int = 0
    answer_late_seconds: float = 20.0
    fail_late: int = 0
    report_before_answer: int = 0
    garbage_answer: int = 0
    """Accept, then answer 200 with a body that is not JSON."""
    is_token_expired: bool = False
    are_receipts_off: bool = False
    reports_by_itself: bool = True
    """Report sent and delivered without being told to."""
    echoes_own: bool = False
    """Echo what came through the API too, as some platforms do."""
    duplicates: bool = False
    shuffles: bool = False
    deliver_after_seconds: float = 0.6

    def takes(self, name: str) -> bool:
        """Whether this send is affected; uses up one of a count."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left != 0

    def change(self, changes: dict[str, Any]) -> None:
        """Set some switches. Raises: RequestRefused, with nothing changed."""
        kinds = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        for name, value in changes.items():
            kind = kinds.get(name)
            if kind is None:
                raise RequestRefused(400, "unknown_switch", f"there is no switch {name!r}")
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = is_number if kind is float else type(value) is kind
            if not fits:
                raise RequestRefused(400, "bad_switch", f"{name} must be a {kind.__name__}")
        code = changes.get("fail_code", self.fail_code)
        if code not in REFUSALS:
            raise RequestRefused(400, "bad_switch", f"fail_code must be one of {sorted(REFUSALS)}")
        for name, value in changes.items():
            setattr(self, name, float(value) if kinds[name] is float else value)
