"""Page tokens: opaque to callers, bound to the query they came from.

A token holds the last row's sort key and a digest of the query, so a page of one list cannot be
asked for with another's token. It grants nothing: row security judges every page anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chassis.errors import PageTokenInvalid

MAX_TOKEN_CHARACTERS = 2048
DIGEST_CHARACTERS = 16


def next_token(query: Sequence[object], position: Sequence[str | int]) -> str:
    """The token of the page after a row. `query` is the method and its filters, not the size."""
    content = orjson.dumps([_digest(query), *position])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def position_in(
    token: str, query: Sequence[object], parsers: Sequence[Callable[[Any], Any]]
) -> tuple[Any, ...] | None:
    """The sort key a token stands for, each part read by its parser; None for the first page.

    Raises: PageTokenInvalid.
    """
    if not token:
        return None
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise PageTokenInvalid
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, *position = orjson.loads(content)
        if digest != _digest(query) or len(position) != len(parsers):
            raise PageTokenInvalid
        return tuple(parse(part) for parse, part in zip(parsers, position, strict=True))
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
        raise PageTokenInvalid from None


def _digest(query: Sequence[object]) -> str:
    text = "\x1f".join(str(part) for part in query)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
