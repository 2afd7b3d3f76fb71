"""Does a seller change in all of its settings at once, with a trace, and for its own tenant only?"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from billwright.features.tenancy.events import SellerUpdated
from billwright.features.tenancy.model import Seller
from billwright.features.tenancy.operations.update_seller import update_seller
from billwright.features.tenancy.sql.reads import the_seller
from billwright.kernel.ids import new_id
from billwright.kernel.money import Rounding
from billwright.kernel.refusal import Refusal
from tests.features.tenancy.sellers import JAPANESE


async def test_everything_of_a_seller_changes_but_its_id(tenant, other_tenant):
    async with other_tenant.tx() as tx:
        other = await the_seller(tx)
    async with tenant.tx() as tx:
        before = await the_seller(tx)
        assert all(
            getattr(before, field.name) != getattr(JAPANESE, field.name) for field in fields(Seller)
        )
        after = await update_seller(tx, JAPANESE)
        [(_, _, event)] = tx.events
    assert after == replace(JAPANESE, id=before.id)
    assert isinstance(event, SellerUpdated)
    assert event.subject_id == before.id
    assert list(event.changed) == sorted(
        field.name for field in fields(Seller) if field.name != "id"
    )
    async with tenant.tx() as tx:
        assert await the_seller(tx) == after
        action, subject = await tx.fetch_row(
            "select action, subject_id from audit_entry order by id desc limit 1"
        )
        assert (action, subject) == ("seller.update", before.id)
    async with other_tenant.tx() as tx:
        assert await the_seller(tx) == other


async def test_what_changes_nothing_leaves_nothing(tenant):
    async with tenant.tx() as tx:
        before = await the_seller(tx)
        assert await update_seller(tx, replace(before, id=new_id())) == before
        assert (tx.events, tx.audit_entries) == ([], [])


async def test_a_wrong_seller_is_refused_with_everything_that_is_wrong(tenant):
    wrong = replace(JAPANESE, rounding=Rounding.FLOOR, minimum_invoice={"JPY": 0}, zone="Tokyo")
    async with tenant.tx() as tx:
        before = await the_seller(tx)
        with pytest.raises(Refusal) as refused:
            await update_seller(tx, wrong)
        assert await the_seller(tx) == before
    assert refused.value.code == "seller_invalid"
    assert [each.pointer for each in refused.value.problems] == [
        "/zone",
        "/rounding",
        "/minimum_invoice/JPY",
    ]


@pytest.mark.parametrize("rounding", sorted(set(Rounding) - {Rounding.CEILING, Rounding.FLOOR}))
async def test_every_even_rounding_can_be_stored(tenant, rounding):
    async with tenant.tx() as tx:
        changed = replace(await the_seller(tx), rounding=rounding)
        await update_seller(tx, changed)
        assert (await the_seller(tx)).rounding is rounding
