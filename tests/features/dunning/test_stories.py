"""Is an unpaid invoice pursued as its policy says, from the decline to the end?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billwright.features.dunning.rules.policy import policy_of
from billwright.features.invoicing.events import InvoicePaid
from billwright.features.subscriptions.model import CancellationReason, SubscriptionState
from tests.features.dunning.pursuing import DUE, a_pursuit
from tests.features.payments.paying import DECLINED, SUCCEEDED, TOTAL, collect, pay, reserve

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LATER = datetime(2026, 2, 28, tzinfo=UTC)
"""Before the invoice of February is due."""


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


async def test_nobody_ever_pays(tenant, clock):
    """Attempts on 29 January at 0 o'clock in Berlin, and 2, 5, 7 and 7 days later at 9 (8 UTC)."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(LATER)
    steps = [(when, data["step"]) for when, data in await pursuit.told_of("dunning.step")]
    assert steps == [(at(1, 31, 8), 1), (at(2, 5, 8), 2), (at(2, 12, 8), 3), (at(2, 19, 8), 4)]
    assert len(pursuit.bank.collected) == 5

    access = [(w, data["effect"]) for w, data in await pursuit.told_of("dunning.access_changed")]
    # 14 and 21 days after 29 January, to the second and whatever the attempts did.
    assert access == [(DUE + 14 * DAY, "read_only"), (DUE + 21 * DAY, "revoke")]

    subscription, case = await pursuit.subscription(), await pursuit.case()
    assert subscription.state is SubscriptionState.CANCELED
    assert subscription.cancellation.reason is CancellationReason.PAYMENT_FAILED
    assert subscription.ended_at == at(2, 19, 8)
    assert (case.standing.state, case.standing.step, case.standing.attempts) == ("exhausted", 4, 5)
    assert case.due_at is None
    assert (await pursuit.invoice_now()).state == "open"
    [(when, data)] = await pursuit.told_of("dunning.exhausted")
    assert (when, data["action"]) == (at(2, 19, 8), "cancel")


