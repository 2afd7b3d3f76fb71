"""What does a platform say to subscribe a customer?"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from billwright.features.catalog.model import TrialEndBehavior
from billwright.features.subscriptions.model import Activation
from billwright.features.subscriptions.operations.create_subscription import CreateSubscription
from billwright.surfaces.platform_api import subscriptions_words as words
from billwright.surfaces.platform_api.fields import KnownCurrency, Quantity
from billwright.surfaces.platform_api.prices import PriceInput
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    Identifier,
    Instant,
    Metadata,
    RequestModel,
    Text,
)

_STARTS_AT = (
    "Left out: now. It may lie up to ten years in the future, or in the past: then all that has been "
    "due since comes on one invoice."
)
_BILLS_FROM = (
    "With a start in the past: service before this instant, where a period begins, was billed "
    "elsewhere."
)
_PRICES = (
    "Prices that were agreed for this subscription alone, by the code of a component, in its "
    "`currency`, which must be given with them."
)


class SubscriptionInput(RequestModel):
    """A subscription of an account to a plan's newest version."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "plan_code": "team",
                    "quantities": {"seats": "3"},
                },
                {
                    "account_id": "019b0c5e-8a51-7c2e-9f57-3a1f0c9d2b41",
                    "plan_code": "team",
                    "starts_at": "2026-03-01T00:00:00+01:00",
                    "trial_days": 14,
                    "trial_end_behavior": "cancel",
                    "currency": "EUR",
                    "prices": {"base": {"model": "flat", "currency": "EUR", "price": "19.00"}},
                    "promotion_codes": ["SPRING20"],
                },
            ]
        }
    )

    account_id: Identifier
    plan_code: Code
    quantities: Annotated[
        dict[Code, Quantity], Field(max_length=100, description=words.QUANTITIES)
    ] = Field(default_factory=dict)
    prices: Annotated[dict[Code, PriceInput], Field(max_length=100, description=_PRICES)] = Field(
        default_factory=dict
    )
    currency: Annotated[
        KnownCurrency | None, Field(description="Left out: the account's currency.")
    ] = None
    starts_at: Annotated[Instant | None, Field(description=_STARTS_AT)] = None
    bills_from: Annotated[Instant | None, Field(description=_BILLS_FROM)] = None
    trial_days: Annotated[int | None, Field(ge=0, le=730, description=words.TRIAL_DAYS)] = None
    trial_until: Annotated[Instant | None, Field(description=words.TRIAL_UNTIL)] = None
    allow_repeated_trial: Annotated[bool, Field(description=words.ALLOW_REPEATED_TRIAL)] = False
    trial_end_behavior: Annotated[
        Choice[TrialEndBehavior] | None,
        Field(description=f"{words.TRIAL_END_BEHAVIOR} Left out: what the plan says."),
    ] = None
    activation: Annotated[Choice[Activation], Field(description=words.ACTIVATION)] = (
        Activation.IMMEDIATE
    )
    renews: Annotated[bool, Field(description=words.RENEWS)] = True
    promotion_codes: Annotated[
        list[Text], Field(max_length=20, description="Codes of promotions that it gets.")
    ] = Field(default_factory=list)
    external_id: Annotated[
        Text | None, Field(description="The platform's own id; no two subscriptions share one.")
    ] = None
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _prices_are_in_its_currency(self) -> Self:
        if {price.currency for price in self.prices.values()} - {self.currency}:
            raise PydanticCustomError(
                "currencies_differ", "Must name its currency, and have all own prices in it"
            )
        return self

    @model_validator(mode="after")
    def _trial_has_one_length(self) -> Self:
        if self.trial_days is not None and self.trial_until is not None:
            raise PydanticCustomError(
                "trial_lengths_differ", "Must have `trial_days` or `trial_until`, not both"
            )
        return self


def from_request(body: SubscriptionInput) -> CreateSubscription:
    return CreateSubscription(
        account_id=body.account_id,
        plan_code=body.plan_code,
        quantities=body.quantities,
        prices={code: price.to_pricing() for code, price in body.prices.items()},
        currency=body.currency,
        starts_at=body.starts_at,
        bills_from=body.bills_from,
        trial_days=body.trial_days,
        trial_until=body.trial_until,
        allows_repeated_trial=body.allow_repeated_trial,
        trial_end_behavior=body.trial_end_behavior,
        activation=body.activation,
        renews=body.renews,
        promotion_codes=tuple(body.promotion_codes),
        external_id=body.external_id,
        metadata=body.metadata,
    )
