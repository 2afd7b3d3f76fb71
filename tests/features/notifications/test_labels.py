"""Are amounts and days written in the language of the words around them?"""

from __future__ import annotations

from datetime import date

import pytest

from billwright.features.notifications.messages import amount_label, day_label
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount_minor", "currency", "locale", "text"),
    [
        (123456, "EUR", "de-DE", f"1.234,56{SPACE}€"),
        (123456, "EUR", "en", "€1,234.56"),
        (5000, "JPY", "en-US", "¥5,000"),
        (1234567, "KWD", "en", f"KWD{SPACE}1,234.567"),
        (150000, "IQD", "en", f"IQD{SPACE}150.000"),
        (100, "EUR", "fr-FR", "€1.00"),
        (100, "EUR", "no such locale", "€1.00"),
        (100, "EUR", "de-XX", f"1,00{SPACE}€"),
    ],
)
def test_amounts(amount_minor, currency, locale, text):
    assert amount_label(Money(amount_minor, currency_of(currency)), locale=locale) == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de-AT", "29. Jänner 2026"),
        ("en", "January 29, 2026"),
        ("en-GB", "29 January 2026"),
        ("fr", "January 29, 2026"),
        ("", "January 29, 2026"),
    ],
)
def test_days(locale, text):
    assert day_label(date(2026, 1, 29), locale=locale) == text
