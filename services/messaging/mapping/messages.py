"""Messages, threads, receipts and modes as protobuf."""

from __future__ import annotations

from inbox.messaging import v1
from services.messaging.mapping.attachments import attachment_to_proto
from services.messaging.mapping.channels import CHANNEL_KINDS
from services.messaging.mapping.specials import put_special
from services.messaging.mapping.times import timestamp
from services.messaging.model.delivery import (
    DeliveryStatus,
    Failure,
    FailureReason,
    ReceiptSource,
)
from services.messaging.model.handover import Handover, HandoverReason
from services.messaging.model.message import (
    AiResumed,
    Author,
    AuthorKind,
    Direction,
    Message,
    ModeSwitched,
    Receipt,
    SystemNote,
)
from services.messaging.model.thread import ConversationMode, Hold, Thread

DIRECTIONS = {
    Direction.INBOUND: v1.MESSAGE_DIRECTION_INBOUND,
    Direction.OUTBOUND: v1.MESSAGE_DIRECTION_OUTBOUND,
    Direction.INTERNAL: v1.MESSAGE_DIRECTION_INTERNAL,
}
AUTHOR_KINDS = {
    AuthorKind.CUSTOMER: v1.AUTHOR_KIND_CUSTOMER,
    AuthorKind.MEMBER: v1.AUTHOR_KIND_MEMBER,
    AuthorKind.AI: v1.AUTHOR_KIND_AI,
    AuthorKind.PHONE_APP: v1.AUTHOR_KIND_PHONE_APP,
    AuthorKind.SYSTEM: v1.AUTHOR_KIND_SYSTEM,
}
STATUSES = {status: v1.DeliveryStatus.ValueType(status.value) for status in DeliveryStatus}
FAILURE_REASONS = {
    reason: v1.FailureReason.Value(f"FAILURE_REASON_{reason.name}") for reason in FailureReason
}
RECEIPT_SOURCES = {
    source: v1.ReceiptSource.Value(f"RECEIPT_SOURCE_{source.name}") for source in ReceiptSource
}
HANDOVER_REASONS = {
    reason: v1.HandoverReason.Value(f"HANDOVER_REASON_{reason.name}") for reason in HandoverReason
}
HANDOVER_REASONS_BACK = {number: reason for reason, number in HANDOVER_REASONS.items()}
MODES = {
    ConversationMode.AI: v1.CONVERSATION_MODE_AI,
    ConversationMode.MANUAL: v1.CONVERSATION_MODE_MANUAL,
}
MODES_BACK = {number: mode for mode, number in MODES.items()}


def message_to_proto(message: Message) -> v1.Message:
    """A message as the contract has it."""
    author = message.author
    made = v1.Message(
        id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        client_message_id=message.client_message_id,
        direction=DIRECTIONS[message.direction],
        author=v1.Author(
            kind=AUTHOR_KINDS[author.kind], id=author.id, display_name=author.display_name
        ),
        text=message.text,
        attempt_count=message.attempt_count,
        inbound_ordinal=message.inbound_ordinal,
        create_time=timestamp(message.create_time),
        version=message.version,
    )
    if message.attachments:
        made.attachments.extend(map(attachment_to_proto, message.attachments))
    if message.special is not None:
        put_special(made, message.special)
    if message.delivery_status is not None:
        made.delivery_status = STATUSES[message.delivery_status]
    if message.failure is not None:
        made.failure.CopyFrom(failure_to_proto(message.failure))
    if message.platform_time is not None:
        made.platform_time.CopyFrom(timestamp(message.platform_time))
    if message.system_note is not None:
        made.system_note.CopyFrom(note_to_proto(message.system_note))
    return made


def note_to_proto(note: SystemNote) -> v1.SystemNote:
    """What a row for the team tells, as the contract has it."""
    match note:
        case ModeSwitched(mode, author):
            told = v1.ModeSwitched(mode=MODES[mode], author=author_to_proto(author))
            return v1.SystemNote(mode_switched=told)
        case Handover():
            return v1.SystemNote(handover=handover_to_proto(note))
        case AiResumed():
            return v1.SystemNote(ai_resumed=v1.AiResumed())


def handover_to_proto(handover: Handover) -> v1.Handover:
    """A handover as the contract has it."""
    return v1.Handover(
        reason=HANDOVER_REASONS[handover.reason],
        summary=handover.summary,
        fields=[
            v1.CollectedField(key=field.key, value=field.value, source_seq=field.source_seq)
            for field in handover.fields
        ],
        create_time=timestamp(handover.create_time),
    )


def created_message_id(payload: bytes) -> str:
    """Which message a `message_created` event tells of."""
    return v1.MessageCreated.FromString(payload).message.id


def thread_to_proto(thread: Thread) -> v1.Thread:
    """A thread as the contract has it."""
    return v1.Thread(
        conversation_id=thread.conversation_id,
        channel_id=thread.channel_id,
        channel_kind=CHANNEL_KINDS[thread.channel_kind],
        external_id=thread.external_id,
        customer_name=thread.customer_name,
        mode=MODES[thread.mode],
        mode_epoch=thread.mode_epoch,
        last_seq=thread.last_seq,
        inbound_count=thread.inbound_count,
        last_message_time=(
            None if thread.last_message_time is None else timestamp(thread.last_message_time)
        ),
        create_time=timestamp(thread.create_time),
        version=thread.version,
        manual_until=None if thread.manual_until is None else timestamp(thread.manual_until),
        is_manual_kept=thread.is_manual_kept,
        handover=None if thread.handover is None else handover_to_proto(thread.handover),
        hold=None if thread.hold is None else hold_to_proto(thread.hold),
    )


def hold_to_proto(hold: Hold) -> v1.Hold:
    """Which person has a conversation, as the contract has it."""
    return v1.Hold(member_id=hold.member_id, since=timestamp(hold.since))


def author_to_proto(author: Author) -> v1.Author:
    """An author as the contract has it."""
    return v1.Author(kind=AUTHOR_KINDS[author.kind], id=author.id, display_name=author.display_name)


def failure_to_proto(failure: Failure) -> v1.DeliveryFailure:
    """A failure as the contract has it."""
    return v1.DeliveryFailure(
        reason=FAILURE_REASONS[failure.reason],
        platform_code=failure.platform_code,
        is_retryable=failure.is_retryable,
        may_have_arrived=failure.may_have_arrived,
    )


def receipt_to_proto(receipt: Receipt) -> v1.Receipt:
    """A receipt as the contract has it."""
    return v1.Receipt(
        id=receipt.id,
        message_id=receipt.message_id,
        attempt_number=receipt.attempt_number,
        delivery_status=STATUSES[receipt.status],
        source=RECEIPT_SOURCES[receipt.source],
        create_time=timestamp(receipt.create_time),
        platform_time=None if receipt.platform_time is None else timestamp(receipt.platform_time),
        platform_message_id=receipt.platform_message_id,
        failure=None if receipt.failure is None else failure_to_proto(receipt.failure),
        author=None if receipt.author is None else author_to_proto(receipt.author),
        answer_millis=receipt.answer_millis,
    )
