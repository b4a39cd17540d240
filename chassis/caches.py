"""A dictionary with a bound: the entry used longest ago leaves."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LeastRecent(Generic[Key, Value]):
    """At most `size` entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now."""
        try:
            self._entries.move_to_end(key)
        except KeyError:
            return None
        return self._entries[key]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; the one used longest ago may leave for it."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: Key) -> None:
        """Forget a key."""
        self._entries.pop(key, None)

    def items(self) -> list[tuple[Key, Value]]:
        """A copy of the entries, the one used longest ago first."""
        return list(self._entries.items())
