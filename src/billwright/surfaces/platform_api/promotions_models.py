"""What does a promotion look like in requests and answers?"""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, PlainSerializer, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from billwright.features.promotions import model
from billwright.features.promotions.operations.create_promotion import CreatePromotion
from billwright.features.promotions.operations.update_promotion import UpdatePromotion
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.surfaces.platform_api.fields import KnownCurrency, plain
from billwright.surfaces.web.wire import (
    Choice,
    Code,
    CurrencyCode,
    DecimalText,
    Instant,
    Metadata,
    MoneyInput,
    MoneyModel,
    RequestModel,
    ResponseModel,
    Text,
)

Percent = Annotated[
    DecimalText,
    PlainSerializer(plain, return_type=str),
    Field(description="Of `percentage`: above 0, at most 100, with at most 4 decimal places."),
]

_CODE = "Customers may type it in small letters and with spaces around it."
_COUNT = "Of `free_periods` and `free_days`: how many."
_CURRENCY = "Only subscriptions in it may redeem the promotion; that of the amounts."
_PLANS = "Only subscriptions to these plans may redeem it; none is all."
_MINIMUM = "Lines that are billed together and are less than this are not discounted."
_COMBINABLE = "False: a subscription that has it has no other."
_FROM = "From when on it can be redeemed."
_UNTIL = "Until before when it can be redeemed; what is redeemed goes on."
_DURATION = (
    "In how many billing periods it takes something off. A fixed amount that is given once lasts "
    "until it is used up; otherwise each period has it anew."
)


class PromotionInput(RequestModel):
    """An offer that a subscription redeems by its code."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "SPRING20",
                    "name": "20 % for three months",
                    "kind": "percentage",
                    "percent": "20",
                    "duration": "periods",
                    "duration_periods": 3,
                    "customers": "new",
                },
                {
                    "code": "WELCOME",
                    "name": "50 EUR to begin with",
                    "kind": "fixed_amount",
                    "amount": {"amount": "50.00", "currency": "EUR"},
                    "maximum_per_account": 1,
                },
                {"code": "TWOWEEKS", "name": "Two weeks", "kind": "free_days", "count": 14},
            ]
        }
    )

    code: Annotated[
        Annotated[str, StringConstraints(max_length=110)],
        Field(description=f"Kept in capital letters. {_CODE}"),
    ]
    name: Text
    kind: Choice[model.PromotionKind]
    percent: Percent | None = None
    amount: Annotated[MoneyInput | None, Field(description="Of `fixed_amount`.")] = None
    count: Annotated[int | None, Field(description=_COUNT)] = None
    duration: Annotated[Choice[model.Duration], Field(description=_DURATION)] = model.Duration.ONCE
    duration_periods: Annotated[
        int | None, Field(description="How many periods, for the duration `periods`.")
    ] = None
    currency: Annotated[
        KnownCurrency | None, Field(description=f"{_CURRENCY} Left out: that of an amount.")
    ] = None
    plan_codes: Annotated[list[Code], Field(max_length=200, description=_PLANS)] = Field(
        default_factory=list
    )
    customers: Choice[model.Customers] = model.Customers.ANY
    minimum: Annotated[MoneyInput | None, Field(description=_MINIMUM)] = None
    maximum_redemptions: int | None = None
    maximum_per_account: int | None = None
    combinable: Annotated[bool, Field(description=_COMBINABLE)] = True
    redeemable_from: Annotated[Instant | None, Field(description=_FROM)] = None
    redeemable_until: Annotated[Instant | None, Field(description=_UNTIL)] = None
    metadata: Metadata = Field(default_factory=dict)

    @property
    def currencies(self) -> set[str]:
        """Those of the amounts, and the one that is named."""
        amounts = (self.amount, self.minimum)
        named = {self.currency} if self.currency else set()
        return named | {amount.currency for amount in amounts if amount is not None}

    @model_validator(mode="after")
    def _is_in_one_currency(self) -> Self:
        if len(self.currencies) > 1:
            raise PydanticCustomError("currencies_differ", "Must have one currency for all amounts")
        return self


class PromotionUpdateInput(RequestModel):
    """Who may still redeem it; what is left out stays as it is. Null takes a limit away."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"redeemable_until": "2026-06-30T22:00:00Z", "maximum_redemptions": None}]
        }
    )

    name: Annotated[Text | None, Field(description="Null: stays as it is.")] = None
    maximum_redemptions: int | None = None
    maximum_per_account: int | None = None
    redeemable_from: Instant | None = None
    redeemable_until: Instant | None = None
    metadata: Annotated[
        Metadata | None,
        Field(description="All of them: those that are not named are gone. Null: they stay."),
    ] = None


