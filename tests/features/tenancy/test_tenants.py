"""How does a tenant come to be, and how does it count?"""

from __future__ import annotations

import asyncio

import pytest

from billwright.features.tenancy.operations.create_tenant import CreateTenant, create_tenant
from billwright.features.tenancy.operations.next_number import (
    next_account_number,
    next_subscription_number,
)
from billwright.features.tenancy.sql.reads import the_seller, the_tenant
from billwright.kernel.actor import system_actor
from billwright.kernel.ids import TenantId, new_id
from billwright.kernel.refusal import Refusal
from tests.conftest import make_tenant
from tests.features.tenancy.sellers import JAPANESE


async def test_a_tenant_is_stored_with_its_seller(tenant):
    async with tenant.tx() as tx:
        seller, found = await the_seller(tx), await the_tenant(tx)
        now = tx.now
        action = await tx.fetch_value("select action from audit_entry")
    assert (seller.currency, seller.zone, seller.payment_terms_days) == ("EUR", "Europe/Berlin", 14)
    assert str(seller.tax_rates["standard"]) == "0.19"
    assert seller.party.address.city == "Berlin"
    assert (found.id, found.code, found.name) == (tenant.id, "default", "Tenant default")
    assert found.created_at == now
    assert action == "tenant.create"
    assert await tenant.database.tenant_by_code("default") == tenant.id


async def test_every_setting_of_a_new_seller_is_stored(database):
    tenant_id = TenantId(new_id())
    async with database.tx(tenant_id, actor=system_actor("test"), cause="test") as tx:
        await create_tenant(tx, CreateTenant(code="east", name="East", seller=JAPANESE))
        assert await the_seller(tx) == JAPANESE


async def test_a_code_belongs_to_one_tenant_and_a_refused_one_leaves_nothing(database, tenant):
    with pytest.raises(Refusal) as refused:
        await make_tenant(database, "default")
    assert (refused.value.code, refused.value.category) == ("tenant_code_taken", "conflict")
    assert await database.all_tenants() == [tenant.id]


async def test_numbers_are_gapless_under_contention_and_each_tenant_has_its_own(
    tenant, other_tenant
):
    async def take(owner) -> int:
        async with owner.tx() as tx:
            return await next_account_number(tx)

    async def give_up() -> None:
        with pytest.raises(ZeroDivisionError):
            async with tenant.tx() as tx:
                await next_account_number(tx)
                raise ZeroDivisionError

    taken = await asyncio.gather(
        *(take(tenant) for _ in range(20)),
        *(take(other_tenant) for _ in range(5)),
        *(give_up() for _ in range(5)),
    )
    assert sorted(taken[:20]) == list(range(1, 21))
    assert sorted(taken[20:25]) == [1, 2, 3, 4, 5]
    async with tenant.tx() as tx:
        assert await next_subscription_number(tx) == 1
