"""How does Stripe write an amount?

In the smallest unit of its own choice, which is not always that of ISO 4217
(https://docs.stripe.com/currencies).
"""

from __future__ import annotations

from billwright.kernel.currency import Currency, currency_of
from billwright.kernel.money import Money

_WHOLE = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
# Whole units only, but written with two digits as in former times.
_WHOLE_WITH_TWO_DIGITS = frozenset({"ISK", "UGX"})
# Stripe's partners want the last digit to be zero.
_THREE_DIGITS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def stripe_amount(money: Money) -> int | None:
    """An amount in Stripe's units; none where Stripe cannot move exactly this one."""
    exponent = _exponent(money.currency)
    if exponent is None:
        return None
    numerator: int = 10**exponent
    amount, rest = divmod(money.amount_minor * numerator, 10**money.currency.exponent)
    return None if rest or (exponent == 3 and amount % 10) else int(amount)


def money_of(amount: int, currency_code: str) -> Money:
    """What Stripe means by an amount; its codes are in lower case."""
    currency = currency_of(currency_code.upper())
    exponent = _exponent(currency)
    if exponent is None:
        raise ValueError(f"Stripe has no {currency}")
    amount_minor, rest = divmod(amount * 10**currency.exponent, 10**exponent)
    if rest:
        raise ValueError(f"{amount} is finer than {currency}")
    return Money(amount_minor, currency)


def _exponent(currency: Currency) -> int | None:
    if currency.code in _WHOLE:
        return 0
    if currency.code in _THREE_DIGITS:
        return 3
    if currency.code in _WHOLE_WITH_TWO_DIGITS or currency.exponent == 2:
        return 2
    return None
