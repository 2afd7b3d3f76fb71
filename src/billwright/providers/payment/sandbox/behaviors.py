"""What does the sandbox do with an amount and a method?

A method's reference decides, else the amount's last four digits do; whatever is not magic is paid. The
README lists them all.
"""

from __future__ import annotations

from enum import StrEnum

from billwright.features.payment_providers.model import Decline
from billwright.features.payment_providers.port import SavedMethod
from billwright.kernel.money import Money


class Behavior(StrEnum):
    """Each is also a method's reference, after `sandbox_`."""

    PAID = "paid"
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    REQUIRES_ACTION = "requires_action"
    UNAVAILABLE = "unavailable"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    SLOW = "slow"
    SLOW_DECLINED = "slow_declined"
    DISPUTED = "disputed"
    WRONG_AMOUNT = "wrong_amount"


METHOD_PREFIX = "sandbox_"

# 40.01 EUR, 140.01 EUR and 4001 JPY all end like this; an ordinary price hardly ever does.
BY_LAST_DIGITS = {
    4000 + number: behavior
    for number, behavior in enumerate(
        (
            Behavior.DECLINED,
            Behavior.INSUFFICIENT_FUNDS,
            Behavior.EXPIRED_CARD,
            Behavior.REQUIRES_ACTION,
            Behavior.UNAVAILABLE,
            Behavior.TIMEOUT_BEFORE,
            Behavior.TIMEOUT_AFTER,
            Behavior.SLOW,
            Behavior.SLOW_DECLINED,
            Behavior.DISPUTED,
            Behavior.WRONG_AMOUNT,
        ),
        start=1,
    )
}

DECLINES = {
    Behavior.DECLINED: ("generic_decline", Decline.SOFT),
    Behavior.INSUFFICIENT_FUNDS: ("insufficient_funds", Decline.SOFT),
    Behavior.EXPIRED_CARD: ("expired_card", Decline.HARD),
    Behavior.SLOW_DECLINED: ("insufficient_funds", Decline.SOFT),
}


def is_magic(reference: str) -> bool:
    """Whether it is the name of a behavior, and no method that a payer has left."""
    return reference.removeprefix(METHOD_PREFIX) in set(Behavior)


def behavior_of(amount: Money, method: SavedMethod | None) -> Behavior:
    """What is going to happen."""
    if method is not None:
        name = method.reference.removeprefix(METHOD_PREFIX)
        if is_magic(name):
            return Behavior(name)
    return BY_LAST_DIGITS.get(amount.amount_minor % 10_000, Behavior.PAID)
