"""What the tables have in common."""

from __future__ import annotations

from sqlalchemy import Column, MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

metadata = MetaData()

FOLDERS = "'open', 'solved', 'spam', 'archived'"


def id_column(name: str) -> Column[str]:
    """A UUID."""
    return Column(name, UUID(as_uuid=False), nullable=False)


def time_column(name: str) -> Column[object]:
    """A point in time."""
    return Column(name, TIMESTAMP(timezone=True), nullable=False)
