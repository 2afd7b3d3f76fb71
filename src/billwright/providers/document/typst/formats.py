"""How are amounts, quantities and days written in a language?

Patterns come from CLDR through Babel; the number of decimals comes from the currency itself (ISO
4217), because CLDR hides the minor units of some currencies that still have them.
"""

from __future__ import annotations

import re
from copy import copy
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_interval
from babel.numbers import format_decimal, format_percent

from billwright.features.invoicing.document import ServiceDays
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money

# CLDR's currency spacing, which Babel leaves out: `CHF 5`, but `$5`.
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


def amount_text(money: Money, locale: Locale) -> str:
    """With the currency's sign: `1.234,50 €`, `€1,234.50`, `¥1,235`."""
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (money.currency.exponent, money.currency.exponent)
    text = pattern.apply(
        money.to_decimal(), locale, currency=money.currency.code, currency_digits=False
    )
    return _LETTER_BESIDE_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def plain_amount_text(money: Money, locale: Locale) -> str:
    """Without the currency's sign, for a column whose heading names the currency."""
    return price_text(money.to_decimal(), currency=money.currency, locale=locale)


def price_text(price: Decimal, *, currency: Currency, locale: Locale) -> str:
    """At least the minor unit's decimals, and as many more as the price has."""
    pattern = copy(locale.decimal_formats[None])
    pattern.frac_prec = (currency.exponent, max(currency.exponent, _decimals(price)))
    return str(pattern.apply(price, locale))


def quantity_text(quantity: Decimal, locale: Locale) -> str:
    """Every decimal that means something and no trailing zero."""
    return format_decimal(_trimmed(quantity), locale=locale, decimal_quantization=False)


def rate_text(rate: Decimal, locale: Locale) -> str:
    """A fraction as a percentage: `Decimal("0.055")` is `5.5%`."""
    return format_percent(_trimmed(rate), locale=locale, decimal_quantization=False)


def days_text(days: ServiceDays, locale: Locale) -> str:
    """Both days as one range; what they share is written once."""
    if days.first == days.last:
        return format_date(days.first, "medium", locale)
    # The skeleton's interval is written with thin spaces in some languages; any font has the plain one.
    return format_interval(days.first, days.last, "yMMMd", locale=locale).replace("\u2009", " ")


def _decimals(number: Decimal) -> int:
    exponent = _trimmed(number).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _trimmed(number: Decimal) -> Decimal:
    text = f"{number:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
