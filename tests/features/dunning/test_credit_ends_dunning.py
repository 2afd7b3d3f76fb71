"""Is nothing pursued any more that account credit has paid?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.features.dunning.rules.policy import policy_of
from billwright.features.invoicing.operations.grant_credit import ChangeCredit
from billwright.features.payments.operations.apply_new_credit import grant_and_apply
from tests.features.dunning.pursuing import DUE, a_pursuit
from tests.features.payments.paying import TOTAL, euros

MINIMUM = policy_of({"minimums": {"EUR": "5.00"}})


async def grant(pursuit, amount_minor):
    account_id = pursuit.invoice.account_id
    change = ChangeCredit(account_id=account_id, amount=euros(amount_minor), reason="Sorry")
    async with pursuit.tenant.tx() as tx:
        await grant_and_apply(tx, change)


async def test_the_whole_gives_everything_back_in_its_own_commit(tenant, clock):
    pursuit = await a_pursuit(tenant, clock)
    await pursuit.live_until(DUE + timedelta(days=15))
    assert ((await pursuit.subscription()).state, await pursuit.access()) == (
        "past_due",
        "read_only",
    )
    await grant(pursuit, TOTAL)
    assert (await pursuit.case()).standing.state == "recovered"
    assert ((await pursuit.subscription()).state, await pursuit.access()) == ("active", "full")
    asked = len(pursuit.bank.collected)
    await pursuit.live_until(DUE + timedelta(days=20))
    assert len(pursuit.bank.collected) == asked


@pytest.mark.parametrize(("left", "goes_on"), [(500, True), (499, False)])
async def test_a_part_that_leaves_too_little_ends_it_as_well(tenant, clock, left, goes_on):
    pursuit = await a_pursuit(tenant, clock, policy=MINIMUM)
    await pursuit.live_until(DUE + timedelta(days=1))
    await grant(pursuit, TOTAL - left)
    assert ((await pursuit.case()).standing.state == "open") is goes_on
    await pursuit.live_until(DUE + timedelta(days=8))
    due = [request.amount.amount_minor for request in pursuit.bank.requests]
    assert due == [TOTAL, left, left] if goes_on else due == [TOTAL]
