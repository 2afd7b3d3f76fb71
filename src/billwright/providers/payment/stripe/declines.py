"""Can asking the same card or bank account again help?

Stripe's own advice decides where it comes with the answer; otherwise the code does. Hard are the codes
that Stripe itself does not retry without another method
(https://docs.stripe.com/billing/revenue-recovery/smart-retries#non-retryable-decline-codes), and those of
which it says that the payer needs another method or has to do something
(https://docs.stripe.com/declines/codes, https://docs.stripe.com/error-codes). What is in none of the
lists, such as `insufficient_funds`, `do_not_honor` and `generic_decline`, may pass.
"""

from __future__ import annotations

from typing import Any

from billwright.features.payment_providers.model import Decline

_GONE = """
    account_closed bank_account_closed bank_account_restricted branch_does_not_exist
    incorrect_account_holder_name incorrect_number invalid_account invalid_account_number
    invalid_expiry_month invalid_expiry_year invalid_number expired_card lost_card stolen_card
    new_account_information_available no_account recipient_deceased restricted_card pickup_card
    resource_missing payment_method_missing
"""
_FORBIDDEN = """
    card_not_supported currency_not_supported debit_authorization_not_match debit_not_authorized
    do_not_try_again fraudulent highest_risk_level merchant_blacklist
    mobile_device_authentication_required pin_try_exceeded testmode_decline
    not_permitted payment_method_not_available revocation_of_all_authorizations
    revocation_of_authorization security_violation service_not_allowed stop_payment_order
    transaction_not_allowed
"""
# Only the payer can do what is missing.
_PAYER_NEEDED = """
    authentication_not_handled authentication_required incorrect_cvc invalid_cvc incorrect_zip
    incorrect_address offline_pin_required online_or_offline_pin_required
    payment_intent_authentication_failure payment_method_customer_decline
    setup_intent_authentication_failure
"""
HARD_CODES = frozenset(f"{_GONE} {_FORBIDDEN} {_PAYER_NEEDED}".split())

_ADVICE = {"do_not_try_again": Decline.HARD, "try_again_later": Decline.SOFT}


def failure_code_of(error: dict[str, Any]) -> str:
    """The most precise word of a payment error."""
    return str(error.get("decline_code") or error.get("code") or "declined")


def decline_of(error: dict[str, Any]) -> Decline:
    """What a payment error says of another try."""
    advised = _ADVICE.get(str(error.get("advice_code")))
    if advised is not None:
        return advised
    return Decline.HARD if failure_code_of(error) in HARD_CODES else Decline.SOFT