async def test_each_notice_is_told_once_with_what_is_missing(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(LATER)
    notices = await pursuit.told_of("dunning.notice")
    # One after each decline, and one a day before each next attempt; none after the last.
    assert [(when, one["step"], one["code"], one["next_attempt_at"]) for when, one in notices] == [
        (DUE, 0, "payment_missing", "2026-01-31T08:00:00Z"),
        (at(1, 30, 8), 0, "reminder", "2026-01-31T08:00:00Z"),
        (at(1, 31, 8), 1, "payment_missing", "2026-02-05T08:00:00Z"),
        (at(2, 4, 8), 1, "reminder", "2026-02-05T08:00:00Z"),
        (at(2, 5, 8), 2, "payment_missing", "2026-02-12T08:00:00Z"),
        (at(2, 11, 8), 2, "reminder", "2026-02-12T08:00:00Z"),
        (at(2, 12, 8), 3, "payment_missing", "2026-02-19T08:00:00Z"),
        (at(2, 18, 8), 3, "reminder", "2026-02-19T08:00:00Z"),
    ]
    assert {(one["due_minor"], one["currency"]) for _, one in notices} == {(TOTAL, "EUR")}
    assert {one["invoice_number"] for _, one in notices} == {(await pursuit.invoice_now()).number}


async def test_a_payment_gives_everything_back_in_its_own_commit(tenant, clock, monkeypatch):
    """Nobody can read that it is paid while access is still withheld."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + 15 * DAY)
    assert (await pursuit.subscription()).past_due_at == DUE

    async def seen() -> tuple[str, str, str, str]:
        """What somebody else reads at this moment."""
        invoice, subscription = await pursuit.invoice_now(), await pursuit.subscription()
        case = await pursuit.case()
        return invoice.state, subscription.state, case.standing.state, await pursuit.access()

    seen_before_a_commit = set()
    write_outbox = tenant.database._outbox

    async def watched(connection, tx) -> None:
        await write_outbox(connection, tx)
        if any(isinstance(event, InvoicePaid) for _, _, event in tx.events):
            with monkeypatch.context() as unwatched:
                unwatched.setattr(tenant.database, "_outbox", write_outbox)
                seen_before_a_commit.add(await seen())

    monkeypatch.setattr(tenant.database, "_outbox", watched)
    await collect(tenant, await reserve(tenant, pay(pursuit.invoice)))
    assert seen_before_a_commit == {("open", "past_due", "open", "read_only")}
    assert await seen() == ("paid", "active", "recovered", "full")
    assert (await pursuit.subscription()).past_due_at is None
    assert len(await pursuit.told_of("dunning.recovered")) == 1


@pytest.mark.parametrize(
    ("action", "left"),
    [("mark_unpaid", ("unpaid", "none")), ("leave_past_due", ("past_due", "revoked"))],
)
async def test_an_exhausted_debt_is_settled_after_all(tenant, clock, action, left):
    policy = policy_of({"schedule": ["P2D"], "final_action": action})
    pursuit = await a_pursuit(tenant, clock, policy=policy)
    await pursuit.live_until(LATER)
    assert (await pursuit.case()).standing.state == "exhausted"
    assert ((await pursuit.subscription()).state, await pursuit.access()) == left

    await collect(tenant, await reserve(tenant, pay(pursuit.invoice)))
    assert (await pursuit.case()).standing.state == "recovered"
    assert ((await pursuit.subscription()).state, await pursuit.access()) == ("active", "full")


async def test_a_person_s_retry_neither_takes_a_step_nor_moves_one(tenant, clock):
    """Manual retries once inflated the count of failures, and dunning ended early."""
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(at(2, 1, 12))
    before = (await pursuit.case()).standing
    for _ in range(7):
        await pursuit.retry()
    case = (await pursuit.case()).standing
    assert (case.step, case.next_step_at) == (1, before.next_step_at)
    assert (before.attempts, case.attempts) == (2, 9)
    await pursuit.live_until(LATER)
    assert [when for when, _ in await pursuit.told_of("dunning.step")] == [
        at(1, 31, 8),
        at(2, 5, 8),
        at(2, 12, 8),
        at(2, 19, 8),
    ]


async def test_nothing_is_tried_after_a_cancellation(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(at(2, 6, 0))
    tried = len(pursuit.bank.collected)
    await pursuit.cancel()
    case = await pursuit.case()
    assert (case.standing.state, case.due_at) == ("canceled", None)
    await pursuit.live_until(LATER)
    assert len(pursuit.bank.collected) == tried == 3
    assert [data["state"] for _, data in await pursuit.told_of("dunning.ended")] == ["canceled"]


async def test_a_removed_card_is_not_tried(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(at(2, 1, 0))
    await pursuit.remove_card()
    await pursuit.live_until(LATER)
    assert len(pursuit.bank.collected) == 2
    steps = [(data["step"], data["attempted"]) for _, data in await pursuit.told_of("dunning.step")]
    assert steps == [(1, True), (2, False), (3, False), (4, False)]
    assert (await pursuit.subscription()).state == "canceled"


async def test_without_a_card_it_is_pursued_from_the_day_after(tenant, clock):
    """The whole of 29 January is for the payer; then everything but attempts."""
    pursuit = await a_pursuit(tenant, clock, has_card=False)
    await pursuit.live_until(DUE + 24 * HOUR - timedelta(seconds=1))
    assert await pursuit.cases() == []
    await pursuit.live_until(DUE + 24 * HOUR)
    case = (await pursuit.case()).standing
    assert (case.opened_at, case.attempts, case.chargeable) == (DUE + DAY, 0, False)
    assert (await pursuit.subscription()).state == "past_due"
    [(_, notice)] = await pursuit.told_of("dunning.notice")
    assert (notice["code"], notice["next_attempt_at"]) == ("payment_missing", None)
    await pursuit.live_until(LATER)
    assert pursuit.bank.collected == []
    assert (await pursuit.subscription()).state == "canceled"


async def test_a_year_of_declines_and_payments_holds_together(tenant, clock):
    """Every invoice is declined once and paid at the next step."""
    pursuit = await a_pursuit(tenant, clock)
    pursuit.bank.script = [DECLINED, SUCCEEDED] * 11
    await pursuit.live_until(at(12, 3, 0))
    cases = await pursuit.cases()
    assert {case.standing.state for case in cases} == {"recovered"}
    assert len(cases) == 11
    assert (await pursuit.subscription()).state == "active"
    assert {case.debt.state for case in cases} == {"paid"}
