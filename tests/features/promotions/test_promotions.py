"""Which promotions can be made, and what of them may change?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from billwright.features.promotions.model import (
    Customers,
    Duration,
    PromotionKind,
    PromotionStatus,
)
from billwright.features.promotions.operations.archive_promotion import archive_promotion
from billwright.features.promotions.operations.update_promotion import (
    PromotionChanges,
    UpdatePromotion,
    update_promotion,
)
from billwright.features.promotions.sql.reads import list_promotions, promotion_by_code
from billwright.kernel.refusal import Refusal
from tests.features.billing import a_plan
from tests.features.promotions.redeeming import a_promotion, day

FIXED, FREE_DAYS = PromotionKind.FIXED_AMOUNT, PromotionKind.FREE_DAYS
FREE_PERIODS = PromotionKind.FREE_PERIODS


async def change(tx, **changes):
    return await update_promotion(
        tx, UpdatePromotion(code="spring", changes=PromotionChanges(**changes))
    )


async def traces(tenant):
    """The types of the events about promotions and the actions on them, oldest first."""
    async with tenant.tx() as tx:
        events = await tx.fetch(
            "select type from event where subject_type = 'promotion' order by id"
        )
        audits = await tx.fetch(
            "select action from audit_entry where subject_type = 'promotion' order by id"
        )
    return [row["type"] for row in events], [row["action"] for row in audits]


async def test_a_promotion_is_read_as_it_was_made(tenant):
    async with tenant.tx() as tx:
        await a_plan(tx)
        plain = await a_promotion(tx, "PLAIN", percent=Decimal("12.3456"))
        made = await a_promotion(
            tx,
            "  spring-26 ",
            FIXED,
            duration=Duration.PERIODS,
            duration_periods=3,
            plan_codes=("team",),
            customers=Customers.NEW,
            minimum_minor=10000,
            maximum_redemptions=100,
            maximum_per_account=1,
            combinable=False,
            redeemable_from=day(1),
            redeemable_until=day(2),
            metadata={"campaign": "7"},
        )
    assert made.code == "SPRING-26"
    async with tenant.tx() as tx:
        assert await promotion_by_code(tx, "Spring-26 ") == made
        assert await list_promotions(tx, before=None, limit=9) == [made, plain]
        assert await list_promotions(tx, before=made.id, limit=9) == [plain]
        assert (
            await list_promotions(tx, before=None, limit=9, status=PromotionStatus.ARCHIVED) == []
        )
    assert await traces(tenant) == (["promotion.created"] * 2, ["promotion.create"] * 2)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"code": "known"}, "promotion_code_taken", None),
        ({"code": " "}, "promotion_code_invalid", "/code"),
        ({"code": "20 %"}, "promotion_code_invalid", "/code"),
        ({"code": "A" * 101}, "promotion_code_invalid", "/code"),
        ({"percent": None}, "promotion_term_missing", "/percent"),
        ({"kind": FIXED, "amount_minor": None}, "promotion_term_missing", "/amount"),
        ({"kind": FREE_DAYS, "count": None}, "promotion_term_missing", "/count"),
        ({"count": 1}, "promotion_term_unfit", "/count"),
        ({"kind": FREE_PERIODS, "percent": Decimal(1)}, "promotion_term_unfit", "/percent"),
        ({"percent": Decimal(0)}, "promotion_term_out_of_range", "/percent"),
        ({"percent": Decimal("100.0001")}, "promotion_term_out_of_range", "/percent"),
        ({"percent": Decimal("0.00001")}, "promotion_percent_too_fine", "/percent"),
        ({"kind": FIXED, "amount_minor": 0}, "promotion_term_out_of_range", "/amount"),
        ({"kind": FREE_DAYS, "count": 36_501}, "promotion_term_out_of_range", "/count"),
        ({"minimum_minor": -1}, "promotion_term_out_of_range", "/minimum"),
        (
            {"duration": Duration.PERIODS},
            "promotion_duration_periods_mismatch",
            "/duration_periods",
        ),
        ({"duration_periods": 2}, "promotion_duration_periods_mismatch", "/duration_periods"),
        (
            {"duration": Duration.PERIODS, "duration_periods": 0},
            "promotion_term_out_of_range",
            "/duration_periods",
        ),
        (
            {"kind": FREE_PERIODS, "duration": Duration.FOREVER},
            "promotion_duration_unfit",
            "/duration",
        ),
        ({"kind": FIXED, "currency": None}, "promotion_currency_missing", "/currency"),
        ({"minimum_minor": 1}, "promotion_currency_missing", "/currency"),
        ({"currency": "EURO"}, "currency_unknown", None),
        ({"plan_codes": ("team", "nothing")}, "plan_unknown_here", "/plan_codes/1"),
        ({"maximum_redemptions": 0}, "promotion_term_out_of_range", "/maximum_redemptions"),
        ({"maximum_per_account": 0}, "promotion_term_out_of_range", "/maximum_per_account"),
        (
            {"redeemable_from": day(1), "redeemable_until": day(1)},
            "promotion_window_empty",
            "/redeemable_until",
        ),
    ],
)
async def test_a_wrong_promotion_is_refused_and_leaves_nothing(tenant, changes, code, pointer):
    async with tenant.tx() as tx:
        await a_plan(tx)
        known = await a_promotion(tx, "KNOWN")
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await a_promotion(tx, **changes)
    assert refused.value.code == code
    assert [problem.pointer for problem in refused.value.problems] == ([pointer] if pointer else [])
    async with tenant.tx() as tx:
        assert await list_promotions(tx, before=None, limit=9) == [known]


async def test_its_window_and_limits_may_change(tenant):
    async with tenant.tx() as tx:
        made = await a_promotion(tx, maximum_redemptions=5, redeemable_from=day(1))
    async with tenant.tx() as tx:
        changed = await change(
            tx, name="April", maximum_redemptions=None, redeemable_until=day(9), metadata={"a": "b"}
        )
    expected = replace(
        made,
        name="April",
        maximum_redemptions=None,
        redeemable_until=day(9),
        metadata={"a": "b"},
        version=2,
    )
    assert changed == expected
    async with tenant.tx() as tx:
        assert await promotion_by_code(tx, "SPRING") == expected
        assert await change(tx, name="April") == expected
        event = await tx.fetch_value("select data from event where type = 'promotion.updated'")
    assert '"changed": ["maximum_redemptions", "metadata", "name", "redeemable_until"]' in event
    assert (await traces(tenant))[1] == ["promotion.create", "promotion.update"]


async def test_limits_that_make_no_sense_are_refused(tenant):
    async with tenant.tx() as tx:
        await a_promotion(tx, redeemable_from=day(1))
        await tx.execute("update promotion set redemptions = 3")
    for changes, code in [
        ({"redeemable_until": day(0)}, "promotion_window_empty"),
        ({"maximum_redemptions": 2}, "promotion_maximum_too_low"),
        ({"maximum_per_account": -1}, "promotion_term_out_of_range"),
    ]:
        with pytest.raises(Refusal) as refused:
            async with tenant.tx() as tx:
                await change(tx, **changes)
        assert refused.value.code == code
    async with tenant.tx() as tx:
        assert (await change(tx, maximum_redemptions=3)).version == 2


async def test_to_archive_again_changes_nothing(tenant):
    async with tenant.tx() as tx:
        await a_promotion(tx)
        archived = await archive_promotion(tx, "Spring")
        assert await archive_promotion(tx, "SPRING") == archived
        assert await promotion_by_code(tx, "SPRING") == archived
    assert (archived.status, archived.version) == (PromotionStatus.ARCHIVED, 2)
    assert await traces(tenant) == (
        ["promotion.created", "promotion.archived"],
        ["promotion.create", "promotion.archive"],
    )


async def test_another_tenants_promotion_is_invisible_and_its_code_is_free(tenant, other_tenant):
    async with tenant.tx() as tx:
        await a_promotion(tx)
    async with other_tenant.tx() as tx:
        assert await list_promotions(tx, before=None, limit=9) == []
        for attempt in (promotion_by_code, archive_promotion):
            with pytest.raises(Refusal) as refused:
                await attempt(tx, "SPRING")
            assert refused.value.code == "promotion_unknown"
        with pytest.raises(Refusal) as refused:
            await change(tx, name="Mine")
        assert refused.value.code == "promotion_unknown"
        await a_promotion(tx)
