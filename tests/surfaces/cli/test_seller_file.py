"""Is a seller's file read exactly, and is everything that is wrong in it found?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billwright.features.tenancy.model import Address, RepeatedTrials, Seller, SellerParty
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from billwright.surfaces.cli.seller_file import SellerFileUnreadable, read_seller

COMPLETE = """
currency = "EUR"
zone = "Europe/Berlin"
locale = "de"
payment_terms_days = 30
fiscal_year_start_month = 4
small_business_exempt = true
oss_registered_since = 2021-07-01
tax_engine = "fixed"
proration_granularity = "day"
rounding = "half_even"
repeated_trials = "end"

[party]
name = "Example Software GmbH"
tax_id = "DE123456788"
tax_number = "29/123/45678"
email = "billing@example.com"
phone = "+49 30 1234567"
website = "https://example.com"
bank_name = "Musterbank"
iban = "DE02120300000000202051"
bic = "BYLADEM1001"
register = "HRB 123456, Amtsgericht Charlottenburg"
legal_note = "Two\\nlines."

[party.address]
line1 = "Musterstraße 1"
line2 = "Hinterhaus"
postal_code = "10115"
city = "Berlin"
region = "BE"
country = "DE"

[tax_rates]
standard = 0.19
reduced = "0.07"
zero = 0

[minimum_invoice]
EUR = 5.00
JPY = 500
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "seller.toml"


def found(file: Path, text: str) -> list[tuple[str, str]]:
    file.write_text(text)
    return [(each.pointer, each.code) for each in read_seller(file)[1]]


def test_every_field_is_read(file: Path):
    file.write_text(COMPLETE)
    seller, problems = read_seller(file)
    assert list(problems) == []
    assert seller == Seller(
        id=seller.id,
        party=SellerParty(
            name="Example Software GmbH",
            address=Address(
                line1="Musterstraße 1",
                line2="Hinterhaus",
                postal_code="10115",
                city="Berlin",
                region="BE",
                country="DE",
            ),
            tax_id="DE123456788",
            tax_number="29/123/45678",
            email="billing@example.com",
            phone="+49 30 1234567",
            website="https://example.com",
            bank_name="Musterbank",
            iban="DE02120300000000202051",
            bic="BYLADEM1001",
            register="HRB 123456, Amtsgericht Charlottenburg",
            legal_note="Two\nlines.",
        ),
        currency="EUR",
        locale="de",
        zone="Europe/Berlin",
        payment_terms_days=30,
        fiscal_year_start_month=4,
        tax_rates={"standard": Decimal("0.19"), "reduced": Decimal("0.07"), "zero": Decimal(0)},
        small_business_exempt=True,
        oss_registered_since=date(2021, 7, 1),
        tax_engine="fixed",
        proration_granularity=Granularity.DAY,
        rounding=Rounding.HALF_EVEN,
        minimum_invoice={"EUR": 500, "JPY": 500},
        repeated_trials=RepeatedTrials.END,
    )


def test_the_sample_in_the_documents_is_right(file: Path):
    page = Path(__file__).parents[3] / "docs" / "running.md"
    sample = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    assert 'name = "' in sample
    assert found(file, sample) == []


def test_every_problem_is_found_at_once(file: Path):
    text = """
curency = "EUR"
zone = ""
payment_terms_days = "14"
fiscal_year_start_month = true
oss_registered_since = "2021-07-01"
party = {name = "a\\u0000b", address = {country = 49, "a/b" = 1}}
rounding = "nearest"
minimum_invoice = {EURO = 5, JPY = 0.5, USD = "five", GBP = 5.00}
tax_rates = {standard = "19 %", reduced = true, nothing = nan, "a/b~" = 0.1, fine = 0.1}
"""
    assert sorted(found(file, text)) == [
        ("/curency", "unknown_field"),
        ("/fiscal_year_start_month", "wrong_type"),
        ("/minimum_invoice/EURO", "currency_unknown"),
        ("/minimum_invoice/JPY", "amount_too_fine"),
        ("/minimum_invoice/USD", "malformed"),
        ("/oss_registered_since", "wrong_type"),
        ("/party/address/a~1b", "unknown_field"),
        ("/party/address/country", "wrong_type"),
        ("/party/name", "control_character"),
        ("/payment_terms_days", "wrong_type"),
        ("/rounding", "unknown_choice"),
        ("/tax_rates/a~1b~0", "malformed"),
        ("/tax_rates/nothing", "malformed"),
        ("/tax_rates/reduced", "wrong_type"),
        ("/tax_rates/standard", "malformed"),
        ("/zone", "too_short"),
    ]
    assert read_seller(file)[0].tax_rates == {"fine": Decimal("0.1")}
    assert read_seller(file)[0].minimum_invoice == {"GBP": 500}


def test_a_value_in_place_of_a_table_is_found(file: Path):
    assert found(file, 'party = "Example"\ntax_rates = 0.19') == [
        ("/party", "wrong_type"),
        ("/tax_rates", "wrong_type"),
    ]


@pytest.mark.parametrize("content", [b"currency =", b"currency = '\xff'", b"a = 1\na = 2"])
def test_what_is_no_toml_is_unreadable(file: Path, content: bytes):
    file.write_bytes(content)
    with pytest.raises(SellerFileUnreadable, match=r"seller\.toml cannot be read as TOML: "):
        read_seller(file)
    with pytest.raises(SellerFileUnreadable, match="No such file"):
        read_seller(file.with_name("other.toml"))
