"""Which values does a request accept, and how are they written?"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.surfaces.web.wire import (
    CalendarDate,
    Choice,
    Code,
    DecimalText,
    Identifier,
    Instant,
    Metadata,
    MoneyInput,
    MoneyModel,
    Prose,
    RequestModel,
    ResponseModel,
    Text,
)


class Color(StrEnum):
    RED = "red"


class Everything(RequestModel):
    id: Identifier
    color: Choice[Color]
    count: int
    on: bool
    name: Text
    note: Prose = ""
    code: Code = "plan-1"
    at: Instant
    day: CalendarDate
    quantity: DecimalText
    metadata: Metadata = Field(default_factory=dict)
    free: str = ""
    documents: list[dict[str, object]] = Field(default_factory=list)


VALID: dict[str, object] = {
    "id": "0190b3d2-0000-7000-8000-000000000001",
    "color": "red",
    "count": 1,
    "on": True,
    "name": "Ünïcode 😀",
    "note": "two\nlines\tand a tab",
    "at": "2026-01-31T08:30:00+01:00",
    "day": "2024-02-29",
    "quantity": "-0.000000000001",
    "metadata": {"key": "value"},
}


def test_a_valid_request_becomes_exact_values():
    request = Everything.model_validate(VALID)

    assert request.color is Color.RED
    assert request.at == datetime(2026, 1, 31, 7, 30, tzinfo=UTC)
    assert request.at.tzinfo is UTC
    assert request.day == date(2024, 2, 29)
    assert request.quantity == Decimal("-0.000000000001")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("id", value) for value in ("x", 1, "")),
        *(("color", value) for value in ("RED", "blue", 1)),
        *(("count", value) for value in ("1", 1.0, True, None)),
        *(("on", value) for value in ("true", 1, "yes")),
        *(
            ("name", value)
            for value in ("", "   ", "a\x00b", "a\nb", "x" * 256, 5, "\x7f", "\ud800")
        ),
        *(("note", value) for value in ("a\x00b", "a\rb", "x" * 5001)),
        *(("code", value) for value in ("", "-a", "a b", "ä", "a\n", "x" * 101)),
        *(
            ("at", value)
            for value in (
                "2026-01-31T08:30:00",
                "2026-01-31",
                "2026-01-31 08:30:00Z",
                "2026-02-30T00:00:00Z",
                "2026-01-31T24:30:00Z",
                "2026-01-31T08:30:60Z",
                "0001-01-01T00:00:00+23:59",
                "2026-01-31T08:30:00+0100",
                1769848200,
                "\u0662\u0660\u0662\u0666-01-31T08:30:00Z",
            )
        ),
        *(("day", value) for value in ("2026-02-29", "20260131", "2026-W01-1", 20260131)),
        *(
            ("quantity", value)
            for value in (
                1,
                1.5,
                "1,5",
                "1e3",
                "NaN",
                "Infinity",
                "",
                "+1",
                "01",
                "1.",
                ".5",
                " 1",
                "1\n",
                "\u0661",
                "1" * 19,
                "0." + "1" * 13,
            )
        ),
        ("metadata", {str(number): "" for number in range(51)}),
        ("metadata", {"k" * 41: ""}),
        ("metadata", {"": ""}),
        ("metadata", {"k": "v" * 501}),
        ("metadata", {"k": 1}),
        ("metadata", {"k\x00": ""}),
        ("metadata", {"k": "\x00"}),
        ("free", "a\x00b"),
        ("free", "x" * 10_001),
        ("documents", [{"deep": [{"deeper": "\x00"}]}]),
        ("documents", [{"key\x00": 1}]),
        ("documents", [{"half": "\ud800"}]),
        ("unknown", 1),
    ],
)
def test_what_is_refused(name, value):
    with pytest.raises(ValidationError) as refused:
        Everything.model_validate(VALID | {name: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {name}


def test_zero_has_no_sign():
    adapter = TypeAdapter(DecimalText)
    assert adapter.dump_json(adapter.validate_python("-0.00")) == b'"0.00"'


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=6))
def test_a_decimal_is_read_as_it_was_written(number):
    adapter = TypeAdapter(DecimalText)
    assert adapter.validate_json(adapter.dump_json(number)) == number


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_is_read_as_it_was_written(instant):
    adapter = TypeAdapter(Instant)
    written = adapter.dump_json(instant)
    assert written.endswith(b'Z"')
    assert adapter.validate_json(written) == instant.astimezone(UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("19.99", "EUR", 1999), ("1500", "JPY", 1500), ("-1.234", "KWD", -1234), ("0", "EUR", 0)],
)
def test_money_both_ways(amount, currency, minor):
    money = MoneyInput.model_validate({"amount": amount, "currency": currency}).to_money()

    assert money == Money(minor, currency_of(currency))
    written = json.loads(MoneyModel.from_money(money).model_dump_json())
    assert Decimal(written["amount"]) == Decimal(amount)
    assert written["currency"] == currency


def test_money_is_written_with_all_its_decimal_places():
    written = MoneyModel.from_money(Money(500, currency_of("EUR"))).model_dump()
    assert written == {"amount": "5.00", "currency": "EUR"}


def test_money_never_turns_into_scientific_notation():
    written = MoneyModel.from_money(Money(10**17, currency_of("JPY"))).model_dump()
    assert written["amount"] == "1" + "0" * 17


def test_schemas_say_what_is_enforced():
    properties = Everything.model_json_schema()["properties"]

    assert properties["quantity"]["type"] == "string"
    assert "pattern" in properties["quantity"]
    assert properties["at"]["format"] == "date-time"
    assert properties["day"]["format"] == "date"
    assert (properties["name"]["minLength"], properties["name"]["maxLength"]) == (1, 255)
    assert properties["metadata"]["maxProperties"] == 50
    assert Everything.model_json_schema()["additionalProperties"] is False


def test_a_response_with_an_undeclared_member_is_a_bug():
    class Answer(ResponseModel):
        name: str

    with pytest.raises(ValidationError):
        Answer.model_validate({"name": "a", "secret": "b"})
