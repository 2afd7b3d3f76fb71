"""How is a price written? As its pricing model defines it, with its currency.

The models are found where pricing keeps them, so that a new one is in the API by being there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from decimal import Decimal
from inspect import getdoc
from types import GenericAlias, UnionType
from typing import Annotated, Any, Self, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Discriminator, GetCoreSchemaHandler, create_model, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from billwright.features.pricing.rules.models import PRICING_MODELS
from billwright.features.pricing.rules.pricing import Pricing, pricing_of
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json, to_json
from billwright.surfaces.platform_api.fields import KnownCurrency, Price
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
            facts = {"detail": refusal.detail}
            raise PydanticCustomError(refusal.code, "{detail}", facts) from None
        return self


class PricedOutput(ResponseModel):
    """What every price has."""

    currency: CurrencyCode


@dataclass(frozen=True, slots=True)
class _OneOf:
    """Stands for the union of models, whose member `model` tells them apart."""

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
    hints = get_type_hints(definition)
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
    if hint is Decimal:
        return Price
    if isinstance(hint, type) and is_dataclass(hint):
        return _wire_model(hint, form=parts, parts=parts, suffix=suffix)
    if get_origin(hint) is tuple:
        return GenericAlias(list, (_wire_type(get_args(hint)[0], parts=parts, suffix=suffix),))
    if get_origin(hint) in {Union, UnionType}:
        choices = tuple(_wire_type(one, parts=parts, suffix=suffix) for one in get_args(hint))
        return Union[choices]  # noqa: UP007
    return hint


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
    return _OUTPUTS[pricing.model](currency=currency, **from_json(to_json(pricing)))
