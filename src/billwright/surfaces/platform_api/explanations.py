"""What does the reason of a line's amount look like in answers?"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import Annotated
from uuid import UUID

from pydantic import Field

from billwright.features.invoicing import model
from billwright.features.invoicing.operations.explain_invoice import ExplainedInvoice
from billwright.features.invoicing.rules import explanation as reasons
from billwright.features.pricing.rules.parts import PricePart
from billwright.kernel.currency import Currency
from billwright.kernel.money import Money, Rounding
from billwright.kernel.proration import Granularity
from billwright.surfaces.platform_api.fields import Quantity, plain
from billwright.surfaces.platform_api.invoices_models import InvoiceLine, to_line
from billwright.surfaces.platform_api.prices import PriceOutput, price_output
from billwright.surfaces.web.wire import Instant, MoneyModel, ResponseModel

_READABLE = Context(prec=40)
_PLACES = Decimal("0.000000000001")

FractionText = Annotated[
    str, Field(description="An exact number, as numerator and denominator.", examples=["7/31"])
]
PriceText = Annotated[str, Field(description="In major units, exact.", examples=["9.90"])]


class ExplainedWindow(ResponseModel):
    """From `start` up to, but not including, `end`."""

    start: Instant
    end: Instant


class ExplainedPlan(ResponseModel):
    """Which component of which version of a plan was charged."""

    code: str
    version: int
    component: str
    component_name: str


class ExplainedPart(ResponseModel):
    """One term of the price: its units times their price, and a flat price, in a tier's bounds."""

    quantity: Quantity
    above: Quantity
    up_to: Quantity | None
    package_size: Quantity | None
    unit_price: PriceText | None
    flat_price: PriceText | None
    amount: FractionText


class ExactAmount(ResponseModel):
    """An amount in major units before it is rounded."""

    fraction: FractionText
    decimal: Annotated[str, Field(description="To read; cut to twelve decimal places.")]


class ExplainedDiscount(ResponseModel):
    """What a promotion took off; below zero where a credit gives it back."""

    redemption_id: UUID
    promotion_code: str | None
    promotion_name: str | None
    amount: MoneyModel


class ExplainedMinimum(ResponseModel):
    """What a whole period costs at least, and what its units come to before discounts."""

    minimum: MoneyModel
    reached: MoneyModel


class ExplainedUsage(ResponseModel):
    """Which events were counted: those that had arrived by `cutoff`; `digest` tells their set."""

    meter: str
    meter_version: Annotated[
        int, Field(description="By which it was counted; 0 when nobody had defined the meter.")
    ]
    cutoff: Instant
    events: int
    digest: str


class ExplainedCorrection(ResponseModel):
    """The line that is taken back, its window, and how much of it was left before."""

    line_id: UUID
    invoice_number: str | None
    window: ExplainedWindow
    listed: Annotated[MoneyModel, Field(description="Before discounts.")]
    amount: Annotated[MoneyModel, Field(description="After discounts.")]
    left: MoneyModel


class Explanation(ResponseModel):
    """What an amount was computed from, and each step to it."""

    rule: Annotated[model.ChargeKind, Field(description="What kind of charge was computed.")]
    rule_version: int
    plan: ExplainedPlan | None
    price: Annotated[PriceOutput | None, Field(description="The definition that was applied.")]
    own_price: Annotated[bool, Field(description="It is the subscription's own price.")]
    unit_price: Annotated[PriceText | None, Field(description="What a person wrote.")]
    quantity: Quantity
    free_units: Quantity
    parts: Annotated[list[ExplainedPart], Field(description="Of a whole period, but for usage.")]
    window: ExplainedWindow
    whole: Annotated[
        ExplainedWindow | None, Field(description="The undivided period that it is a share of.")
    ]
    granularity: Granularity
    zone: str
    share: FractionText
    exact: Annotated[ExactAmount | None, Field(description="Null where a person set the amount.")]
    rounding: Rounding
    rounded: MoneyModel
    discounts: list[ExplainedDiscount]
    minimum: ExplainedMinimum | None
    usage: ExplainedUsage | None
    corrects: ExplainedCorrection | None
    already: Annotated[
        MoneyModel | None,
        Field(
            description="Of a `usage_adjustment`: what the window was charged before, minimum included "
            "and before discounts. Quantity and price are those of the window as it is known now."
        ),
    ]
    amount: MoneyModel
    agrees: Annotated[
        bool, Field(description="The inputs, computed again, make the amount that was charged.")
    ]


