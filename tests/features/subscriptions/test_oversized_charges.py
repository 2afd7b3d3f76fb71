"""Is a quantity refused at once when no billing run could bill it?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from billwright.features.catalog.operations.create_plan import NewComponent
from billwright.features.pricing.rules.models.per_unit import PerUnit
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_plan, a_subscription, an_account, in_arrears


@pytest.mark.parametrize("component", ["seats", "calls"])
async def test_too_much_in_advance_or_in_arrears_is_refused_and_leaves_nothing(tenant, component):
    price = (("EUR", PerUnit(price=Decimal(999999999999))),)
    async with tenant.tx() as tx:
        await a_plan(
            tx,
            components=(
                NewComponent(code="seats", name="Seats", prices=price),
                in_arrears("calls", "999999999999"),
            ),
        )
        account = await an_account(tx)
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await a_subscription(tx, account, quantities={component: Decimal(99_999_999)})
    async with tenant.tx() as tx:
        kept = await tx.fetch_value("select count(*) from subscription")
    assert (refused.value.code, kept) == ("charge_too_large", 0)
    assert refused.value.problems[0].pointer == f"/quantities/{component}"
