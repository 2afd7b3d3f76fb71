"""Can a command take effect before one that came true already?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.features.subscriptions.operations.change_add_ons import (
    AddAddOn,
    RemoveAddOn,
    add_add_on,
    remove_add_on,
)
from billwright.features.subscriptions.operations.pause_subscription import (
    PauseSubscription,
    pause_subscription,
)
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.features.billing import a_plan, a_subscription, add_on, an_account, in_arrears


async def test_not_before_what_is_gone_again(tenant, clock):
    """An add-on that came and went leaves no item; its credit still says when that was."""
    async with tenant.tx() as tx:
        await a_plan(tx, components=(in_arrears("storage", "31.00"), add_on("support", "31.00")))
        subscription_id = (await a_subscription(tx, await an_account(tx))).subscription.id
    clock.move_to(NOON + timedelta(days=10))
    async with tenant.tx() as tx:
        await add_add_on(tx, AddAddOn(subscription_id=subscription_id, component_code="support"))
    clock.move_to(NOON + timedelta(days=12))
    async with tenant.tx() as tx:
        await remove_add_on(
            tx, RemoveAddOn(subscription_id=subscription_id, component_code="support")
        )
    clock.move_to(NOON + timedelta(days=13))
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await pause_subscription(
                tx,
                PauseSubscription(
                    subscription_id=subscription_id, effective_at=NOON + timedelta(days=11)
                ),
            )
    assert refused.value.code == "effective_at_invalid"
    async with tenant.tx() as tx:
        await pause_subscription(
            tx,
            PauseSubscription(
                subscription_id=subscription_id, effective_at=NOON + timedelta(days=12)
            ),
        )