class ExplainedLine(InvoiceLine):
    """A position with the reasons of its amount."""

    explanation: Explanation


class ExplainedLines(ResponseModel):
    """All positions of a document, in its order."""

    data: list[ExplainedLine]


def to_explained(explained: ExplainedInvoice) -> ExplainedLines:
    currency = explained.invoice.currency
    return ExplainedLines(
        data=[
            ExplainedLine(
                **dict(to_line(each.line, currency)),
                explanation=_explanation(each.explanation, explained),
            )
            for each in explained.lines
        ]
    )


def _explanation(explanation: reasons.Explanation, explained: ExplainedInvoice) -> Explanation:
    inputs, steps = explanation.inputs, explanation.computed
    currency = inputs.currency
    return Explanation(
        rule=inputs.kind,
        rule_version=inputs.rule_version,
        plan=_plan(explanation.place),
        price=price_output(inputs.pricing, currency.code) if inputs.pricing else None,
        own_price=explanation.own_price,
        unit_price=_price(inputs.unit_price),
        quantity=inputs.quantity,
        free_units=inputs.free_units,
        parts=[_part(part) for part in steps.parts],
        window=_window(inputs.window),
        whole=_window(inputs.whole) if inputs.whole else None,
        granularity=inputs.granularity,
        zone=inputs.zone,
        share=_fraction(steps.share),
        exact=None if steps.exact is None else _exact(steps.exact),
        rounding=inputs.rounding,
        rounded=_money(steps.rounded_minor, currency),
        discounts=[_discount(each, explained) for each in inputs.discounts],
        minimum=_minimum(inputs.minimum, currency),
        usage=_usage(explanation.usage),
        corrects=_correction(inputs.correction, currency),
        already=(None if inputs.already_minor is None else _money(inputs.already_minor, currency)),
        amount=_money(explanation.amount_minor, currency),
        agrees=explanation.agrees,
    )


def _plan(place: reasons.PlanPlace | None) -> ExplainedPlan | None:
    if place is None:
        return None
    return ExplainedPlan(
        code=place.plan_code,
        version=place.plan_version,
        component=place.component_code,
        component_name=place.component_name,
    )


def _part(part: PricePart) -> ExplainedPart:
    return ExplainedPart(
        quantity=part.quantity,
        above=part.above,
        up_to=part.up_to,
        package_size=part.package_size,
        unit_price=_price(part.unit_price),
        flat_price=_price(part.flat_price),
        amount=_fraction(part.amount),
    )


def _discount(taken_off: reasons.TakenOff, explained: ExplainedInvoice) -> ExplainedDiscount:
    redemption = explained.redemptions.get(taken_off.redemption_id)
    return ExplainedDiscount(
        redemption_id=taken_off.redemption_id,
        promotion_code=redemption.code if redemption else None,
        promotion_name=redemption.name if redemption else None,
        amount=_money(taken_off.amount_minor, explained.invoice.currency),
    )


def _minimum(minimum: reasons.Minimum | None, currency: Currency) -> ExplainedMinimum | None:
    if minimum is None:
        return None
    return ExplainedMinimum(
        minimum=_money(minimum.minimum_minor, currency),
        reached=_money(minimum.reached_minor, currency),
    )


def _usage(used: model.UsedOf | None) -> ExplainedUsage | None:
    if used is None:
        return None
    return ExplainedUsage(
        meter=used.meter,
        meter_version=used.meter_version,
        cutoff=used.cutoff,
        events=used.events,
        digest=used.digest,
    )


def _correction(
    correction: reasons.Correction | None, currency: Currency
) -> ExplainedCorrection | None:
    if correction is None:
        return None
    return ExplainedCorrection(
        line_id=correction.charge_id,
        invoice_number=correction.invoice_number,
        window=_window(correction.window),
        listed=_money(correction.listed_minor, currency),
        amount=_money(correction.amount_minor, currency),
        left=_money(correction.left_minor, currency),
    )


def _window(window: reasons.Window) -> ExplainedWindow:
    return ExplainedWindow(start=window.start, end=window.end)


def _exact(amount: Fraction) -> ExactAmount:
    number = _READABLE.divide(Decimal(amount.numerator), Decimal(amount.denominator))
    return ExactAmount(
        fraction=_fraction(amount), decimal=plain(number.quantize(_PLACES, context=_READABLE))
    )


def _fraction(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"


def _price(price: Decimal | None) -> str | None:
    return None if price is None else plain(price)


def _money(amount_minor: int, currency: Currency) -> MoneyModel:
    return MoneyModel.from_money(Money(amount_minor, currency))
