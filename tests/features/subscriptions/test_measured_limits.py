"""Which limits does a subscription have of its plan and its add-ons, and what was used of them?"""

from __future__ import annotations

from decimal import Decimal

from billwright.features.catalog.model import FeatureKind, FeatureTerms, PlanFeature
from billwright.features.catalog.operations.create_feature import CreateFeature, create_feature
from billwright.features.subscriptions.operations.measure_usage import measure_usage
from billwright.features.usage.model import NewUsage
from billwright.features.usage.operations.record_usage import RecordUsage, record_usage
from tests.features.billing import a_plan, a_subscription, add_on, an_account

METERED = FeatureKind.METERED


def calls(limit, add_on=None):
    return PlanFeature("calls", "Calls", METERED, limit, FeatureTerms(), add_on)


async def limits_of(tenant, **changes):
    """What remains after 120 requests of a plan with these features, with 2.5 units of an add-on."""
    async with tenant.tx() as tx:
        await create_feature(
            tx, CreateFeature(code="calls", name="Calls", kind=METERED, meter="requests")
        )
        await a_plan(tx, components=(add_on("more", "5.00"), add_on("most", "9.00")), **changes)
        account = await an_account(tx)
        quantities = {"more": Decimal("2.5")}
        subscription = (await a_subscription(tx, account, quantities=quantities)).subscription
        used = NewUsage(
            source="api",
            event_id="1",
            meter="requests",
            quantity=Decimal(120),
            occurred_at=tx.now,
        )
        own = {"account_id": account.id, "subscription_id": subscription.id}
        await record_usage(tx, RecordUsage(events=(used,), **own))
        measured = await measure_usage(tx, subscription.id)
    return [(one.feature.code, one.limit, one.used, one.remaining) for one in measured.limits]


async def test_the_units_of_an_add_on_add_to_the_limit_of_the_plan(tenant):
    """100 of the plan and 2.5 units of 20 each, by the feature's own meter."""
    features = (calls("100"), calls("20", "more"), calls("9000", "most"))
    limit = Decimal(150)
    assert await limits_of(tenant, features=features) == [("calls", limit, 120, limit - 120)]


async def test_without_a_limit_nothing_adds_to_it(tenant):
    features = (calls("100"), calls(None, "more"))
    assert await limits_of(tenant, features=features) == [("calls", None, 120, None)]
