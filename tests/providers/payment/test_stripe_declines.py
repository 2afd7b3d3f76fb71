"""Is another try with the same method only made where it can help?"""

from __future__ import annotations

import pytest

from billwright.features.payment_providers.model import Decline
from billwright.providers.payment.stripe.declines import decline_of, failure_code_of

# What Stripe does not retry by itself without another method:
# https://docs.stripe.com/billing/revenue-recovery/smart-retries#non-retryable-decline-codes
NOT_RETRIED_BY_STRIPE = """
    incorrect_number lost_card pickup_card stolen_card revocation_of_authorization
    revocation_of_all_authorizations authentication_required highest_risk_level
    transaction_not_allowed
""".split()
# Of these https://docs.stripe.com/declines/codes says to try again, to ask the bank, or nothing.
MAY_PASS = """
    approve_with_id call_issuer card_velocity_exceeded do_not_honor generic_decline
    insufficient_funds issuer_not_available no_action_taken processing_error reenter_transaction
    try_again_later withdrawal_count_limit_exceeded
""".split()
# Direct debits: https://docs.stripe.com/payments/sepa-debit (failure codes).
DEBITS_THAT_NEED_ANOTHER_ACCOUNT = """
    account_closed bank_account_restricted debit_not_authorized invalid_account_number
    recipient_deceased
""".split()


@pytest.mark.parametrize("code", NOT_RETRIED_BY_STRIPE)
def test_what_stripe_does_not_retry_is_not_retried(code):
    assert decline_of({"code": "card_declined", "decline_code": code}) is Decline.HARD


@pytest.mark.parametrize("code", MAY_PASS)
def test_what_may_pass_is_tried_again(code):
    assert decline_of({"code": "card_declined", "decline_code": code}) is Decline.SOFT


@pytest.mark.parametrize("code", DEBITS_THAT_NEED_ANOTHER_ACCOUNT)
def test_an_account_that_cannot_be_debited_is_not_tried_again(code):
    assert decline_of({"code": code}) is Decline.HARD


def test_the_advice_of_the_card_network_counts_for_more_than_the_code():
    declined = {"code": "card_declined", "decline_code": "generic_decline"}
    assert decline_of({**declined, "advice_code": "do_not_try_again"}) is Decline.HARD
    expired = {"code": "expired_card", "advice_code": "try_again_later"}
    assert decline_of(expired) is Decline.SOFT
    assert decline_of({**declined, "advice_code": "confirm_card_data"}) is Decline.SOFT


def test_the_most_precise_word_is_kept():
    assert failure_code_of({"code": "card_declined", "decline_code": "lost_card"}) == "lost_card"
    assert failure_code_of({"code": "expired_card"}) == "expired_card"
    assert failure_code_of({}) == "declined"
