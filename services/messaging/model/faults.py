"""What messaging refuses, each with the way out."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import (
    Aborted,
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)


@dataclass(eq=False)
class ConversationNotFound(NotFound):
    """No such conversation, or not for this caller."""

    conversation_id: str
    reason = "CONVERSATION_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no conversation {self.conversation_id}"


@dataclass(eq=False)
class MessageNotFound(NotFound):
    """No such message, or not for this caller."""

    message_id: str
    reason = "MESSAGE_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no message {self.message_id}"


@dataclass(eq=False)
class ChannelNotFound(NotFound):
    """No such channel, or not for this caller."""

    channel_id: str
    reason = "CHANNEL_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no channel {self.channel_id}"


@dataclass(eq=False)
class ConversationInAiMode(Conflict):
    """A person may write only in manual mode."""

    conversation_id: str
    reason = "CONVERSATION_IN_AI_MODE"

    def __str__(self) -> str:
        return f"conversation {self.conversation_id} is in AI mode; switch to manual first"


@dataclass(eq=False)
class ConversationInManualMode(Conflict):
    """The AI may write only in AI mode."""

    conversation_id: str
    reason = "CONVERSATION_IN_MANUAL_MODE"

    def __str__(self) -> str:
        return f"a person answers conversation {self.conversation_id}; the AI may not write there"


@dataclass(eq=False)
class ModeEpochStale(Aborted):
    """The mode was switched since the epoch the caller believes in."""

    conversation_id: str
    given_mode_epoch: int
    present_mode_epoch: int
    reason = "MODE_EPOCH_STALE"

    def __str__(self) -> str:
        return (
            f"mode epoch {self.given_mode_epoch} was given but it is {self.present_mode_epoch} "
            "now; read the thread again and decide anew"
        )


@dataclass(eq=False)
class TextEmpty(InvalidArgument):
    """The text is empty or only white space."""

    field: str = "text"
    reason = "TEXT_EMPTY"

    def __str__(self) -> str:
        return "text is empty; write something"


@dataclass(eq=False)
class TextTooLong(InvalidArgument):
    """The text is longer than the channel allows."""

    length: int
    max_length: int
    unit: str
    reason = "TEXT_TOO_LONG"

    def __str__(self) -> str:
        return (
            f"text has {self.length} {self.unit}, the channel takes {self.max_length}; shorten it"
        )


@dataclass(eq=False)
class ChannelNotConnected(Conflict):
    """The channel was disconnected."""

    channel_id: str
    reason = "CHANNEL_NOT_CONNECTED"

    def __str__(self) -> str:
        return f"channel {self.channel_id} is not connected; connect it before sending"


@dataclass(eq=False)
class ChannelKindUnsupported(Conflict):
    """This kind of channel cannot do that."""

    kind: str
    reason = "CHANNEL_KIND_UNSUPPORTED"

    def __str__(self) -> str:
        return f"a {self.kind} channel cannot do that"


@dataclass(eq=False)
class MessageNotFailed(Conflict):
    """Only a failed message can be tried again."""

    message_id: str
    delivery_status: str
    reason = "MESSAGE_NOT_FAILED"

    def __str__(self) -> str:
        return f"message {self.message_id} is {self.delivery_status}; only a failed one is retried"


@dataclass(eq=False)
class MessageNotRetryable(Conflict):
    """Trying again cannot help."""

    message_id: str
    failure_reason: str
    reason = "MESSAGE_NOT_RETRYABLE"

    def __str__(self) -> str:
        return f"message {self.message_id} failed for {self.failure_reason}; retrying cannot help"


@dataclass(eq=False)
class OriginNotAllowed(PermissionDenied):
    """The site that embeds the chat box is not on the channel's list."""

    origin: str
    reason = "ORIGIN_NOT_ALLOWED"

    def __str__(self) -> str:
        return f"{self.origin} is not on the chat box's list of sites; an owner can add it"


@dataclass(eq=False)
class TooManyWaiting(ResourceExhausted):
    """More writes wait than the service may hold."""

    retry_after_ms: int
    reason = "RATE_LIMITED"

    def __str__(self) -> str:
        return f"too many writes are waiting; repeat the same one in {self.retry_after_ms} ms"


@dataclass(eq=False)
class ClientMessageIdReused(AlreadyExists):
    """The client message id stands for another message already."""

    client_message_id: str
    field: str = "client_message_id"
    reason = "IDEMPOTENCY_KEY_REUSED"

    def __str__(self) -> str:
        return "client_message_id was used before for another message; use a fresh UUID"


@dataclass(eq=False)
class WebhookTooLarge(InvalidArgument):
    """A platform's call is larger than any platform's."""

    size_bytes: int
    max_bytes: int
    reason = "TOO_LARGE"

    def __str__(self) -> str:
        return f"the body has {self.size_bytes} bytes; at most {self.max_bytes} are taken"


@dataclass(eq=False)
class DeadWebhookNotFound(NotFound):
    """No such dead webhook, or not for this caller."""

    dead_webhook_id: str
    reason = "DEAD_WEBHOOK_NOT_FOUND"

    def __str__(self) -> str:
        return (
            f"there is no dead webhook {self.dead_webhook_id}; it may be tried again already, "
            "list them anew"
        )


@dataclass(eq=False)
class WebhookSignatureInvalid(Unauthenticated):
    """The call was not signed with one of the channel's secrets."""

    channel_id: str
    reason = "WEBHOOK_SIGNATURE_INVALID"

    def __str__(self) -> str:
        return "the signature does not match; set the channel's webhook secret on both sides"


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
