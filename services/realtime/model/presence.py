"""Who is there: the newest word about each member, which fades unless it is said again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TTL = 30.0
"""Seconds."""
TYPING_TTL = 8.0
"""Seconds. Who types says so every few of them; a cut line must not leave the sign standing."""
MAX_MEMBERS = 100_000


@dataclass(slots=True)
class _Word:
    said: bytes
    until: float


@dataclass(slots=True)
class _Typing:
    at_rest: bytes
    until: float


class Presences:
    """Members present, by workspace; of all workspaces, for whoever watches one later."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], _Word] = {}
        self._typing: dict[tuple[str, str], _Typing] = {}
        self._by_workspace: dict[str, set[str]] = {}

    def hear(
        self,
        workspace_id: str,
        member_id: str,
        said: bytes,
        now: float,
        *,
        at_rest: bytes | None = None,
    ) -> bool:
        """Take in a word about a member; whether it is news.

        Of one who types it is also given what is said of them `at_rest`.
        """
        key = workspace_id, member_id
        self._typing.pop(key, None)
        word = self._members.pop(key, None)
        if word is None and len(self._members) >= MAX_MEMBERS:
            self._forget(next(iter(self._members)))
        # Put at the end: the order of the dict is the order in which words fade.
        self._members[key] = _Word(said, now + TTL)
        if at_rest is not None:
            self._typing[key] = _Typing(at_rest, now + TYPING_TTL)
        self._by_workspace.setdefault(workspace_id, set()).add(member_id)
        return word is None or word.said != said

    def leave(self, workspace_id: str, member_id: str) -> bool:
        """A member left; whether they were there."""
        key = workspace_id, member_id
        if key not in self._members:
            return False
        self._forget(key)
        return True

    def present(self, workspace_id: str) -> Sequence[bytes]:
        """The newest word about everybody there."""
        members = self._by_workspace.get(workspace_id, ())
        return [self._members[workspace_id, member].said for member in sorted(members)]

    def rest(self, now: float) -> list[tuple[str, str, bytes]]:
        """End the typing of who did not say it again: workspace, member, and the word about each.

        They are there as long as before.
        """
        ended: list[tuple[str, str, bytes]] = []
        for (workspace_id, member_id), typing in self._typing.items():
            if typing.until > now:
                break
            ended.append((workspace_id, member_id, typing.at_rest))
        for workspace_id, member_id, at_rest in ended:
            del self._typing[workspace_id, member_id]
            self._members[workspace_id, member_id].said = at_rest
        return ended

    def fade(self, now: float) -> list[tuple[str, str]]:
        """Remove who was not heard of for long: workspace and member of each."""
        gone: list[tuple[str, str]] = []
        for key, word in self._members.items():
            if word.until > now:
                break
            gone.append(key)
        for key in gone:
            self._forget(key)
        return gone

    def _forget(self, key: tuple[str, str]) -> None:
        workspace_id, member_id = key
        del self._members[key]
        self._typing.pop(key, None)
        members = self._by_workspace[workspace_id]
        members.discard(member_id)
        if not members:
            del self._by_workspace[workspace_id]
