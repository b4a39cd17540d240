"""What is known of contacts: profiles, notes, merges, and the words their names are found by."""

from __future__ import annotations

from alembic import op

from chassis import migrations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# `name_key` is NULL until the service has indexed the name, which it does in the background for
# contacts of older versions: no lock, and no second copy of how words are read.
CONTACTS = """
ALTER TABLE contacts
    ADD COLUMN merged_into_id uuid,
    ADD COLUMN name_key text COLLATE "C",
    ADD CONSTRAINT fk_contacts_merged_into FOREIGN KEY (workspace_id, merged_into_id)
        REFERENCES contacts (workspace_id, id)
"""

CONTACT_PROFILES = """
CREATE TABLE contact_profiles (
    workspace_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    language text NOT NULL,
    tag_ids uuid[] NOT NULL,
    fields jsonb NOT NULL,
    consents jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_contact_profiles PRIMARY KEY (workspace_id, contact_id),
    CONSTRAINT fk_contact_profiles_contact FOREIGN KEY (workspace_id, contact_id)
        REFERENCES contacts (workspace_id, id)
)
"""

CONTACT_NOTES = """
CREATE TABLE contact_notes (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    body text NOT NULL,
    author_kind text NOT NULL,
    author_id text NOT NULL,
    author_name text NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    is_deleted boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_contact_notes PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_contact_notes_contact FOREIGN KEY (workspace_id, contact_id)
        REFERENCES contacts (workspace_id, id)
)
"""

CONTACT_NAME_WORDS = """
CREATE TABLE contact_name_words (
    workspace_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    word text COLLATE "C" NOT NULL,
    CONSTRAINT pk_contact_name_words PRIMARY KEY (workspace_id, contact_id, word)
)
"""

INDEXES = """
CREATE INDEX ix_contacts_name ON contacts (workspace_id, name_key, id)
    WHERE merged_into_id IS NULL AND name_key IS NOT NULL;
CREATE INDEX ix_contacts_unnamed ON contacts (workspace_id, id) WHERE name_key IS NULL;
CREATE INDEX ix_contacts_merged_into ON contacts (workspace_id, merged_into_id)
    WHERE merged_into_id IS NOT NULL;
CREATE INDEX ix_contact_notes_contact ON contact_notes
    (workspace_id, contact_id, create_time DESC, id DESC) WHERE NOT is_deleted;
CREATE INDEX ix_contact_name_words_word ON contact_name_words (workspace_id, word, contact_id)
"""


def upgrade() -> None:
    for table in (CONTACTS, CONTACT_PROFILES, CONTACT_NOTES, CONTACT_NAME_WORDS):
        op.execute(table)
    for index in INDEXES.split(";"):
        op.execute(index)
    migrations.tenant_table(op, "contact_profiles")
    migrations.tenant_table(op, "contact_notes")
    migrations.tenant_table(op, "contact_name_words")
    app = migrations.service_role(op, "app")
    op.execute(f"GRANT UPDATE ON contacts, contact_identities TO {app}")
