"""Tags: what they are called and how they look. Which conversation has which is in `tagging`."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import FieldInvalid, VersionConflict
from chassis.ids import derived_id
from services.conversation.model.faults import TagBuiltIn, TagExists

MAX_TAGS = 200
MAX_TAG_CHARACTERS = 40
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class TagColor(enum.Enum):
    """The palette."""

    GRAY = "gray"
    RED = "red"
    ORANGE = "orange"
    AMBER = "amber"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"


@dataclass(frozen=True, slots=True)
class Tag:
    """A label of the workspace."""

    id: str
    key: str
    """For programs; never changes, so that a renamed tag is still found."""
    display_name: str
    """Empty for a built-in tag that nobody renamed: clients say it in their own language."""
    color: TagColor
    create_time: datetime | None
    """None for a built-in one."""
    is_deleted: bool = False
    version: int = 1

    @property
    def is_built_in(self) -> bool:
        """Whether it came with the workspace."""
        return self.id == PRIORITY.id


PRIORITY = Tag(derived_id("tag", "priority"), "priority", "", TagColor.AMBER, None)
"""The star. Every workspace has it, under the same id, before anything is written."""
ALIASES = {PRIORITY.key: PRIORITY.key, "prioritario": PRIORITY.key}
"""Names of built-in tags in filters and requests, and the key that each stands for."""


def key_of(tag_id: str, display_name: str) -> str:
    """The key a name makes: "Facturación 2" → "facturacion-2"; without letters, a number."""
    plain = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_TAG_CHARACTERS].rstrip("-")
    return key or f"tag-{tag_id[-8:]}"


def new_tag(tag_id: str, display_name: str, color: TagColor, key: str, at: datetime) -> Tag:
    """A tag as it begins; its key comes from its name where none is given. Raises: FieldInvalid."""
    if key and not KEY.fullmatch(key):
        rule = "must be lower-case letters, digits, - and _, at most 40, beginning with none of - _"
        raise FieldInvalid("key", rule)
    return Tag(tag_id, key or key_of(tag_id, display_name), display_name, color, create_time=at)


def check_key(tag: Tag, known: Iterable[Tag]) -> None:
    """A key and an alias name one tag each. Raises: TagExists."""
    if tag.key in ALIASES or any(tag.key == other.key for other in known):
        raise TagExists(tag.key)


def changed(
    tag: Tag, *, display_name: str | None, color: TagColor | None, expected_version: int = 0
) -> Tag:
    """The tag with what is given; the same object where nothing differs.

    Raises: VersionConflict.
    """
    _check_version(tag, expected_version)
    after = replace(tag, display_name=display_name or tag.display_name, color=color or tag.color)
    return tag if after == tag else replace(after, version=tag.version + 1)


def deleted(tag: Tag, *, expected_version: int = 0) -> Tag:
    """The tag as it is told of for the last time. Raises: TagBuiltIn, VersionConflict."""
    if tag.is_built_in:
        raise TagBuiltIn(tag.key)
    _check_version(tag, expected_version)
    return replace(tag, is_deleted=True, version=tag.version + 1)


def _check_version(tag: Tag, expected_version: int) -> None:
    if expected_version not in (0, tag.version):
        raise VersionConflict(expected_version, tag.version)
