"""Where the AI is writing: the newest word about each conversation, which fades by itself."""

from __future__ import annotations

TTL = 10.0
"""Seconds. Who writes says so every few of them; a crash must not leave the sign standing."""
MAX_WRITINGS = 100_000


class Writings:
    """Conversations of all workspaces in which the AI writes."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}

    def hear(
        self, workspace_id: str, conversation_id: str, *, is_writing: bool, now: float
    ) -> None:
        """Take in a word about a conversation."""
        key = workspace_id, conversation_id
        # Taken out and put at the end: the order of the dict is the order in which words fade.
        self._until.pop(key, None)
        if is_writing:
            if len(self._until) >= MAX_WRITINGS:
                del self._until[next(iter(self._until))]
            self._until[key] = now + TTL

    def fade(self, now: float) -> list[tuple[str, str]]:
        """Remove what was not said again: workspace and conversation of each."""
        gone: list[tuple[str, str]] = []
        for key, until in self._until.items():
            if until > now:
                break
            gone.append(key)
        for key in gone:
            del self._until[key]
        return gone
