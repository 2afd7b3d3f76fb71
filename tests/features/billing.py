"""What do tests of billing start from? A plan, an account and a subscription, in few words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.create_account import CreateAccount, create_account
from billwright.features.catalog.model import FeatureKind, Plan, PlanFeature, Timing
from billwright.features.catalog.operations.create_plan import (
    CreatePlan,
    NewComponent,
    create_plan,
)
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.subscriptions.operations.create_subscription import (
    CreateSubscription,
    Started,
    create_subscription,
)
from billwright.kernel.calendar import Interval, IntervalUnit
from billwright.runtime.db.tx import Tx

TEAM_FEATURES = (
    PlanFeature("api_calls", "API calls", FeatureKind.METERED, "1000"),
    PlanFeature("region", "Region", FeatureKind.STATIC, "eu"),
    PlanFeature("sso", "Single sign-on", FeatureKind.BOOLEAN, True),
)


async def a_plan(tx: Tx, code: str = "team", **changes: Any) -> Plan:
    """A monthly plan: 29.00 EUR base and 9.90 EUR a seat, in advance, with three features."""
    values: dict[str, Any] = {
        "code": code,
        "name": "Team",
        "interval": Interval(IntervalUnit.MONTH),
        "components": (
            NewComponent(
                code="base",
                name="Base fee",
                prices=(("EUR", Flat(price=Decimal("29.00"))),),
            ),
            NewComponent(
                code="seats",
                name="Seats",
                unit_name="seat",
                prices=(("EUR", PerUnit(price=Decimal("9.90"))),),
            ),
        ),
        "features": TEAM_FEATURES,
    }
    return await create_plan(tx, CreatePlan(**{**values, **changes}))


def in_arrears(code: str, price: str, *, currency: str = "EUR") -> NewComponent:
    """A component that is owed when a period has ended."""
    return NewComponent(
        code=code,
        name=code.capitalize(),
        timing=Timing.IN_ARREARS,
        prices=((currency, PerUnit(price=Decimal(price))),),
    )


async def an_account(tx: Tx, name: str = "Riverbank Books", **changes: Any) -> Account:
    """A business customer."""
    return await create_account(tx, CreateAccount(name=name, **changes))


async def a_subscription(
    tx: Tx, account: Account, plan_code: str = "team", **changes: Any
) -> Started:
    """A subscription that starts now."""
    return await create_subscription(
        tx, CreateSubscription(account_id=account.id, plan_code=plan_code, **changes)
    )
