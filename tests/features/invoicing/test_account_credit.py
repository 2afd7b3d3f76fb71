"""Is an account's credit what was granted, less what was withdrawn?"""

from __future__ import annotations

import asyncio

import pytest

from billwright.features.invoicing.operations.grant_credit import (
    ChangeCredit,
    grant_credit,
    withdraw_credit,
)
from billwright.features.invoicing.sql.reads_credit import credit_balances, list_credit_entries
from billwright.kernel.currency import currency_of
from billwright.kernel.money import Money
from billwright.kernel.refusal import Refusal
from tests.conftest import Tenant
from tests.features.billing import an_account

EUR, JPY = currency_of("EUR"), currency_of("JPY")


async def test_credit_is_kept_by_currency(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)

        def change(amount: Money) -> ChangeCredit:
            return ChangeCredit(account_id=account.id, amount=amount, reason="goodwill")

        assert await grant_credit(tx, change(Money(500, EUR))) == Money(500, EUR)
        assert await grant_credit(tx, change(Money(70, JPY))) == Money(70, JPY)
        assert await withdraw_credit(tx, change(Money(500, EUR))) == Money(0, EUR)
        assert await credit_balances(tx, account.id) == [Money(0, EUR), Money(70, JPY)]
        for refused_change, code in (
            (withdraw_credit(tx, change(Money(71, JPY))), "credit_insufficient"),
            (withdraw_credit(tx, change(Money(1, EUR))), "credit_insufficient"),
            (withdraw_credit(tx, change(Money(-1, EUR))), "credit_not_positive"),
            (grant_credit(tx, change(Money(0, EUR))), "credit_not_positive"),
        ):
            with pytest.raises(Refusal) as refused:
                await refused_change
            assert refused.value.code == code


async def test_two_at_once_cannot_withdraw_the_same(tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        change = ChangeCredit(account_id=account.id, amount=Money(300, EUR), reason="x")
        await grant_credit(tx, change)
        await grant_credit(tx, change)

    async def withdraw() -> bool:
        try:
            async with tenant.tx() as tx:
                await withdraw_credit(tx, change)
        except Refusal as refusal:
            assert refusal.code == "credit_insufficient"
            return False
        return True

    assert sorted(await asyncio.gather(*(withdraw() for _ in range(4)))) == [
        False,
        False,
        True,
        True,
    ]


async def test_another_tenants_account_is_invisible(tenant: Tenant, other_tenant: Tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx)
        change = ChangeCredit(account_id=account.id, amount=Money(300, EUR), reason="x")
        await grant_credit(tx, change)
    async with other_tenant.tx() as tx:
        for attempt in (grant_credit(tx, change), withdraw_credit(tx, change)):
            with pytest.raises(Refusal) as refused:
                await attempt
            assert refused.value.code == "account_unknown"
        assert await credit_balances(tx, account.id) == []
        assert await list_credit_entries(tx, account.id, currency="EUR", before=None, limit=9) == []
