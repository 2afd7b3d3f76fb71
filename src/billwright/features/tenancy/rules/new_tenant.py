"""May a tenant be created like this?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from billwright.features.tenancy.errors import (
    country_unknown,
    fiscal_year_start_out_of_range,
    iban_malformed,
    locale_malformed,
    payment_terms_out_of_range,
    tax_rate_out_of_range,
    tenant_code_malformed,
    tenant_field_missing,
)
from billwright.features.tenancy.model import Seller, SellerParty
from billwright.features.tenancy.rules.countries import COUNTRIES
from billwright.kernel.calendar import require_zone
from billwright.kernel.currency import currency_of
from billwright.kernel.refusal import FieldProblem, Refusal

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def new_tenant_problems(*, code: str, name: str, seller: Seller) -> Iterator[FieldProblem]:
    """Everything that is wrong, at pointers into `{code, name, seller}`."""
    if not _CODE.fullmatch(code):
        yield from tenant_code_malformed(pointer="/code", tenant_code=code).problems
    yield from _missing(name, at="/name")
    yield from _in_party(seller.party, at="/seller/party")
    yield from _in_defaults(seller, at="/seller")


def _in_party(party: SellerParty, *, at: str) -> Iterator[FieldProblem]:
    address = party.address
    yield from _missing(party.name, at=f"{at}/name")
    yield from _missing(address.line1, at=f"{at}/address/line1")
    yield from _missing(address.city, at=f"{at}/address/city")
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
    for category, rate in seller.tax_rates.items():
        if not (rate.is_finite() and 0 <= rate < 1):
            pointer = f"{at}/tax_rates/{category}"
            yield from tax_rate_out_of_range(pointer=pointer, tax_rate=rate).problems


def _missing(text: str, *, at: str) -> tuple[FieldProblem, ...]:
    return () if text.strip() else tenant_field_missing(pointer=at).problems


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
