"""How is a price written? As its pricing model defines it, with its currency.

The models are found where pricing keeps them, so that a new one is in the API by being there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from inspect import getdoc
from types import GenericAlias, UnionType
from typing import Annotated, Any, Self, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import (
    BaseModel,
    Discriminator,
    GetCoreSchemaHandler,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from billwright.features.pricing.rules import numbers
from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.features.pricing.rules.pricing import Pricing, pricing_of
from billwright.kernel.refusal import FieldProblem, Refusal
from billwright.surfaces.platform_api.fields import KnownCurrency, Price, Quantity
from billwright.surfaces.web.wire import CurrencyCode, RequestModel, ResponseModel


class PricedInput(RequestModel):
    """What every price has; each pricing model adds its own members."""

    currency: KnownCurrency

    def to_pricing(self) -> Pricing:
        return pricing_of(self.model_dump(exclude={"currency"}))

    @model_validator(mode="after")
    def _can_be_computed(self) -> Self:
        try:
            self.to_pricing()
        except Refusal as refusal:
            raise ValidationError.from_exception_data(
                type(self).__name__, [_located(problem) for problem in refusal.problems]
            ) from None
        return self


def _located(problem: FieldProblem) -> InitErrorDetails:
    """A problem at its own member, so that the answer points into the price."""
    return InitErrorDetails(
        type=PydanticCustomError(problem.code, "{detail}", {"detail": problem.detail}),
        loc=tuple(
            int(part) if part.isdecimal() else part for part in problem.pointer.split("/")[1:]
        ),
        input=None,
    )


class PricedOutput(ResponseModel):
    """What every price has."""

    currency: CurrencyCode


_NUMBERS: dict[Any, Any] = {numbers.Price: Price, numbers.Quantity: Quantity}


@dataclass(frozen=True, slots=True, eq=False)
class _OneOf:
    """Stands for the union of models, whose member `model` tells them apart. As it is compared by what
    it is, not by what it holds, a type may be `PriceOutput | None`.
    """

    models: Mapping[str, type[BaseModel]]

    def __get_pydantic_core_schema__(
        self, _source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        union: Any = Union[tuple(self.models.values())]  # noqa: UP007 - known at run time only
        chosen: Any = Annotated[union, Discriminator("model")]
        return handler.generate_schema(chosen)


def _wire_model(
    definition: type[Any], *, form: type[BaseModel], parts: type[BaseModel], suffix: str
) -> type[BaseModel]:
    """A definition's members in a request or an answer, under its own docstring."""
    hints = get_type_hints(definition, include_extras=True)
    members: dict[str, Any] = {
        member.name: (
            _wire_type(hints[member.name], parts=parts, suffix=suffix),
            _default(member),
        )
        for member in fields(definition)
    }
    return create_model(
        f"{definition.__name__}{suffix}", __base__=form, __doc__=getdoc(definition), **members
    )


def _wire_type(hint: Any, *, parts: type[BaseModel], suffix: str) -> Any:
    if hint in _NUMBERS:
        return _NUMBERS[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return _part_model(hint, form=parts, suffix=suffix)
    if get_origin(hint) is tuple:
        return GenericAlias(list, (_wire_type(get_args(hint)[0], parts=parts, suffix=suffix),))
    if get_origin(hint) in {Union, UnionType}:
        choices = tuple(_wire_type(one, parts=parts, suffix=suffix) for one in get_args(hint))
        return Union[choices]  # noqa: UP007
    return hint


@cache
def _part_model(definition: type[Any], *, form: type[BaseModel], suffix: str) -> type[BaseModel]:
    """One model for a part, however many definitions have it."""
    return _wire_model(definition, form=form, parts=form, suffix=suffix)


def _default(member: Field[Any]) -> Any:
    """A model's name tells the definitions apart, so that it is always written."""
    return ... if member.default is MISSING or member.name == "model" else member.default


_INPUTS = {
    name: _wire_model(definition, form=PricedInput, parts=RequestModel, suffix="PriceInput")
    for name, definition in PRICING_MODELS.items()
}
_OUTPUTS = {
    name: _wire_model(definition, form=PricedOutput, parts=ResponseModel, suffix="Price")
    for name, definition in PRICING_MODELS.items()
}

PriceInput = Annotated[PricedInput, _OneOf(_INPUTS)]
"""A price in one currency, by any pricing model."""

PriceOutput = Annotated[BaseModel, _OneOf(_OUTPUTS)]


def price_output(pricing: Pricing, currency: str) -> BaseModel:
    """A stored price as it is answered: with the very digits that it was given with."""
    return _OUTPUTS[pricing.model](
        currency=currency, **msgspec.to_builtins(pricing, builtin_types=(Decimal,))
    )
