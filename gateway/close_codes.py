"""Why a live socket is closed, and whether the client comes back.

The web client's `close-codes.ts` is the other half; the reason text of the close frame names the
fact for people who read logs.
"""

from __future__ import annotations

import enum
from typing import Self


class ComeBack(enum.Enum):
    """What a client does after a close."""

    RESUME = "connect again and resume from the last position"
    REFRESH = "get a fresh credential, connect again and resume"
    STAY_AWAY = "do not come back by itself: a person or a programmer has to act"


class CloseCode(enum.IntEnum):
    """Every code the gateway closes with."""

    def __new__(cls, number: int, meaning: str, come_back: ComeBack) -> Self:
        """Let each member carry its meaning beside its number."""
        code = int.__new__(cls, number)
        code._value_ = number
        code.meaning = meaning
        code.come_back = come_back
        return code

    meaning: str
    come_back: ComeBack

    NORMAL = 1000, "answers the client's own close", ComeBack.STAY_AWAY
    RESTART = 1012, "this process ends, or lost its source of events", ComeBack.RESUME
    MALFORMED = 4400, "a frame is not one of the protocol, or not allowed here", ComeBack.STAY_AWAY
    CREDENTIAL_ENDED = 4401, "the credential is missing, wrong or expired", ComeBack.REFRESH
    FORBIDDEN = 4403, "the credential was revoked, or never allowed this", ComeBack.STAY_AWAY
    TOO_SLOW = 4408, "the client does not read, or does not answer pings", ComeBack.RESUME
    TOO_MANY = 4429, "the client sends too many frames", ComeBack.STAY_AWAY
