"""Does an explanation, computed again from its inputs alone, give what was charged?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from billwright.features.catalog.model import (
    ComponentKind,
    PlanComponent,
    PlanComponentId,
    PlanId,
    PlanVersion,
    PlanVersionId,
    Timing,
)
from billwright.features.invoicing.model import ChargeId, ChargeKind, LiveCharge, NewCharge
from billwright.features.invoicing.operations.explain_invoice import explain_invoice
from billwright.features.invoicing.rules.explanation import (
    Correction,
    Explanation,
    Surroundings,
    Window,
    computed,
    explain,
    reached_by,
)
from billwright.features.subscriptions.model import (
    Subscription,
    SubscriptionId,
    SubscriptionItem,
    SubscriptionState,
)
from billwright.features.subscriptions.rules.service_charges import (
    charges_in_advance,
    charges_in_arrears,
    one_time_charges,
)
from billwright.features.subscriptions.rules.transition import ChargingTerms, Facts
from billwright.features.subscriptions.rules.unused_credits import unused_credits
from billwright.features.usage.model import Used
from billwright.kernel.calendar import Interval, IntervalUnit, Schedule
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money, Rounding, allocate
from billwright.kernel.proration import Granularity
from tests.conftest import Tenant
from tests.features.billing import an_account
from tests.features.invoicing.charging import a_charge, billed
from tests.features.pricing.definitions import any_definition, quantities

BEGAN = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
ANCHOR = datetime(2026, 1, 31, 9, 30)  # noqa: DTZ001 - a local time
SCHEDULE = Schedule(ANCHOR, "Europe/Berlin", Interval(IntervalUnit.MONTH))
PERIOD = SCHEDULE.period(0)
SECONDS = int((PERIOD.end - PERIOD.start).total_seconds())

currencies = st.sampled_from(["JPY", "EUR", "KWD"])
terms = st.builds(
    ChargingTerms,
    granularity=st.sampled_from(Granularity),
    rounding=st.sampled_from(
        [Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.HALF_DOWN, Rounding.UP, Rounding.DOWN]
    ),
)
instants = st.integers(0, SECONDS).map(lambda seconds: PERIOD.start + timedelta(seconds=seconds))


@st.composite
def plans(draw: st.DrawFn, currency: str) -> PlanVersion:
    """A plan with a component of every kind, any prices, free units and minimums."""

    def component(kind: ComponentKind, timing: Timing) -> PlanComponent:
        name = f"{kind.value}_{timing.value}"
        has_minimum = timing is Timing.IN_ARREARS and draw(st.booleans())
        return PlanComponent(
            id=PlanComponentId(uuid4()),
            code=name,
            name=name,
            timing=timing,
            unit_name="",
            prices={currency: draw(any_definition)},
            kind=kind,
            free_units=draw(st.sampled_from([Decimal(0), Decimal("2.5")])),
            minimums={currency: draw(st.integers(1, 10**9))} if has_minimum else {},
            meter="calls" if kind is ComponentKind.USAGE else None,
        )

    return PlanVersion(
        id=PlanVersionId(uuid4()),
        plan_id=PlanId(uuid4()),
        plan_code="team",
        number=1,
        name="Team",
        interval=Interval(IntervalUnit.MONTH),
        tax_category="standard",
        components=(
            component(ComponentKind.RECURRING, Timing.IN_ADVANCE),
            component(ComponentKind.RECURRING, Timing.IN_ARREARS),
            component(ComponentKind.USAGE, Timing.IN_ARREARS),
            component(ComponentKind.ONE_TIME, Timing.IN_ADVANCE),
        ),
        features=(),
        created_at=BEGAN,
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[Subscription, Facts]:
    """A subscription to such a plan, some of it at prices of its own, with some usage."""
    currency = draw(currencies)
    version = draw(plans(currency))
    subscription = Subscription(
        id=SubscriptionId(uuid4()),
        number=1,
        external_id=None,
        account_id=uuid4(),
        plan_version_id=version.id,
        state=SubscriptionState.ACTIVE,
        currency=currency,
        schedule=SCHEDULE,
        period=PERIOD,
        items=tuple(
            SubscriptionItem(
                component.id,
                draw(quantities),
                draw(st.none() | any_definition),
                draw(st.none() | instants),
            )
            for component in version.components
        ),
        started_at=BEGAN,
        next_action_at=None,
        test_clock_id=None,
        version=1,
        created_at=BEGAN,
        updated_at=BEGAN,
    )
    used = {
        component.id: Used(quantity=draw(quantities), events=1, digest="00")
        for component in version.components
        if component.kind is ComponentKind.USAGE and draw(st.booleans())
    }
    return subscription, Facts(
        version=version,
        terms=draw(terms),
        zone="Europe/Berlin",
        has_payment_method=True,
        used=used,
        cutoff=PERIOD.end,
    )


def written(charge: NewCharge) -> LiveCharge:
    return LiveCharge(id=ChargeId(uuid4()), charge=charge, credited_minor=0, reversed_from=None)


def explained(
    live: LiveCharge,
    facts: Facts,
    *,
    currency: str,
    beside: tuple[LiveCharge, ...] = (),
    corrected: LiveCharge | None = None,
) -> Explanation:
    correction = None
    if corrected is not None:
        charge = corrected.charge
        correction = Correction(
            charge_id=corrected.id,
            invoice_number="INV-1",
            window=Window(charge.period_start, charge.period_end),
            listed_minor=corrected.listed_minor,
            amount_minor=charge.amount_minor,
            left_minor=corrected.creditable_minor,
        )
    taken_off = {each.id: each.charge.discount_minor for each in beside}
    return explain(
        live,
        Surroundings(
            currency=currency_of(currency),
            rule_version=1,
            version=facts.version,
            correction=correction,
            reached_minor=reached_by(live.charge, beside, discounts=taken_off),
            discounts=live.charge.discounts,
        ),
    )


@given(situations(), instants, instants)
def test_every_charge_of_a_subscription_is_explained(situation, start, until):
    subscription, facts = situation
    charges = [
        *charges_in_advance(subscription, facts, start=start),
        *charges_in_arrears(subscription, facts, until=until),
        *one_time_charges(subscription, facts, at=start),
    ]
    lines = tuple(map(written, charges))
    for live in lines:
        explanation = explained(live, facts, currency=subscription.currency, beside=lines)
        assert explanation.agrees, explanation
        assert explanation.inputs.window == Window(live.charge.period_start, live.charge.period_end)


@given(situations(), instants, instants, st.integers(0, 100), st.integers(0, 100))
def test_every_credit_for_unused_time_is_explained(situation, start, at, percent, given_back):
    subscription, facts = situation
    currency = currency_of(subscription.currency)
    lines = []
    for charge in charges_in_advance(subscription, facts, start=start):
        taken = allocate(Money(charge.amount_minor, currency), [percent, 100 - percent])[0]
        live = written(
            replace(
                charge,
                amount_minor=charge.amount_minor - taken.amount_minor,
                discounts=((uuid4(), taken.amount_minor),) if taken.amount_minor else (),
            )
        )
        lines.append(replace(live, credited_minor=live.charge.amount_minor * given_back // 100))
    components = {component.id: facts.version for component in facts.version.components}
    for credit in unused_credits(lines, components, at=at, currency=currency):
        (corrected,) = [each for each in lines if each.id == credit.corrects_charge_id]
        explanation = explained(written(credit), facts, currency=currency.code, corrected=corrected)
        assert explanation.agrees, explanation


def test_what_was_tampered_with_does_not_agree():
    charge = replace(a_charge(1001), unit_price=Decimal("10.005"))  # 10.01 by half up
    around = Surroundings(
        currency=currency_of("EUR"),
        rule_version=1,
        version=None,
        correction=None,
        reached_minor=0,
        discounts=(),
    )
    explanation = explain(written(charge), around)
    assert explanation.agrees
    assert explanation.computed.exact == Fraction("10.005")
    changed = explain(written(replace(charge, amount_minor=1002)), around)
    assert not changed.agrees
    assert computed(changed.inputs).amount_minor == 1001


async def test_the_lines_of_an_invoice_are_explained(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        manual = replace(a_charge(150), unit_price=Decimal("0.75"), quantity=Decimal(2))
        (document,) = (await billed(tx, account, manual, a_charge(7))).documents
        explained_invoice = await explain_invoice(tx, document.id)
        first, second = explained_invoice.lines
        assert (first.explanation.agrees, first.explanation.inputs.quantity) == (True, 2)
        assert (second.explanation.agrees, second.explanation.computed.exact) == (True, None)
        assert first.explanation.inputs.kind is ChargeKind.MANUAL
