"""Who writes messages and makes changes."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class AuthorKind(enum.Enum):
    """Who wrote a message or made a change."""

    CUSTOMER = "customer"
    MEMBER = "member"
    AI = "ai"
    PHONE_APP = "phone_app"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change, as they were then."""

    kind: AuthorKind
    id: str = ""
    display_name: str = ""


SYSTEM = Author(AuthorKind.SYSTEM)
