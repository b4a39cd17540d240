"""Who answers: takeovers, handovers, the pin, and the AI that resumes by itself.

A thread that goes from the AI to people is *armed*: it has a `manual_until`, which every message of
a person sets anew (`model.thread.next_resume`). One that began in manual mode never is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.messaging.model.faults import ModeEpochStale
from services.messaging.model.handover import Handover
from services.messaging.model.thread import (
    ConversationMode,
    Thread,
    next_hold,
    refuse_unless_ai_may_write,
    refuse_unless_person_may_write,
)

NEVER = timedelta(0)
"""As a setting: people keep what they took over until somebody hands it back."""


def switched(
    thread: Thread,
    mode: ConversationMode,
    *,
    expected_mode_epoch: int,
    keep_manual: bool,
    resume_ai_after: timedelta,
    at: datetime,
    member_id: str = "",
) -> Thread:
    """The thread in that mode; the same thread when nothing changes. 0 expects no epoch.

    The member who takes it over has it from then on, also what a colleague had; whoever takes over
    what waits for a person, and is in manual mode already, ends the waiting.
    Raises: ModeEpochStale.
    """
    _refuse_unless_expected(thread, expected_mode_epoch)
    if mode is ConversationMode.AI:
        return thread if thread.mode is mode else _in_ai_mode(thread)
    if thread.mode is not mode:
        thread = _in_manual_mode(thread, resume_ai_after=resume_ai_after, at=at)
        thread = _held(thread, member_id, at)
        return _pinned(thread) if keep_manual else thread
    after = thread if thread.handover is None else replace(thread, handover=None)
    after = _held(after, member_id, at)
    if keep_manual and not thread.is_manual_kept:
        after = _pinned(after)
    return after if after is thread else replace(after, version=thread.version + 1)


def handed_over(
    thread: Thread, handover: Handover, *, mode_epoch: int, resume_ai_after: timedelta
) -> Thread:
    """The thread waiting for a person; only the AI that has it may give it away (invariant I15).

    Raises: ConversationInManualMode, ModeEpochStale.
    """
    refuse_unless_ai_may_write(thread, mode_epoch)
    after = _in_manual_mode(thread, resume_ai_after=resume_ai_after, at=handover.create_time)
    return replace(after, handover=handover)


def kept(thread: Thread, *, is_kept: bool, expected_mode_epoch: int, at: datetime) -> Thread:
    """The thread with or without the pin; the same thread when it is so already.

    Without the pin the time begins anew, if the AI ever had the conversation.
    Raises: ConversationInAiMode, ModeEpochStale.
    """
    _refuse_unless_expected(thread, expected_mode_epoch)
    refuse_unless_person_may_write(thread)
    if thread.is_manual_kept is is_kept:
        return thread
    if is_kept:
        return replace(_pinned(thread), version=thread.version + 1)
    until = None if thread.resume_ai_after is None else at + thread.resume_ai_after
    return replace(thread, is_manual_kept=False, manual_until=until, version=thread.version + 1)


def resumed(thread: Thread, *, at: datetime) -> Thread:
    """The thread back with the AI; the same thread while its time has not come."""
    if thread.manual_until is None or at < thread.manual_until:
        return thread
    return _in_ai_mode(thread)


def _in_manual_mode(thread: Thread, *, resume_ai_after: timedelta, at: datetime) -> Thread:
    is_armed = resume_ai_after > NEVER
    return replace(
        thread,
        mode=ConversationMode.MANUAL,
        mode_epoch=thread.mode_epoch + 1,
        manual_until=at + resume_ai_after if is_armed else None,
        resume_ai_after=resume_ai_after if is_armed else None,
        version=thread.version + 1,
    )


def _in_ai_mode(thread: Thread) -> Thread:
    return replace(
        thread,
        mode=ConversationMode.AI,
        mode_epoch=thread.mode_epoch + 1,
        manual_until=None,
        resume_ai_after=None,
        is_manual_kept=False,
        handover=None,
        hold=None,
        version=thread.version + 1,
    )


def _held(thread: Thread, member_id: str, at: datetime) -> Thread:
    hold = next_hold(thread, member_id, at) if member_id else thread.hold
    return thread if hold == thread.hold else replace(thread, hold=hold)


def _pinned(thread: Thread) -> Thread:
    return replace(thread, is_manual_kept=True, manual_until=None)


def _refuse_unless_expected(thread: Thread, expected_mode_epoch: int) -> None:
    if expected_mode_epoch and expected_mode_epoch != thread.mode_epoch:
        raise ModeEpochStale(
            conversation_id=thread.conversation_id,
            given_mode_epoch=expected_mode_epoch,
            present_mode_epoch=thread.mode_epoch,
        )
