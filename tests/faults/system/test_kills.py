"""T1, T2 and T18 of the design: nothing is lost, doubled or out of order, whoever is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.system.storm import (
    Size,
    Storm,
    kill_every_kind,
    let_be,
    seed,
    size,
    storm,
    wipe_nats,
)

if TYPE_CHECKING:
    from tests.running_inbox import RunningInbox

pytestmark = pytest.mark.timeout(900)


def assert_nothing_went_wrong(found: Storm) -> None:
    assert found.verdict.is_clean, str(found)
    assert found.ledger.given_up == 0, str(found)
    assert not found.disagreements, str(found)
    assert sum(watcher.chain_breaks for watcher in found.watchers) == 0, str(found)


async def test_kills_of_every_process_lose_double_and_reorder_nothing(
    replicated_inbox: RunningInbox, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await storm(replicated_inbox, [kill_every_kind()], of=size(), with_seed=seed())

    with capsys.disabled():
        print(f"\nT1, T18 {found}")
    assert_nothing_went_wrong(found)
    assert found.sends_while_nats_was_away > 0, str(found)
    assert len(found.ledger.acknowledged) >= size().sends, str(found)


async def test_wiping_the_event_log_loses_nothing_and_invalidates_no_position(
    replicated_inbox: RunningInbox, capsys: pytest.CaptureFixture[str]
) -> None:
    of = Size(sends=size().sends // 2, faults=max(3, size().faults // 6), seconds_between_faults=4)

    found = await storm(replicated_inbox, [wipe_nats], of=of, with_seed=seed())

    with capsys.disabled():
        print(f"\nT2 {found}")
    assert_nothing_went_wrong(found)
    assert found.faults["nats store wiped"] >= 3, str(found)
    assert sum(watcher.resyncs for watcher in found.watchers) == 0, str(found)


async def test_a_client_that_forgets_its_request_id_is_caught_by_this_checker(
    replicated_inbox: RunningInbox,
) -> None:
    """The negative control: impatient clients repeat what was stored; only the key prevents two."""
    of = Size(sends=400, faults=1, seconds_between_faults=1)

    keeps = await storm(replicated_inbox, [let_be], of=of, with_seed=seed(), is_impatient=True)
    forgets = await storm(
        replicated_inbox,
        [let_be],
        of=of,
        with_seed=seed() + 1,
        is_impatient=True,
        fresh_id_for_each_try=True,
    )

    assert_nothing_went_wrong(keeps)
    assert keeps.ledger.replayed > 0, str(keeps)
    assert forgets.verdict.duplicated, str(forgets)
