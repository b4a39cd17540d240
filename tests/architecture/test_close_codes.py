"""The gateway and the web client mean the same by every close code."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.close_codes import CloseCode

CLIENTS = Path(__file__).resolve().parents[2] / "web/src/connection/close-codes.ts"


def test_the_web_client_knows_every_close_code() -> None:
    numbers = {int(number) for number in re.findall(r"\b(?:1012|44\d\d)\b", CLIENTS.read_text())}

    assert numbers == {int(code) for code in CloseCode if code is not CloseCode.NORMAL}
