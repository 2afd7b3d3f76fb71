"""Are answers ranked, checks scheduled and amounts applied as they should?"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.invoicing.model import InvoiceState
from billwright.features.invoicing.rules.collect_at import first_collection, overdue_from
from billwright.features.payment_providers.model import AttemptState
from billwright.features.payments.model import Channel, PaymentState
from billwright.features.payments.rules.application import applicable_minor
from billwright.features.payments.rules.attempt_rank import payment_state_of, supersedes
from billwright.features.payments.rules.due_invoice import DueStep, due_step
from billwright.features.payments.rules.next_check import next_check_at

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def after(answers: list[AttemptState]) -> AttemptState:
    state = AttemptState.CREATED
    for answer in answers:
        state = answer if supersedes(answer, known=state) else state
    return state


@given(
    st.lists(st.sampled_from(AttemptState)).flatmap(
        lambda a: st.tuples(st.just(a), st.permutations(a))
    )
)
def test_the_order_of_answers_does_not_matter(both):
    answers, shuffled = both
    assert after(answers) is after(shuffled) is after(answers + shuffled)


def test_success_is_never_taken_back_and_a_timeout_is_never_a_no():
    assert not any(supersedes(answer, known=AttemptState.SUCCEEDED) for answer in AttemptState)
    assert supersedes(AttemptState.SUCCEEDED, known=AttemptState.DECLINED)
    assert not supersedes(AttemptState.UNKNOWN, known=AttemptState.PROCESSING)


def test_an_outcome_is_looked_for_less_and_less_often_for_a_week():
    times, now = [], START
    while (at := next_check_at(START, now=now)) is not None:
        times.append(at - START)
        now = at
    assert times == [
        *(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720)),
        *(timedelta(days=days) for days in range(1, 8)),
    ]


@pytest.mark.parametrize("state", list(InvoiceState))
def test_only_a_payable_invoice_takes_money_and_no_more_than_is_due(state):
    invoice = SimpleNamespace(state=state, due_minor=500)
    owed = state in {InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID, InvoiceState.UNCOLLECTIBLE}
    assert applicable_minor(400, invoice) == (400 if owed else 0)
    assert applicable_minor(600, invoice) == (500 if owed else 0)


@pytest.mark.parametrize(
    ("state", "channel", "failure_code", "payment"),
    [
        (AttemptState.UNKNOWN, Channel.COLLECT, None, PaymentState.PENDING),
        (AttemptState.REQUIRES_ACTION, Channel.PAGE, None, PaymentState.PENDING),
        (AttemptState.DECLINED, Channel.PAGE, None, PaymentState.FAILED),
        (AttemptState.NOT_ATTEMPTED, Channel.COLLECT, None, PaymentState.FAILED),
        (AttemptState.NOT_ATTEMPTED, Channel.COLLECT, "no_longer_due", PaymentState.CANCELED),
        (AttemptState.NOT_ATTEMPTED, Channel.PAGE, None, PaymentState.CANCELED),
        (AttemptState.SUCCEEDED, Channel.PAGE, None, PaymentState.SUCCEEDED),
    ],
)
def test_what_an_attempt_makes_of_its_payment(state, channel, failure_code, payment):
    attempt = SimpleNamespace(state=state, channel=channel, failure_code=failure_code)
    assert payment_state_of(attempt) is payment


def test_what_the_payer_has_confirmed_never_waits_for_them_again():
    assert supersedes(AttemptState.PROCESSING, known=AttemptState.REQUIRES_ACTION)


def test_every_state_is_ranked_once():
    for one, other in itertools.permutations(AttemptState, 2):
        assert supersedes(one, known=other) is not supersedes(other, known=one)


BERLIN = {"due_on": date(2026, 3, 29), "zone": "Europe/Berlin"}
LAST_DAY = datetime(2026, 3, 28, 23, tzinfo=UTC)
# Clocks go forward on that day, so that it has 23 hours.
DAY_AFTER = datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_the_last_day_to_pay_is_that_of_the_seller_s_zone():
    assert first_collection(**BERLIN, issued_at=START) == LAST_DAY
    assert first_collection(**BERLIN, issued_at=DAY_AFTER) == DAY_AFTER
    assert overdue_from(**BERLIN) == DAY_AFTER


@pytest.mark.parametrize(
    ("live", "has_method", "now", "step"),
    [
        (None, True, LAST_DAY, DueStep.COLLECT),
        (None, False, LAST_DAY, DueStep.LEAVE_TO_PAYER),
        (None, False, DAY_AFTER, DueStep.OVERDUE),
        (AttemptState.REQUIRES_ACTION, True, LAST_DAY, DueStep.MAKE_WAY),
        (AttemptState.REQUIRES_ACTION, False, DAY_AFTER, DueStep.OVERDUE),
        (AttemptState.PROCESSING, True, LAST_DAY, DueStep.LOOK_AGAIN),
        (AttemptState.UNKNOWN, False, DAY_AFTER, DueStep.LOOK_AGAIN),
    ],
)
def test_what_is_done_about_a_due_invoice(live, has_method, now, step):
    attempt = None if live is None else SimpleNamespace(state=live)
    assert due_step(SimpleNamespace(**BERLIN), live=attempt, has_method=has_method, now=now) is step
