"""May a seller be like this?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from billwright.features.tenancy.errors import (
    country_unknown,
    fiscal_year_start_out_of_range,
    iban_malformed,
    locale_malformed,
    minimum_invoice_not_positive,
    payment_terms_out_of_range,
    rounding_uneven,
    tax_rate_out_of_range,
    tenant_field_missing,
)
from billwright.features.tenancy.model import Seller, SellerParty
from billwright.features.tenancy.rules.countries import COUNTRIES
from billwright.kernel.calendar import require_zone
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Rounding
from billwright.kernel.refusal import FieldProblem, Refusal

_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")

# They round an amount and its opposite to different sizes: what a change charged and what changing
# back credits would no longer be the same.
_UNEVEN = frozenset({Rounding.CEILING, Rounding.FLOOR})


def seller_problems(seller: Seller, *, at: str) -> Iterator[FieldProblem]:
    """Everything that is wrong with a seller that stands at a pointer.

    Which tax engines exist is not known here; `tax`, which is above, tells by `engine_of`.
    """
    yield from _in_party(seller.party, at=f"{at}/party")
    yield from _in_defaults(seller, at=at)
    yield from _in_amounts(seller, at=at)


def missing(text: str, *, at: str) -> tuple[FieldProblem, ...]:
    """A problem when there is nothing to read."""
    return () if text.strip() else tenant_field_missing(pointer=at).problems


def _in_party(party: SellerParty, *, at: str) -> Iterator[FieldProblem]:
    address = party.address
    yield from missing(party.name, at=f"{at}/name")
    yield from missing(address.line1, at=f"{at}/address/line1")
    yield from missing(address.city, at=f"{at}/address/city")
    if address.country not in COUNTRIES:
        pointer = f"{at}/address/country"
        yield from country_unknown(pointer=pointer, country=address.country).problems
    if party.iban and not _is_iban(party.iban):
        yield from iban_malformed(pointer=f"{at}/iban").problems


def _in_defaults(seller: Seller, *, at: str) -> Iterator[FieldProblem]:
    yield from _refused(seller.currency, by=currency_of, at=f"{at}/currency")
    yield from _refused(seller.zone, by=require_zone, at=f"{at}/zone")
    if not _LOCALE.fullmatch(seller.locale):
        yield from locale_malformed(pointer=f"{at}/locale", locale=seller.locale).problems
    if not 0 <= (days := seller.payment_terms_days) <= 365:
        pointer = f"{at}/payment_terms_days"
        yield from payment_terms_out_of_range(pointer=pointer, payment_terms_days=days).problems
    if not 1 <= (month := seller.fiscal_year_start_month) <= 12:
        pointer = f"{at}/fiscal_year_start_month"
        yield from fiscal_year_start_out_of_range(pointer=pointer, month=month).problems


def _in_amounts(seller: Seller, *, at: str) -> Iterator[FieldProblem]:
    for category, rate in seller.tax_rates.items():
        if not (rate.is_finite() and 0 <= rate < 1):
            pointer = f"{at}/tax_rates/{category}"
            yield from tax_rate_out_of_range(pointer=pointer, tax_rate=rate).problems
    if seller.rounding in _UNEVEN:
        pointer = f"{at}/rounding"
        yield from rounding_uneven(pointer=pointer, rounding=seller.rounding.value).problems
    for code, amount_minor in seller.minimum_invoice.items():
        pointer = f"{at}/minimum_invoice/{code}"
        yield from _refused(code, by=currency_of, at=pointer)
        if amount_minor <= 0:
            yield from minimum_invoice_not_positive(pointer=pointer).problems


def _refused(text: str, *, by: Callable[[str], object], at: str) -> Iterator[FieldProblem]:
    """What the kernel says of a value, which does not know where the value stands."""
    try:
        by(text)
    except Refusal as refusal:
        yield FieldProblem(at, refusal.code, refusal.detail)


def _is_iban(text: str) -> bool:
    """ISO 13616: with the first four characters last and letters as 10 to 35, mod 97 is 1."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1
