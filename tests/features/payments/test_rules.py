"""Are answers ranked, checks scheduled and amounts applied as they should?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.invoicing.model import InvoiceState
from billwright.features.payments.model import AttemptState, PaymentState
from billwright.features.payments.rules.application import applicable_minor
from billwright.features.payments.rules.attempt_rank import payment_state_of, supersedes
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
    assert payment_state_of(AttemptState.UNKNOWN) is PaymentState.PENDING
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
    payable = state in {InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID}
    assert applicable_minor(400, invoice) == (400 if payable else 0)
    assert applicable_minor(600, invoice) == (500 if payable else 0)
