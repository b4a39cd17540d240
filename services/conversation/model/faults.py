"""What can be wrong with a request to the inbox."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import (
    Aborted,
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
)


@dataclass(eq=False)
class ConversationNotFound(NotFound):
    """No such conversation, or not for this caller."""

    conversation_id: str
    reason = "CONVERSATION_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no conversation {self.conversation_id} for this credential"


@dataclass(eq=False)
class CustomerWroteMeanwhile(Aborted):
    """Solving would hide a message the caller has not seen."""

    seen_inbound_count: int
    inbound_count: int
    reason = "VERSION_CONFLICT"

    def __str__(self) -> str:
        return (
            f"the customer wrote since: {self.inbound_count} messages came in, the caller saw "
            f"{self.seen_inbound_count}; read them and decide anew"
        )


@dataclass(eq=False)
class ReadMarkAhead(OutOfRange):
    """The read mark names a message far beyond those that came in."""

    read_ordinal: int
    inbound_count: int
    reason = "INVALID_ARGUMENT"

    def __str__(self) -> str:
        return (
            f"read_ordinal {self.read_ordinal} is beyond the {self.inbound_count} messages that "
            "came in; send the inbound_ordinal of the newest message seen"
        )


@dataclass(eq=False)
class NothingToMarkUnread(OutOfRange):
    """The message that shall be unread did not come in yet."""

    from_ordinal: int
    inbound_count: int
    reason = "INVALID_ARGUMENT"

    def __str__(self) -> str:
        return (
            f"from_ordinal {self.from_ordinal} is not among the {self.inbound_count} messages that "
            "came in; send the inbound_ordinal of the first one that shall be unread"
        )


@dataclass(eq=False)
class MemberNotFound(NotFound):
    """No such member, or not for this caller."""

    member_id: str
    reason = "MEMBER_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no member {self.member_id} for this credential"


@dataclass(eq=False)
class MemberCannotAnswer(Conflict):
    """Whoever looks after a conversation must be able to do something in it."""

    member_id: str
    reason = "MEMBER_CANNOT_ANSWER"

    def __str__(self) -> str:
        return (
            f"member {self.member_id} is invited, removed or read-only and cannot answer; "
            "assign it to an active owner or agent"
        )


@dataclass(eq=False)
class TagNotFound(NotFound):
    """No such tag, or not for this caller."""

    tag: str
    reason = "TAG_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no tag {self.tag} for this credential; ListTags names those there are"


@dataclass(eq=False)
class TagExists(AlreadyExists):
    """The key is taken."""

    key: str
    reason = "TAG_EXISTS"

    def __str__(self) -> str:
        return f"there is a tag with the key {self.key} already; use it or give another key"


@dataclass(eq=False)
class TagBuiltIn(Conflict):
    """Programs rely on it."""

    key: str
    reason = "TAG_BUILT_IN"

    def __str__(self) -> str:
        return f"{self.key} is built in and cannot be deleted; it can be renamed"


@dataclass(eq=False)
class TooManyTags(Conflict):
    """The workspace has as many tags as it may have."""

    limit: int
    reason = "TOO_MANY_TAGS"

    def __str__(self) -> str:
        return f"a workspace has at most {self.limit} tags; delete one that nobody uses"


@dataclass(eq=False)
class TooManyTagsOnConversation(Conflict):
    """The conversation has as many tags as it may have."""

    limit: int
    reason = "TOO_MANY_TAGS_ON_CONVERSATION"

    def __str__(self) -> str:
        return f"a conversation has at most {self.limit} tags; take one away first"


@dataclass(eq=False)
class ContactNotFound(NotFound):
    """No such contact, or not for this caller."""

    contact_id: str
    reason = "CONTACT_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no contact {self.contact_id} for this credential"


@dataclass(eq=False)
class ContactMergedIntoItself(InvalidArgument):
    """A contact cannot become part of itself."""

    contact_id: str
    reason = "CONTACT_MERGED_INTO_ITSELF"

    def __str__(self) -> str:
        return f"contact {self.contact_id} cannot become part of itself; name another one"


@dataclass(eq=False)
class ContactFull(Conflict):
    """The contact has as much of something as it may have."""

    what: str
    """Fields, tags, consents, identities or notes."""
    limit: int
    reason = "CONTACT_FULL"

    def __str__(self) -> str:
        return f"a contact has at most {self.limit} {self.what}; take some away first"


@dataclass(eq=False)
class ContactFieldNotFound(NotFound):
    """The contact has no such field."""

    key: str
    reason = "CONTACT_FIELD_NOT_FOUND"

    def __str__(self) -> str:
        return f"the contact has no field {self.key}; GetContact names those it has"


@dataclass(eq=False)
class ContactFieldOfMember(PermissionDenied):
    """What a member wrote, the AI does not overwrite."""

    key: str
    reason = "CONTACT_FIELD_OF_MEMBER"

    def __str__(self) -> str:
        return f"a member wrote the field {self.key}; use another key or leave it as it is"


@dataclass(eq=False)
class ContactNoteNotFound(NotFound):
    """No such note, or not for this caller."""

    note_id: str
    reason = "CONTACT_NOTE_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no note {self.note_id} for this credential; it may have been deleted"


@dataclass(eq=False)
class PriorityNotForContacts(InvalidArgument):
    """The star is a conversation's."""

    tag: str
    reason = "PRIORITY_NOT_FOR_CONTACTS"

    def __str__(self) -> str:
        return f"{self.tag} is a conversation's star; give a contact another tag"


@dataclass(eq=False)
class QueryWithoutWords(InvalidArgument):
    """Nothing in the query is a word."""

    field: str = "query"
    reason = "QUERY_WITHOUT_WORDS"

    def __str__(self) -> str:
        return "query has no word to look for; write letters or digits"


@dataclass(eq=False)
class QueryTooManyWords(InvalidArgument):
    """The query has more words than are looked for at once."""

    count: int
    max_count: int
    field: str = "query"
    reason = "QUERY_TOO_MANY_WORDS"

    def __str__(self) -> str:
        return f"query has {self.count} different words; look for at most {self.max_count}"


@dataclass(eq=False)
class ErasureNotFound(NotFound):
    """No such erasure, or not for this caller."""

    erasure_id: str
    reason = "ERASURE_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no erasure {self.erasure_id} for this credential"
