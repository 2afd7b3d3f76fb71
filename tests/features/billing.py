"""What do tests of billing start from? A plan, an account and a subscription, in few words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billwright.features.accounts.model import Account
from billwright.features.accounts.operations.create_account import CreateAccount, create_account
from billwright.features.catalog.model import (
    ComponentKind,
    FeatureKind,
    Plan,
    PlanFeature,
    Timing,
)
from billwright.features.catalog.operations.create_plan import (
    CreatePlan,
    NewComponent,
    create_plan,
)
from billwright.features.pricing.rules.models.flat import Flat
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.operations.create_subscription import (
    CreateSubscription,
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


def one_time(code: str, price: str, *, currency: str = "EUR") -> NewComponent:
    """A component that is charged once, at the beginning."""
    return NewComponent(
        code=code,
        name=code.capitalize(),
        kind=ComponentKind.ONE_TIME,
        prices=((currency, PerUnit(price=Decimal(price))),),
    )


def metered(
    code: str, price: str, *, meter: str = "api_calls", currency: str = "EUR", **changes: Any
) -> NewComponent:
    """A component that charges each unit that was used of a meter."""
    return NewComponent(
        code=code,
        name=code.capitalize(),
        kind=ComponentKind.USAGE,
        timing=Timing.IN_ARREARS,
        meter=meter,
        prices=((currency, PerUnit(price=Decimal(price))),),
        **changes,
    )


def add_on(code: str, price: str, *, currency: str = "EUR", **changes: Any) -> NewComponent:
    """A component in advance that a subscription has only when it is asked for."""
    return NewComponent(
        code=code,
        name=code.capitalize(),
        optional=True,
        prices=((currency, PerUnit(price=Decimal(price))),),
        **changes,
    )


async def an_account(tx: Tx, name: str = "Riverbank Books", **changes: Any) -> Account:
    """A business customer."""
    return await create_account(tx, CreateAccount(name=name, **changes))


async def a_subscription(
    tx: Tx, account: Account, plan_code: str = "team", **changes: Any
) -> Commanded:
    """A subscription that starts now."""
    return await create_subscription(
        tx, CreateSubscription(account_id=account.id, plan_code=plan_code, **changes)
    )
