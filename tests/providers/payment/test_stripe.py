"""Are Stripe's amounts, declines, pages and events understood as Stripe means them?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    EventKind,
    MethodKind,
)
from billwright.kernel.currency import CURRENCIES
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from billwright.providers.payment.stripe.amounts import money_of, stripe_amount
from billwright.providers.payment.stripe.callbacks import SUBSCRIBED_EVENTS
from billwright.providers.payment.stripe.declines import decline_of
from billwright.providers.payment.stripe.objects import saved_method_of
from tests.providers.conformance.rigs import (
    SECRETS,
    TENANT,
    FakeStripeRig,
    LocalStripeRig,
    money,
    rigged,
    saved,
    to_check_out,
    to_collect,
)
from tests.providers.fake_stripe import payment_method
from tests.providers.fake_stripe_server import fake_stripe
from tests.providers.local_stripe import callbacks_of, local_stripe

DOCS = Path(__file__).parents[3] / "docs" / "payments.md"


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[FakeStripeRig]:
    async with fake_stripe() as server:
        yield FakeStripeRig(server)


def read(rig: FakeStripeRig, body: bytes):
    headers = rig.sign(body, secret=SECRETS[0], at=rig.now)
    return rig.provider.read_callback(headers, body, now=rig.now)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (4629, "EUR", 4629),
        (500, "JPY", 500),
        (5, "ISK", 500),  # whole, but written with two digits
        (5, "UGX", 500),
        (500, "MGA", 5),  # ISO has two digits, Stripe none
        (550, "MGA", None),
        (5120, "KWD", 5120),  # the last of three digits is zero
        (5124, "KWD", None),
        (5120, "IQD", None),  # not among Stripe's
        (100, "CLF", None),
    ],
)
def test_an_amount_in_stripes_units(amount_minor, currency, expected):
    assert stripe_amount(money(amount_minor, currency)) == expected


@given(
    amount_minor=st.integers(min_value=1, max_value=10**12),
    code=st.sampled_from(sorted(CURRENCIES)),
)
def test_what_stripe_can_move_comes_back_as_it_was(amount_minor, code):
    asked = Money(amount_minor, CURRENCIES[code])
    amount = stripe_amount(asked)
    assert amount is None or money_of(amount, code.lower()) == asked


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, Decline.SOFT),
        ({"code": "card_declined", "decline_code": "lost_card"}, Decline.HARD),
        ({"code": "expired_card"}, Decline.HARD),
        ({"code": "something_new"}, Decline.SOFT),
        ({"decline_code": "generic_decline", "advice_code": "do_not_try_again"}, Decline.HARD),
        ({"decline_code": "lost_card", "advice_code": "try_again_later"}, Decline.SOFT),
        ({"decline_code": "lost_card", "advice_code": "confirm_card_data"}, Decline.HARD),
    ],
)
def test_whether_another_try_can_help(error, expected):
    assert decline_of(error) is expected


def test_what_may_be_shown_of_a_method():
    card = saved_method_of(payment_method("pm_visa"))
    assert (card.label, card.kind) == ("Visa •••• 4242", MethodKind.CARD)
    assert card.expires_on == date(2028, 2, 29)
    bank = saved_method_of(payment_method("pm_sepa"))
    assert (bank.label, bank.kind, bank.expires_on) == (
        "SEPA •••• 3000",
        MethodKind.SEPA_DEBIT,
        None,
    )
    link = saved_method_of({"id": "pm_1", "type": "us_bank_account", "customer": None})
    assert (link.label, link.kind) == ("Us Bank Account", MethodKind.OTHER)


async def test_a_payer_who_is_away_cannot_authenticate(rig):
    answer = await rig.provider.collect(to_collect(rig, "action"))
    assert (answer.state, answer.failure_code, answer.decline) == (
        AttemptState.DECLINED,
        "authentication_required",
        Decline.HARD,
    )


@pytest.mark.parametrize(
    ("method", "failure_code"),
    [(None, "payment_method_missing"), (saved("pm_missing"), "resource_missing")],
)
async def test_no_method_is_a_decline_for_good(rig, method, failure_code):
    answer = await rig.provider.collect(to_collect(rig, saved_method=method))
    assert (answer.state, answer.failure_code) == (AttemptState.DECLINED, failure_code)
    assert answer.decline is Decline.HARD
    assert rig.server.stripe.taken == 0


async def test_everything_that_is_made_says_whose_it_is(rig):
    request = to_collect(rig)
    await rig.provider.collect(request)
    await rig.provider.open_checkout(to_check_out(rig))
    [intent] = rig.server.stripe.of("payment_intent")
    assert intent["metadata"] == {
        "provider_key": request.provider_key,
        "invoice_number": "INV-2026-00001",
        "tenant_id": str(TENANT),
        "flow": "collect",
    }
    posts = [each for each in rig.server.stripe.requests if each[0] == "POST"]
    assert len(posts) == 2
    assert all(key for _, _, key in posts)


async def test_a_decline_on_a_page_is_not_the_end(rig):
    """The payer may take another card, so that a new attempt now could charge twice."""
    request = to_check_out(rig)
    page = await rig.provider.open_checkout(request)
    rig.server.stripe.pay_page(page.reference, "pm_declined_insufficient_funds")
    [told] = [read(rig, body) for body in rig.happened()]
    found = await rig.provider.find(request.provider_key)
    for answer in (told.answer, found):
        assert (answer.state, answer.failure_code) == (
            AttemptState.REQUIRES_ACTION,
            "insufficient_funds",
        )
    rig.server.stripe.pay_page(page.reference)
    found = await rig.provider.find(request.provider_key)
    assert found.state is AttemptState.SUCCEEDED
    assert rig.server.stripe.taken == 4629


async def test_a_decline_on_a_page_is_the_end_with_the_page(rig):
    request = to_check_out(rig)
    page = await rig.provider.open_checkout(request)
    rig.server.stripe.pay_page(page.reference, "pm_declined_insufficient_funds")
    await rig.provider.withdraw(page.reference)
    found = await rig.provider.find(request.provider_key)
    assert (found.state, found.failure_code) == (AttemptState.DECLINED, "insufficient_funds")
    told = read(rig, rig.happened()[-1])
    assert (told.answer.state, told.reference) == (AttemptState.DECLINED, page.reference)


async def test_a_direct_debit_on_a_page_that_comes_back_days_later(rig):
    request = to_check_out(rig)
    page = await rig.provider.open_checkout(request)
    rig.server.stripe.pay_page(page.reference, "pm_sepa")
    assert not await rig.provider.withdraw(page.reference)
    answer = await rig.provider.look_up(page.reference)
    assert answer.state is AttemptState.PROCESSING
    rig.happened()
    rig.server.stripe.settle(answer.provider_reference, failure="insufficient_funds")
    told = [read(rig, body) for body in rig.happened()]
    assert told[-1].type == "checkout.session.async_payment_failed"
    assert told[-1].answer.state is AttemptState.DECLINED
    found = await rig.provider.find(request.provider_key)
    assert (found.state, found.failure_code) == (AttemptState.DECLINED, "insufficient_funds")


async def test_authentication_on_session_then_success(rig):
    request = to_collect(rig, "action", on_session=True, return_url="https://seller.example/b")
    answer = await rig.provider.collect(request)
    rig.server.stripe.authenticate(answer.provider_reference)
    found = await rig.provider.look_up(answer.provider_reference)
    assert (found.state, found.amount) == (AttemptState.SUCCEEDED, request.amount)
    assert found.saved_method is not None


async def test_a_page_is_not_opened_for_a_time_that_stripe_does_not_offer(rig):
    with pytest.raises(Refusal) as refusal:
        await rig.provider.open_checkout(to_check_out(rig, expires_at=rig.now))
    assert refusal.value.code == "checkout_refused"


async def test_the_books_are_read_page_by_page(rig):
    requests = [to_collect(rig) for _ in range(3)]
    first = await rig.provider.collect(requests[0])
    for _ in range(205):
        rig.server.stripe._intent({"amount": 1, "currency": "eur"})
    rig.server.stripe.search_lags = True
    found = await rig.provider.find(requests[0].provider_key)
    assert found.provider_reference == first.provider_reference
    lists = [path for _, path, _ in rig.server.stripe.requests if path.endswith("intents")]
    assert len(lists) == 1 + 3  # one POST, three pages of a hundred


async def test_a_dispute_names_its_payment(rig):
    paid = await rig.provider.collect(to_collect(rig))
    rig.happened()
    rig.server.stripe.dispute(paid.provider_reference)
    [event] = [read(rig, body) for body in rig.happened()]
    assert event.kind is EventKind.DISPUTE
    assert event.dispute.payment_reference == paid.provider_reference
    assert (event.dispute.state, event.dispute.amount) == (DisputeState.OPEN, money(4629))
    assert event.dispute.respond_by is not None


@pytest.mark.parametrize(
    ("event_type", "thing", "removed"),
    [
        ("payment_method.detached", {**payment_method("pm_visa"), "customer": None}, True),
        ("payment_method.automatically_updated", payment_method("pm_visa"), False),
        ("mandate.updated", {"status": "inactive", "payment_method": "pm_visa"}, True),
        ("mandate.updated", {"status": "active", "payment_method": "pm_visa"}, False),
    ],
)
async def test_what_becomes_of_a_saved_method(rig, event_type, thing, removed):
    event = read(rig, json.dumps(rig.server.stripe.event(event_type, thing)).encode())
    assert (event.kind, event.reference) == (EventKind.METHOD, "pm_visa")
    assert event.method_removed is removed


async def test_a_callback_of_somebody_elses_program_is_understood(rig):
    """localstripe signs and writes events by its own reading of the documentation."""
    with local_stripe() as url:
        local = LocalStripeRig(url)
        await local.prepare(url)
        await local.provider.collect(to_collect(local))
        [(headers, body)] = await callbacks_of(url, secret=SECRETS[1], count=1)
        event = local.provider.read_callback(headers, body, now=local.now)
    assert (event.type, event.kind) == ("payment_intent.succeeded", EventKind.PAYMENT)
    assert (event.answer.state, event.answer.amount) == (AttemptState.SUCCEEDED, money())
    assert event.tenant_id == TENANT


async def test_localstripe_declines_and_wants_authentication():
    async with rigged("stripe-localstripe") as local:
        declined = await local.provider.collect(to_collect(local, "soft"))
        assert (declined.state, declined.decline) == (AttemptState.DECLINED, Decline.SOFT)
        waiting = await local.provider.collect(to_collect(local, "action", on_session=True))
        assert waiting.state is AttemptState.REQUIRES_ACTION
        found = await local.provider.look_up(waiting.provider_reference)
        assert found.state is AttemptState.REQUIRES_ACTION


def test_the_documentation_names_every_event_to_subscribe_to():
    text = DOCS.read_text()
    assert [each for each in sorted(SUBSCRIBED_EVENTS) if f"`{each}`" not in text] == []
