"""How are values written in JSON?

Requests are strict: an unknown member, a number in place of text or an instant without an offset is
refused. Amounts and quantities are decimal strings, because a JSON number may be read as binary
floating point.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal

_DECIMAL = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?$"
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_PROSE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

# PostgreSQL stores no U+0000 and UTF-8 has no half of a surrogate pair, which JSON can escape.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_MONEY_EXAMPLE: JsonDict = {"examples": [{"amount": "19.99", "currency": "EUR"}]}

Chosen = TypeVar("Chosen")


class RequestModel(BaseModel):
    """A request body or a part of one.

    Strict: write `Identifier`, `Instant`, `CalendarDate`, `DecimalText` and `Choice[SomeEnum]` for
    values that JSON carries as text; `int`, `bool` and `str` accept exactly their own JSON type.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        str_max_length=10_000,
    )

    @field_validator("*", mode="after")
    @classmethod
    def _stored_as_it_is(cls, value: object) -> object:
        if isinstance(value, str | list | dict) and not is_storable(value):
            raise PydanticCustomError(
                "control_character", "Must not contain U+0000 or half of a surrogate pair"
            )
        return value


class ResponseModel(BaseModel):
    """A response body or a part of one; a member that is not declared is a bug."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_storable(value: object) -> bool:
    """Whether the database can keep all text in a decoded JSON value, names of members included."""
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is None
    if isinstance(value, list):
        return all(map(is_storable, value))
    if isinstance(value, dict):
        return all(map(is_storable, value)) and all(map(is_storable, value.values()))
    return True


def _read_decimal(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or re.fullmatch(_DECIMAL[1:-1], value, re.ASCII) is None:
        raise PydanticCustomError(
            "decimal_text",
            'Must be a decimal number as a string, such as "19.99", of at most 18 digits before '
            "and 12 after the point",
        )
    number = Decimal(value)
    return number or abs(number)


def _write_decimal(value: Decimal) -> str:
    return format(value, "f")


def _read_instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    try:
        if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
            raise ValueError
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "instant",
            "Must be an RFC 3339 date and time with an offset, such as 2026-01-31T08:30:00Z",
        ) from None


def _write_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_date(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        if not isinstance(value, str) or _DATE.fullmatch(value) is None:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", "Must be a date such as 2026-01-31") from None


def _no_control_characters(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("control_character", "Must not contain control characters")
    return value


def _no_control_characters_but_lines(value: str) -> str:
    if _CONTROL_IN_PROSE.search(value):
        raise PydanticCustomError(
            "control_character", "Must not contain control characters except tab and line feed"
        )
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "Must not be blank")
    return value


Choice = Annotated[Chosen, Strict(strict=False)]
"""An enumeration in a request: `Choice[IntervalUnit]`."""

Identifier = Annotated[UUID, Strict(strict=False)]

DecimalText = Annotated[
    Decimal,
    BeforeValidator(_read_decimal),
    PlainSerializer(_write_decimal, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DECIMAL, "examples": ["19.99"]}),
]
"""An exact decimal number; a JSON number is refused."""

Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    PlainSerializer(_write_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T08:30:00Z"]}),
]
"""A point in time, in any offset when read, in UTC when written."""

CalendarDate = Annotated[
    date,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-01-31"]}),
]

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    AfterValidator(_no_control_characters),
    AfterValidator(_not_blank),
    Field(json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"}),
]
"""One line for people: a name, a reference."""

Prose = Annotated[
    str,
    StringConstraints(max_length=5000),
    AfterValidator(_no_control_characters_but_lines),
    Field(json_schema_extra={"pattern": r"^[^\x00-\x08\x0b-\x1f\x7f]*$"}),
]
"""Text of several lines."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
"""A name that programs use, chosen by the caller: a plan code, a meter code."""

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

Metadata = Annotated[
    dict[
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=40),
            AfterValidator(_no_control_characters),
            Field(json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f]*$"}),
        ],
        Annotated[
            str,
            StringConstraints(max_length=500),
            AfterValidator(_no_control_characters_but_lines),
            Field(json_schema_extra={"pattern": r"^[^\x00-\x08\x0b-\x1f\x7f]*$"}),
        ],
    ],
    Field(max_length=50, description="The caller's own notes; never read by billing."),
]


class MoneyModel(ResponseModel):
    """An amount of money in major units of its currency."""

    model_config = ConfigDict(title="Money", json_schema_extra=_MONEY_EXAMPLE)

    amount: DecimalText
    currency: CurrencyCode

    @classmethod
    def from_money(cls, money: Money) -> Self:
        return cls(amount=money.to_decimal(), currency=money.currency.code)


class MoneyInput(RequestModel):
    """An amount of money in major units of its currency, no finer than its minor unit."""

    model_config = ConfigDict(json_schema_extra=_MONEY_EXAMPLE)

    amount: DecimalText
    currency: CurrencyCode

    def to_money(self) -> Money:
        return Money.from_decimal(self.amount, currency_of(self.currency))

    @model_validator(mode="after")
    def _exists(self) -> Self:
        """The kernel's refusals become problems of this member, so that they name its place."""
        try:
            self.to_money()
        except Refusal as refusal:
            facts = {"detail": refusal.detail}
            raise PydanticCustomError(refusal.code, "{detail}", facts) from None
        return self
