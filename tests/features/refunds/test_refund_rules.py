"""Do the bounds of refunds hold, and do their ranks forget in which order news came?"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.payment_providers.model import AttemptState, DisputeState
from billwright.features.payments.model import PaymentId
from billwright.features.refunds.model import Refund, RefundOrigin, RefundState
from billwright.features.refunds.rules import dispute_rank
from billwright.features.refunds.rules.new_refund import new_refund
from billwright.features.refunds.rules.refund_rank import (
    NEVER_SENT,
    is_a_persons,
    refund_state_of,
    supersedes,
)
from billwright.features.refunds.rules.refundable import (
    PaymentMoney,
    shares_of_refund,
    still_to_refund_minor,
)
from tests.conftest import NOON
from tests.features.refunds.refunding import euros


def money(captured: int, unapplied: int = 0, **gone: int) -> PaymentMoney:
    return PaymentMoney(
        payment_id=uuid4(),
        account_id=uuid4(),
        provider="bank",
        captured_minor=captured,
        unapplied_minor=unapplied,
        **gone,
    )


@st.composite
def moneys(draw: st.DrawFn) -> PaymentMoney:
    """Money of which any part went back, by us within the bounds, past us in any amount."""
    captured = draw(st.integers(1, 10_000))
    unapplied = draw(st.integers(0, captured))
    return money(
        captured,
        unapplied,
        for_notes_minor=draw(st.integers(0, captured - unapplied)),
        from_credit_minor=draw(st.integers(0, unapplied)),
        by_provider_minor=draw(st.integers(0, captured)),
        disputed_minor=draw(st.integers(0, captured)),
    )


@given(moneys())
def test_what_is_left_and_what_is_gone_are_what_has_come(one):
    gone = one.for_notes_minor + one.from_credit_minor + one.by_provider_minor + one.disputed_minor
    left = one.applied_left_minor + one.unapplied_left_minor
    assert left == max(one.captured_minor - gone, 0)
    assert one.applied_left_minor <= one.captured_minor - one.unapplied_minor
    assert one.unapplied_left_minor <= one.unapplied_minor


@given(st.lists(moneys(), max_size=4), st.integers(0, 20_000))
def test_shares_stay_within_each_payment_and_use_the_first_ones_up(payments, amount):
    shares = dict(shares_of_refund(amount, payments))
    assert sum(shares.values()) == min(amount, sum(each.applied_left_minor for each in payments))
    assert all(shares.values())
    for one in payments:
        assert shares.get(one.payment_id, 0) <= one.applied_left_minor
    behind = [each for each in payments if shares.get(each.payment_id, 0) < each.applied_left_minor]
    if behind:
        rest = payments[payments.index(behind[0]) + 1 :]
        assert not any(one.payment_id in shares for one in rest)


@given(
    st.lists(st.integers(1, 5_000), min_size=1, max_size=5),
    st.integers(0, 10_000),
)
def test_notes_never_send_more_than_they_promise(promises, by_provider):
    one = money(10_000, by_provider_minor=by_provider)
    promised = 0
    for promise in promises:
        promised += promise
        sent = still_to_refund_minor(promise, promised_minor=promised, payments=[one])
        sent = sum(share for _, share in shares_of_refund(sent, [one]))
        one = replace(one, for_notes_minor=one.for_notes_minor + sent)
        assert one.for_notes_minor <= promised
        # What the provider sent was for the notes first: nothing is sent a second time.
        assert one.for_notes_minor + by_provider <= max(promised, by_provider)


def a_refund(state: RefundState = RefundState.CREATED, provider: str = "bank") -> Refund:
    refund = new_refund(
        PaymentId(uuid4()),
        account_id=uuid4(),
        provider=provider,
        amount=euros(100),
        origin=RefundOrigin.REQUESTED,
        credit_note_id=None,
        reason="outage",
        machine_now=NOON,
    )
    return replace(refund, state=state)


def told(refund: Refund, answer: AttemptState) -> Refund:
    if not supersedes(answer, known=refund):
        return refund
    never_sent = answer is AttemptState.NOT_ATTEMPTED
    return replace(
        refund, state=refund_state_of(answer), failure_code=NEVER_SENT if never_sent else None
    )


news = st.lists(st.sampled_from(list(AttemptState)), max_size=8)


@given(news.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told + told))))
def test_any_order_and_repetition_of_news_ends_the_same(orders):
    ends = set()
    for order in orders:
        refund = a_refund()
        for answer in order:
            refund = told(refund, answer)
        ends.add((refund.state, refund.failure_code))
    assert len(ends) == 1


def test_a_bank_may_return_what_it_was_sent_and_news_may_correct_a_conclusion():
    sent = told(a_refund(), AttemptState.SUCCEEDED)
    assert told(sent, AttemptState.DECLINED).state is RefundState.FAILED
    concluded = told(a_refund(), AttemptState.NOT_ATTEMPTED)
    assert concluded.state is RefundState.FAILED
    assert told(concluded, AttemptState.SUCCEEDED).state is RefundState.SUCCEEDED
    assert told(sent, AttemptState.NOT_ATTEMPTED) is sent


@given(
    st.lists(st.sampled_from(list(DisputeState)), min_size=1).flatmap(
        lambda told: st.tuples(st.just(told), st.permutations(told + told))
    )
)
def test_disputes_end_the_same_in_any_order(orders):
    ends = set()
    for order in orders:
        state = DisputeState.OPEN
        for news in order:
            state = news if dispute_rank.supersedes(news, known=state) else state
        ends.add(state)
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("refund", "expected"),
    [
        (a_refund(), False),
        (a_refund(provider="manual"), True),
        (a_refund(RefundState.SUCCEEDED, "manual"), False),
        (a_refund(RefundState.UNKNOWN), False),
        (replace(a_refund(RefundState.UNKNOWN), next_check_at=None), True),
        (replace(a_refund(RefundState.PROCESSING), next_check_at=None), True),
        (replace(a_refund(RefundState.FAILED), next_check_at=None), False),
    ],
)
def test_a_person_is_asked_only_where_nobody_else_can_tell(refund, expected):
    assert is_a_persons(refund) is expected
