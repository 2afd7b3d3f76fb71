"""What does a seller's TOML file say?"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Strict, ValidationError

from billwright.features.tenancy.model import Address, RepeatedTrials, Seller, SellerParty
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import new_id
from billwright.kernel.money import Money, Rounding
from billwright.kernel.proration import Granularity
from billwright.kernel.refusal import FieldProblem, Refusal
from billwright.surfaces.web.validation import problems_in_body
from billwright.surfaces.web.wire import Choice, Code, Prose, RequestModel, Text

Table = dict[str, Any]
# TOML has whole numbers as well, and the text of a decimal is accepted.
Number = Annotated[Decimal, Strict(strict=False)]


class SellerFileUnreadable(Exception):  # noqa: N818 - an answer to the operator
    """The file is no TOML; the text says where."""


class AddressTable(RequestModel):
    line1: Text = ""
    line2: Text = ""
    postal_code: Text = ""
    city: Text = ""
    region: Text = ""
    country: Text = ""


class PartyTable(RequestModel):
    name: Text = ""
    address: AddressTable = AddressTable()
    tax_id: Text = ""
    tax_number: Text = ""
    email: Text = ""
    phone: Text = ""
    website: Text = ""
    bank_name: Text = ""
    iban: Text = ""
    bic: Text = ""
    # A class has a method `register`, which the field would hide.
    register_entry: Annotated[Text, Field(alias="register")] = ""
    legal_note: Prose = ""


class SellerTable(RequestModel):
    """Nothing is required here, so that what is missing is found together with what is wrong.

    `minimum_invoice` is in major units by currency: `EUR = 5.00`.
    """

    party: PartyTable = PartyTable()
    currency: Text = ""
    zone: Text = ""
    locale: Text = "en"
    payment_terms_days: int = 14
    fiscal_year_start_month: int = 1
    tax_rates: dict[Code, Number] = Field(default_factory=dict)
    small_business_exempt: bool = False
    oss_registered_since: date | None = None
    tax_engine: Text = "vat"
    proration_granularity: Choice[Granularity] = Granularity.SECOND
    rounding: Choice[Rounding] = Rounding.HALF_UP
    minimum_invoice: dict[Code, Number] = Field(default_factory=dict)
    repeated_trials: Choice[RepeatedTrials] = RepeatedTrials.REPORT


def read_seller(path: Path) -> tuple[Seller, Sequence[FieldProblem]]:
    """The seller of a file, and what is wrong with the file's form, at pointers into the file.

    The seller is without what is wrong, so that the rules can still look at the rest of it. Raises
    `SellerFileUnreadable`.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SellerFileUnreadable(f"{path} cannot be read as TOML: {error}") from error
    try:
        return _seller(SellerTable.model_validate(document))
    except ValidationError as error:
        errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
    problems = problems_in_body(errors, document)
    _leave_out({each.pointer for each in problems}, document)
    seller, further = _seller(SellerTable.model_validate(document))
    return seller, [*problems, *further]


def _leave_out(pointers: Iterable[str], document: Table) -> None:
    for pointer in sorted(pointers, reverse=True):  # what lies deeper comes first
        parts = pointer.removeprefix("/").split("/")
        *tables, name = (part.replace("~1", "/").replace("~0", "~") for part in parts)
        table = document
        for each in tables:
            table = table[each]
        del table[name]


def _seller(table: SellerTable) -> tuple[Seller, list[FieldProblem]]:
    values = table.model_dump(by_alias=True)
    party = values.pop("party")
    address = Address(**party.pop("address"))
    values["minimum_invoice"], problems = _in_minor_units(table.minimum_invoice)
    return Seller(id=new_id(), party=SellerParty(**party, address=address), **values), problems


def _in_minor_units(amounts: dict[str, Decimal]) -> tuple[dict[str, int], list[FieldProblem]]:
    known: dict[str, int] = {}
    problems: list[FieldProblem] = []
    for code, amount in amounts.items():
        try:
            known[code] = Money.from_decimal(amount, currency_of(code)).amount_minor
        except Refusal as refusal:
            problems.append(FieldProblem(f"/minimum_invoice/{code}", refusal.code, refusal.detail))
    return known, problems