class Promotion(ResponseModel):
    """An offer; which of `percent`, `amount` and `count` it has, its kind says."""

    id: UUID
    code: str
    name: str
    status: model.PromotionStatus
    kind: model.PromotionKind
    percent: Percent | None
    amount: MoneyModel | None
    count: Annotated[int | None, Field(description=_COUNT)]
    duration: Annotated[model.Duration, Field(description=_DURATION)]
    duration_periods: int | None
    currency: Annotated[CurrencyCode | None, Field(description=_CURRENCY)]
    plan_codes: Annotated[list[str], Field(description=_PLANS)]
    customers: model.Customers
    minimum: Annotated[MoneyModel | None, Field(description=_MINIMUM)]
    maximum_redemptions: int | None
    maximum_per_account: int | None
    combinable: Annotated[bool, Field(description=_COMBINABLE)]
    redeemable_from: Annotated[Instant | None, Field(description=_FROM)]
    redeemable_until: Annotated[Instant | None, Field(description=_UNTIL)]
    redemptions: Annotated[int, Field(description="How often it was redeemed.")]
    metadata: dict[str, str]
    version: Annotated[int, Field(description="Grows with every change.")]
    created_at: Instant
    updated_at: Instant


class Redemption(ResponseModel):
    """A promotion's use by a subscription, and what is left of it; null where it counts none."""

    id: UUID
    promotion_code: str
    account_id: UUID
    subscription_id: UUID
    state: Annotated[
        model.RedemptionState,
        Field(description="`exhausted`: nothing is left; `ended`: a person stopped it."),
    ]
    remaining_amount: MoneyModel | None
    remaining_periods: int | None
    remaining_seconds: Annotated[int | None, Field(description="Of free days.")]
    redeemed_at: Instant


def from_request(body: PromotionInput) -> CreatePromotion:
    return CreatePromotion(
        code=body.code,
        name=body.name,
        kind=body.kind,
        percent=body.percent,
        amount_minor=body.amount.to_money().amount_minor if body.amount else None,
        currency=next(iter(body.currencies), None),
        count=body.count,
        duration=body.duration,
        duration_periods=body.duration_periods,
        plan_codes=tuple(body.plan_codes),
        customers=body.customers,
        minimum_minor=body.minimum.to_money().amount_minor if body.minimum else None,
        maximum_redemptions=body.maximum_redemptions,
        maximum_per_account=body.maximum_per_account,
        combinable=body.combinable,
        redeemable_from=body.redeemable_from,
        redeemable_until=body.redeemable_until,
        metadata=body.metadata,
    )


def from_update_request(body: PromotionUpdateInput, promotion_code: str) -> UpdatePromotion:
    stays = {name for name in ("name", "metadata") if getattr(body, name) is None}
    changes: Any = {name: getattr(body, name) for name in body.model_fields_set - stays}
    return UpdatePromotion(code=promotion_code, changes=changes)


def to_response(promotion: model.Promotion) -> Promotion:
    return Promotion(
        id=promotion.id,
        code=promotion.code,
        name=promotion.name,
        status=promotion.status,
        kind=promotion.kind,
        percent=promotion.percent,
        amount=_money(promotion.amount_minor, promotion.currency),
        count=promotion.count,
        duration=promotion.duration,
        duration_periods=promotion.duration_periods,
        currency=promotion.currency,
        plan_codes=list(promotion.plan_codes),
        customers=promotion.customers,
        minimum=_money(promotion.minimum_minor, promotion.currency),
        maximum_redemptions=promotion.maximum_redemptions,
        maximum_per_account=promotion.maximum_per_account,
        combinable=promotion.combinable,
        redeemable_from=promotion.redeemable_from,
        redeemable_until=promotion.redeemable_until,
        redemptions=promotion.redemptions,
        metadata=promotion.metadata,
        version=promotion.version,
        created_at=promotion.created_at,
        updated_at=promotion.updated_at,
    )


def to_redemption(redemption: model.Redemption) -> Redemption:
    return Redemption(
        id=redemption.id,
        promotion_code=redemption.code,
        account_id=redemption.account_id,
        subscription_id=redemption.subscription_id,
        state=redemption.state,
        remaining_amount=_money(redemption.remaining_minor, redemption.currency),
        remaining_periods=redemption.remaining_periods,
        remaining_seconds=redemption.remaining_seconds,
        redeemed_at=redemption.redeemed_at,
    )


def _money(amount_minor: int | None, currency: str | None) -> MoneyModel | None:
    if amount_minor is None or currency is None:
        return None
    return MoneyModel.from_money(Money(amount_minor, currency_of(currency)))
