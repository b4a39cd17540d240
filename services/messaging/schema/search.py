"""Tables of search: which message has which word.

Plain B-trees that begin with the workspace. Behind row security PostgreSQL uses no other index for
text, and only these hand the newest message of a word out first; docs/adr tells the whole story.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.messaging.schema.columns import ID, TIME, metadata

WORD = Text(collation="C")
"""Words are compared byte by byte, so that those that begin alike stand together."""

# One row for each message that can be found: what is filtered by, and its words.
message_texts = Table(
    "message_texts",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("channel_id", ID, nullable=False),
    Column("direction", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("words", ARRAY(WORD), nullable=False),
    PrimaryKeyConstraint("workspace_id", "message_id", name="pk_message_texts"),
    CheckConstraint("direction IN ('inbound', 'outbound')", name="ck_message_texts_direction"),
    Index(
        "ix_message_texts_conversation_id",
        "workspace_id",
        "conversation_id",
        "create_time",
        "message_id",
    ),
)

# One row for each word of each message.
message_words = Table(
    "message_words",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("word", WORD, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("message_id", ID, nullable=False),
    PrimaryKeyConstraint(
        "workspace_id", "word", "create_time", "message_id", name="pk_message_words"
    ),
)

# Every word of a workspace.
words = Table(
    "words",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("word", WORD, nullable=False),
    Column("message_count", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "word", name="pk_words"),
    CheckConstraint("message_count >= 0", name="ck_words_message_count"),
)

# What a word has inside begins one of its endings.
word_endings = Table(
    "word_endings",
    metadata,
    Column("workspace_id", ID, nullable=False),
    Column("ending", WORD, nullable=False),
    Column("word", WORD, nullable=False),
    PrimaryKeyConstraint("workspace_id", "ending", "word", name="pk_word_endings"),
)

# How far the index is in the log of events, and how far in a walk through all messages.
text_index = Table(
    "text_index",
    metadata,
    Column("id", Boolean, nullable=False, server_default=text("true")),
    Column("log_epoch", Text, nullable=False, server_default=text("''")),
    Column("gpos", BigInteger, nullable=False, server_default=text("0")),
    # When the newest event that is in the index was committed.
    Column("event_time", TIME),
    # The walk goes on with older messages than this one, then with the next workspace.
    Column("walk_workspace_id", ID),
    Column("walk_message_id", ID),
    PrimaryKeyConstraint("id", name="pk_text_index"),
    CheckConstraint("id", name="ck_text_index_one_row"),
    CheckConstraint(
        "(walk_workspace_id IS NULL) = (walk_message_id IS NULL)", name="ck_text_index_walk"
    ),
)
