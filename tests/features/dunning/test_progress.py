"""Does a case of dunning take its steps as a hand would reckon them?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from billwright.features.dunning.rules.case import (
    CaseState,
    Declined,
    DueReduced,
    Finish,
    ManualRetry,
    MethodAdded,
    MethodRemoved,
    NotAttempted,
    Notify,
    Origin,
    PassOver,
    Paused,
    Restore,
    Restrict,
    Resumed,
    Retry,
    Settled,
    Settlement,
    TimePassed,
    Unsettled,
)
from billwright.features.dunning.rules.policy import (
    DunningPolicy,
    EntitlementEffect,
    EntitlementStep,
    FinalAction,
    HardDecline,
    LocalHours,
    NewMethodRetry,
    Notice,
)
from billwright.features.payment_providers.model import Decline
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from tests.features.dunning.cases import DAY, HOUR, MONDAY, QUIET, ZONE, Playing

SCHEDULED = Retry(Origin.SCHEDULED)


def changed(policy: DunningPolicy = QUIET, **members: object) -> DunningPolicy:
    return msgspec.structs.replace(policy, **members)


def declined_from_step_to_step(case: Playing, *, steps: int) -> None:
    """Take so many steps of the schedule, each declined at the instant at which it comes."""
    for _ in range(steps):
        at = case.due_at
        assert at is not None
        assert case.take(TimePassed(at=at)) == (SCHEDULED,)
        case.decline(at)


def test_every_wait_of_the_schedule_is_waited_for():
    """2 + 5 + 7 + 7 = 21 days: no wait is left out, and nothing ends before the last."""
    case = Playing()
    days = []
    for _ in range(4):
        at = case.due_at
        days.append((at - MONDAY).days)
        assert case.pass_to(at - timedelta(seconds=1)) == []
        assert case.take(TimePassed(at=at)) == (SCHEDULED,)
        effects = case.decline(at)
    assert days == [2, 7, 14, 21]
    assert effects == (Finish(FinalAction.CANCEL),)
    assert (case.case.state, case.case.step, case.case.attempts) == (CaseState.EXHAUSTED, 4, 5)
    assert case.due_at is None


def test_manual_retries_use_up_nothing():
    """Ten of them before the first step: the schedule is as it was, and all of it is still to come."""
    case, untouched = Playing(), Playing()
    for hour in range(1, 11):
        assert case.take(ManualRetry(at=MONDAY + hour * HOUR)) == (Retry(Origin.MANUAL),)
        assert case.decline(MONDAY + hour * HOUR) == ()
    assert (case.case.step, case.case.attempts) == (0, 11)
    assert case.case.next_step_at == untouched.case.next_step_at
    declined_from_step_to_step(case, steps=4)
    assert case.case.ended_at == MONDAY + 21 * DAY


def test_nothing_is_charged_after_a_cancellation():
    case = Playing()
    case.pass_to(MONDAY + DAY)
    assert case.take(Settled(at=MONDAY + DAY, by=Settlement.CANCELED)) == (Restore(),)
    assert case.case.state is CaseState.CANCELED
    assert case.pass_to(MONDAY + 90 * DAY) == []
    for event in (ManualRetry, MethodAdded):
        assert case.take(event(at=MONDAY + 91 * DAY)) == ()


def test_a_deleted_card_is_not_charged():
    case = Playing()
    case.take(MethodRemoved(at=MONDAY + HOUR))
    effects = case.pass_to(MONDAY + 90 * DAY)
    assert effects == [*(PassOver(step) for step in (1, 2, 3, 4)), Finish(FinalAction.CANCEL)]
    assert case.case.ended_at == MONDAY + 21 * DAY
    assert case.case.attempts == 1


def test_a_hard_decline_waits_for_another_method_and_then_goes_on_in_the_schedule():
    case = Playing()
    case.pass_to(MONDAY + 2 * DAY)
    case.decline(MONDAY + 2 * DAY, Decline.HARD)
    assert case.case.next_attempt_at is None
    assert case.case.next_step_at == MONDAY + 7 * DAY
    assert case.pass_to(MONDAY + 8 * DAY) == [PassOver(2)]
    assert case.take(MethodAdded(at=MONDAY + 9 * DAY)) == (Retry(Origin.NEW_METHOD),)
    case.decline(MONDAY + 9 * DAY)
    assert (case.case.step, case.case.next_attempt_at) == (2, MONDAY + 14 * DAY)


def test_a_hard_decline_may_be_treated_as_a_soft_one():
    case = Playing(changed(hard_decline=HardDecline.CONTINUE), decline=Decline.HARD)
    assert case.case.next_attempt_at == MONDAY + 2 * DAY
    assert Playing(decline=Decline.HARD).case.next_attempt_at is None


def test_a_new_method_may_wait_for_the_next_step():
    case = Playing(changed(retry_on_new_method=NewMethodRetry.AT_NEXT_STEP), decline=Decline.HARD)
    assert case.take(MethodAdded(at=MONDAY + DAY)) == ()
    assert case.take(TimePassed(at=MONDAY + 2 * DAY)) == (SCHEDULED,)


def test_a_new_method_is_not_blamed_for_the_attempt_that_was_under_way():
    """The last attempt with the old card is declined for good; the new one is tried before the end."""
    case = Playing()
    declined_from_step_to_step(case, steps=3)
    at = MONDAY + 21 * DAY
    assert case.pass_to(at) == [SCHEDULED]
    assert case.take(MethodAdded(at=at + HOUR)) == ()
    assert case.decline(at + 2 * HOUR, Decline.HARD) == (Retry(Origin.NEW_METHOD),)
    assert case.take(NotAttempted(at=at + 2 * HOUR)) == ()
    assert case.take(TimePassed(at=at + 3 * HOUR)) == (SCHEDULED,)
    assert case.decline(at + 3 * HOUR) == (Finish(FinalAction.CANCEL),)


def test_processing_and_unknown_advance_nothing_and_schedule_nothing():
    case = Playing(changed(notices=DunningPolicy().notices))
    at = MONDAY + 2 * DAY
    assert case.pass_to(at)[-1] == SCHEDULED
    assert case.take(Unsettled(at=at)) == ()
    assert (case.case.step, case.due_at) == (0, None)
    # A debit that comes back after five days is declined then: the next wait counts from there.
    case.decline(at + 5 * DAY)
    assert (case.case.step, case.case.next_step_at) == (1, at + 10 * DAY)


def test_what_was_never_sent_is_sent_again_soon_and_counts_for_nothing():
    case = Playing()
    at = MONDAY + 2 * DAY
    case.pass_to(at)
    assert case.take(NotAttempted(at=at)) == ()
    assert (case.case.step, case.case.attempts, case.due_at) == (0, 1, at + HOUR)
    assert case.take(TimePassed(at=at + HOUR)) == (SCHEDULED,)


def test_a_step_that_comes_due_while_somebody_else_pays_waits_anew():
    """A checkout by bank debit is under way from day 1 to day 4; the first wait is of two days."""
    case = Playing()
    case.take(Unsettled(at=MONDAY + DAY))
    assert case.case.under_way is Origin.CHECKOUT
    assert case.take(ManualRetry(at=MONDAY + DAY)) == ()
    assert case.pass_to(MONDAY + 3 * DAY) == []
    assert case.decline(MONDAY + 4 * DAY, Decline.HARD) == ()
    # The card on file was not asked: it stays chargeable.
    assert (case.case.step, case.case.next_attempt_at) == (0, MONDAY + 6 * DAY)


def test_success_restores_in_the_same_transition():
    case = Playing(DunningPolicy())
    effects = case.pass_to(MONDAY + 2 * DAY)
    assert effects[-1] == SCHEDULED
    assert case.take(Settled(at=MONDAY + 2 * DAY, by=Settlement.PAID)) == (Restore(),)
    assert (case.case.state, case.case.entitlement_index) == (CaseState.RECOVERED, 0)


@pytest.mark.parametrize(
    ("by", "state"),
    [
        (Settlement.PAID, CaseState.RECOVERED),
        (Settlement.VOIDED, CaseState.CANCELED),
        (Settlement.CREDITED, CaseState.CANCELED),
        (Settlement.WRITTEN_OFF, CaseState.WRITTEN_OFF),
    ],
)
def test_what_settles_the_debt_ends_it_at_once_and_for_good(by, state):
    case = Playing(DunningPolicy())
    assert case.take(Settled(at=MONDAY + HOUR, by=by)) == (Restore(),)
    assert (case.case.state, case.case.ended_at) == (state, MONDAY + HOUR)
    assert case.take(Settled(at=MONDAY + DAY, by=Settlement.PAID)) == ()
    assert case.take(Declined(at=MONDAY + DAY, decline=Decline.SOFT)) == ()


def test_an_exhausted_case_does_nothing_but_be_paid():
    case = Playing(changed(schedule=(), final_action=FinalAction.MARK_UNPAID))
    assert case.effects == (Finish(FinalAction.MARK_UNPAID),)
    assert case.take(MethodAdded(at=MONDAY + DAY)) == ()
    assert case.take(ManualRetry(at=MONDAY + DAY)) == ()
    assert case.take(Settled(at=MONDAY + DAY, by=Settlement.CANCELED)) == ()
    assert case.take(Settled(at=MONDAY + DAY, by=Settlement.PAID)) == (Restore(),)
    assert case.case.state is CaseState.RECOVERED


def test_what_is_left_below_the_minimum_is_let_go():
    case = Playing(changed(minimums={"EUR": Decimal("1.00")}))
    euro = currency_of("EUR")
    assert case.take(DueReduced(at=MONDAY + HOUR, due=Money(100, euro))) == ()
    assert case.take(DueReduced(at=MONDAY + HOUR, due=Money(99, euro))) == (Restore(),)


def test_grace_is_counted_from_past_due_alone():
    """An attempt is under way from day 2 on; day 7 and day 9 come nevertheless."""
    degrade = EntitlementStep(
        after=7 * DAY, effect=EntitlementEffect.DEGRADE, features=("exports",)
    )
    revoke = EntitlementStep(after=9 * DAY, effect=EntitlementEffect.REVOKE)
    case = Playing(changed(entitlement_steps=(degrade, revoke)))
    case.pass_to(MONDAY + 2 * DAY)
    case.take(Unsettled(at=MONDAY + 2 * DAY))
    assert case.due_at == MONDAY + 7 * DAY
    assert case.pass_to(MONDAY + 8 * DAY) == [Restrict(degrade)]
    assert case.decline(MONDAY + 8 * DAY) == ()
    assert case.pass_to(MONDAY + 9 * DAY) == [Restrict(revoke)]


def test_a_late_worker_takes_the_last_entitlement_step_alone():
    case = Playing(DunningPolicy())
    at = MONDAY + 30 * DAY
    restrict, retry = case.take(TimePassed(at=at))
    assert restrict == Restrict(DunningPolicy().entitlement_steps[-1])
    assert retry == SCHEDULED


def test_left_past_due_a_case_ends_with_its_last_entitlement_step():
    revoke = EntitlementStep(after=30 * DAY, effect=EntitlementEffect.REVOKE)
    case = Playing(changed(final_action=FinalAction.LEAVE_PAST_DUE, entitlement_steps=(revoke,)))
    declined_from_step_to_step(case, steps=4)
    assert (case.case.state, case.due_at) == (CaseState.OPEN, MONDAY + 30 * DAY)
    effects = case.pass_to(MONDAY + 30 * DAY)
    assert effects == [Restrict(revoke), Finish(FinalAction.LEAVE_PAST_DUE)]


def test_notices_come_around_each_step_and_no_letter_twice():
    case = Playing(changed(notices=DunningPolicy().notices))
    assert case.effects == (Notify(0, "payment_missing"),)
    assert case.pass_to(MONDAY + 2 * DAY) == [Notify(0, "reminder"), SCHEDULED]
    assert case.decline(MONDAY + 2 * DAY) == (Notify(1, "payment_missing"),)
    assert case.take(TimePassed(at=MONDAY + 2 * DAY)) == ()
    # The reminder of the second wait was due on day 6; late by an hour it is given once.
    assert case.take(TimePassed(at=MONDAY + 6 * DAY + HOUR)) == (Notify(1, "reminder"),)
    assert case.take(TimePassed(at=MONDAY + 6 * DAY + 2 * HOUR)) == ()


def test_of_the_notices_that_a_pause_held_back_the_last_is_given():
    letters = tuple(Notice(code=f"day_{day}", offset=day * DAY) for day in (1, 2, 3))
    case = Playing(changed(schedule=(10 * DAY,), notices=letters))
    case.take(Paused(at=MONDAY, until=MONDAY + 9 * DAY))
    assert case.due_at == MONDAY + 9 * DAY
    assert case.take(Resumed(at=MONDAY + 5 * DAY)) == (Notify(0, "day_3"),)
    assert case.due_at == MONDAY + 10 * DAY


def test_a_pause_holds_everything_back_until_it_ends():
    case = Playing(DunningPolicy())
    case.take(Paused(at=MONDAY, until=MONDAY + 15 * DAY))
    assert case.pass_to(MONDAY + 15 * DAY - HOUR) == []
    restrict, retry = case.pass_to(MONDAY + 15 * DAY)
    assert restrict.step.effect is EntitlementEffect.READ_ONLY
    assert retry == SCHEDULED


def test_a_case_grows_no_older_than_the_policy_says():
    case = Playing(changed(schedule=(2 * DAY, 3 * DAY), max_age=5 * DAY, notices=()))
    case.take(Paused(at=MONDAY, until=MONDAY + 4 * DAY))
    assert case.pass_to(MONDAY + 4 * DAY) == [SCHEDULED]
    assert case.take(TimePassed(at=MONDAY + 6 * DAY)) == ()
    assert case.decline(MONDAY + 6 * DAY) == (Finish(FinalAction.CANCEL),)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Clocks go forward on 2026-03-29: 48 hours after 16:30 it is 17:30, so the next morning.
        (datetime(2026, 3, 27, 15, 30, tzinfo=UTC), datetime(2026, 3, 30, 7, tzinfo=UTC)),
        # Clocks go back on 2026-10-25: 48 hours after 9:30 it is 8:30, so half an hour later.
        (datetime(2026, 10, 23, 7, 30, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        # 17 o'clock is the end of the day, a second before is not.
        (datetime(2026, 6, 1, 15, tzinfo=UTC), datetime(2026, 6, 4, 7, tzinfo=UTC)),
        (
            datetime(2026, 6, 1, 14, 59, 59, tzinfo=UTC),
            datetime(2026, 6, 3, 14, 59, 59, tzinfo=UTC),
        ),
        # Renewed at midnight, tried again at nine.
        (datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 3, 7, tzinfo=UTC)),
    ],
)
def test_attempts_fall_in_the_local_day(first, second):
    case = Playing(at=first, zone=ZONE)
    assert case.case.next_attempt_at == second


def test_a_late_worker_does_not_charge_at_night():
    case = Playing()
    night = MONDAY + 2 * DAY + 13 * HOUR
    assert case.take(TimePassed(at=night)) == ()
    morning = datetime(2026, 6, 4, 7, tzinfo=UTC)
    assert case.due_at == morning
    assert case.take(TimePassed(at=morning)) == (SCHEDULED,)


def test_a_day_that_a_zone_skipped_has_no_daytime():
    """Samoa had no 30 December 2011: after the evening of the 29th comes the morning of the 31st."""
    first = datetime(2011, 12, 29, 20, tzinfo=UTC)  # 10:00 there
    case = Playing(changed(schedule=(HOUR, 8 * HOUR)), at=first, zone="Pacific/Apia")
    assert case.case.next_step_at == first + HOUR
    case.pass_to(first + HOUR)
    case.decline(first + HOUR)
    # 19:00 on the 29th is too late; 9:00 on the 31st is 19:00 UTC of the day before.
    assert case.case.next_step_at == datetime(2011, 12, 30, 19, tzinfo=UTC)


def test_the_whole_day_moves_nothing():
    case = Playing(changed(local_hours=LocalHours(opens=0, closes=24)), at=MONDAY + 13 * HOUR)
    assert case.case.next_step_at == MONDAY + 13 * HOUR + 2 * DAY
