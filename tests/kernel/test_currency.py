"""Are the currencies those of ISO 4217, and is each one object?"""

from collections import Counter

import pytest

from billwright.kernel.currency import CURRENCIES, Currency, currency_of
from billwright.kernel.refusal import Category, Refusal


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("EUR", 2),
        ("USD", 2),
        ("HUF", 2),
        ("JPY", 0),
        ("ISK", 0),
        ("UGX", 0),
        ("KWD", 3),
        ("TND", 3),
        ("CLF", 4),
        ("UYW", 4),
        ("XCG", 2),
        ("ZWG", 2),
    ],
)
def test_exponent(code, exponent):
    assert currency_of(code) == Currency(code, exponent)


def test_the_list_has_the_published_size():
    assert Counter(currency.exponent for currency in CURRENCIES.values()) == {
        0: 17,
        2: 139,
        3: 7,
        4: 2,
    }
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)


def test_one_object_for_one_code():
    assert currency_of("EUR") is currency_of("EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "XAU", "HRK", "DEM", "EUR "])
def test_any_other_code_is_refused(code):
    with pytest.raises(Refusal) as refused:
        currency_of(code)
    assert (refused.value.code, refused.value.category) == ("currency_unknown", Category.INVALID)
    assert refused.value.facts == {"currency": code}


def test_it_prints_as_its_code():
    assert str(currency_of("JPY")) == "JPY"
