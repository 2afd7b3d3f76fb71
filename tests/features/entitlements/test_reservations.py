"""Can nobody use what somebody else has reserved, and does everything reserved become usage or free?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.catalog.model import LimitPolicy
from billwright.features.entitlements.model import Restriction, RestrictionEffect
from billwright.features.entitlements.operations.finish_reservation import (
    CommitReservation,
    commit_reservation,
    release_reservation,
)
from billwright.features.entitlements.operations.reserve_allotment import (
    ReserveAllotment,
    reserve_allotment,
)
from billwright.features.entitlements.operations.restrict_access import restrict_access
from billwright.features.entitlements.sql.reads_reservations import (
    list_reservations,
    reservation_by_id,
)
from billwright.features.subscriptions.sql.reads_usage import usage_places
from billwright.features.usage.sql.reads import recorded_events
from billwright.kernel.ids import new_id
from billwright.kernel.refusal import Refusal
from tests.conftest import NOON
from tests.features.billing import a_subscription
from tests.features.entitlements.pooling import a_customer, a_meter, forget

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


async def reserve(customer, amount, *, now=None, client_id=None, lasting=5 * MINUTE, **whose):
    async with customer.tenant.tx(now) as tx:
        reserved = await reserve_allotment(
            tx,
            ReserveAllotment(
                feature_code="calls",
                amount=Decimal(amount),
                client_id=client_id or str(new_id()),
                lasting=lasting,
                **(whose or {"account_id": customer.account_id}),
            ),
        )
    return reserved.kept.reservation, reserved.standing


async def commit(customer, reservation, amount=None, *, now=None, properties=None):
    async with customer.tenant.tx(now) as tx:
        place = (await usage_places(tx, {customer.subscription_id}))[customer.subscription_id]
        command = CommitReservation(
            reservation_id=reservation.id,
            amount=None if amount is None else Decimal(amount),
            properties=properties or {},
        )
        return (await commit_reservation(tx, command, place=place)).reservation


async def release(customer, reservation, *, now=None):
    async with customer.tenant.tx(now) as tx:
        return (await release_reservation(tx, reservation.id)).reservation


async def refusal_of(waiting):
    with pytest.raises(Refusal) as refused:
        await waiting
    return refused.value


async def test_what_is_reserved_is_used_or_free_again(tenant):
    customer = await a_customer(tenant)
    await customer.use(30)
    first, standing = await reserve(customer, 60)
    assert (standing.used, standing.left, standing.remaining) == (30, 70, 10)
    refused = await refusal_of(reserve(customer, 11))
    assert refused.code == "entitlement_exhausted"
    assert refused.facts["remaining"] == "10"
    second, _ = await reserve(customer, 10)
    committed = await commit(customer, first, 45)
    assert (committed.state, committed.committed_amount) == ("committed", 45)
    assert await customer.numbers() == (100, 75, 0, 25)
    assert (await customer.standing()).remaining == 15
    await release(customer, second)
    assert (await customer.standing()).remaining == 25
    async with tenant.tx() as tx:
        name = ("reservation", str(first.id))
        recorded = (await recorded_events(tx, [name]))[name]
    assert recorded.event.quantity == 45
    assert recorded.event.occurred_at == NOON
    await forget(tenant)
    assert await customer.numbers() == (100, 75, 0, 25)


async def test_asking_again_is_no_second_time(tenant):
    customer = await a_customer(tenant)
    first, _ = await reserve(customer, 60, client_id="job-1")
    again, standing = await reserve(customer, 60, client_id="job-1")
    assert (first.id, standing.remaining) == (again.id, 40)
    refused = await refusal_of(reserve(customer, 61, client_id="job-1"))
    assert refused.code == "entitlement_reservation_differs"
    for _ in range(2):
        assert (await commit(customer, first, 50)).committed_amount == 50
    assert await customer.numbers() == (100, 50, 0, 50)
    assert (await refusal_of(commit(customer, first, 60))).code == (
        "entitlement_reservation_not_held"
    )
    assert (await refusal_of(release(customer, first))).code == "entitlement_reservation_not_held"


async def test_what_is_forgotten_is_free_after_its_time(tenant):
    customer = await a_customer(tenant)
    lost, _ = await reserve(customer, 100, lasting=MINUTE)
    await refusal_of(reserve(customer, 1))
    later = NOON + MINUTE
    _, standing = await reserve(customer, 1, now=later)
    assert standing.remaining == 99
    refused = await refusal_of(commit(customer, lost, now=later))
    assert refused.facts["state"] == "expired"
    async with tenant.tx(later) as tx:
        (found,) = await list_reservations(tx, before=None, limit=5, standing="expired")
    assert found.reservation.id == lost.id


async def test_more_than_was_reserved_is_not_committed(tenant):
    customer = await a_customer(tenant)
    reservation, _ = await reserve(customer, 5)
    assert (await refusal_of(commit(customer, reservation, 6))).code == (
        "entitlement_reservation_too_small"
    )
    assert (await refusal_of(commit(customer, reservation, 0))).code == (
        "entitlement_reservation_amount_invalid"
    )


@pytest.mark.parametrize(
    ("policy", "cap", "possible"),
    [
        (LimitPolicy.HARD, None, 10),
        (LimitPolicy.SOFT_CAPPED, Decimal(20), 30),
        (LimitPolicy.SOFT, None, 1000),
    ],
)
async def test_the_limit_policy_decides(tenant, policy, cap, possible):
    customer = await a_customer(tenant, 10, limit_policy=policy, soft_cap=cap)
    await reserve(customer, possible)
    if policy is not LimitPolicy.SOFT:
        await refusal_of(reserve(customer, "0.000001"))


async def test_only_what_is_used_up_is_reserved(tenant):
    async with tenant.tx() as tx:
        await a_meter(tx, aggregation="max")
    customer = await a_customer(tenant)
    assert (await refusal_of(reserve(customer, 1))).code == "entitlement_not_reservable"


async def test_events_are_reserved_one_by_one(tenant):
    async with tenant.tx() as tx:
        await a_meter(tx, aggregation="count")
    customer = await a_customer(tenant)
    assert (await refusal_of(reserve(customer, 2))).code == "entitlement_reservation_amount_invalid"
    reservation, _ = await reserve(customer, 1)
    await commit(customer, reservation)
    assert await customer.numbers() == (100, 1, 0, 99)


async def test_the_usage_is_one_that_the_meter_counts(tenant):
    async with tenant.tx() as tx:
        await a_meter(
            tx,
            event_type="request",
            property="bytes",
            filters={"region": ("eu", "us"), "kind": ("api",)},
        )
    customer = await a_customer(tenant)
    reservation, _ = await reserve(customer, 7)
    assert (await refusal_of(commit(customer, reservation))).code == (
        "entitlement_reservation_usage_not_counted"
    )
    await commit(customer, reservation, "6.5", properties={"region": "us"})
    assert await customer.numbers() == (100, 6.5, 0, 93.5)


async def test_it_is_the_usage_of_the_only_subscription_or_of_the_one_that_is_named(tenant):
    customer = await a_customer(tenant)
    async with tenant.tx() as tx:
        account = await account_by_id(tx, customer.account_id)
        second = (await a_subscription(tx, account, "calls")).subscription
    refused = await refusal_of(reserve(customer, 1))
    assert refused.code == "entitlement_reservation_subscription_ambiguous"
    reservation, _ = await reserve(customer, 1, subscription_id=second.id)
    assert (reservation.account_id, reservation.subscription_id) == (account.id, second.id)
    refused = await refusal_of(
        reserve(customer, 1, account_id=account.id, subscription_id=new_id())
    )
    assert refused.code == "subscription_not_of_account"


async def test_without_access_nothing_is_reserved(tenant):
    customer = await a_customer(tenant)
    async with tenant.tx() as tx:
        restriction = Restriction(
            cause_id=new_id(),
            account_id=customer.account_id,
            subscription_id=None,
            effect=RestrictionEffect.READ_ONLY,
        )
        await restrict_access(tx, [restriction])
    refused = await refusal_of(reserve(customer, 1))
    assert (refused.code, refused.facts["reason"]) == ("entitlement_not_given", "payment_overdue")


async def test_a_reservation_is_its_tenants_alone(tenant, other_tenant):
    customer = await a_customer(tenant)
    reservation, _ = await reserve(customer, 1)
    async with other_tenant.tx() as tx:
        assert await list_reservations(tx, before=None, limit=5) == []
        with pytest.raises(Refusal, match="no reservation"):
            await reservation_by_id(tx, reservation.id)
    with pytest.raises(Refusal, match="no account"):
        async with other_tenant.tx() as tx:
            await reserve_allotment(
                tx,
                ReserveAllotment(
                    account_id=customer.account_id,
                    feature_code="calls",
                    amount=Decimal(1),
                    client_id="x",
                    lasting=MINUTE,
                ),
            )


async def test_many_who_spend_at_once_never_overspend(tenant):
    """20 spenders want 3 to 7 each, again and again, of 100; some use less, some give back, and some are
    never heard of again, whose share is free when its time is over.
    """
    customer = await a_customer(tenant)
    lost: list[Decimal] = []
    used: list[Decimal] = []

    async def spend(number):
        for turn in range(3):
            amount = Decimal(3 + (number + turn) % 5)
            try:
                reservation, standing = await reserve(customer, amount)
            except Refusal as refused:
                assert refused.code == "entitlement_exhausted"
                continue
            assert standing.remaining >= 0
            match (number + turn) % 4:
                case 0:
                    lost.append(amount)
                case 1:
                    await release(customer, reservation)
                case 2:
                    await commit(customer, reservation, amount - 1)
                    used.append(amount - 1)
                case _:
                    await commit(customer, reservation)
                    used.append(amount)
            if number % 5 == 0:
                await forget(tenant)

    await asyncio.gather(*(spend(number) for number in range(20)))
    standing = await customer.standing()
    assert standing.used == sum(used)
    assert standing.reserved == sum(lost)
    assert sum(used) + sum(lost) <= 100
    assert standing.overage == 0
    later = NOON + HOUR
    _, standing = await reserve(customer, 100 - sum(used), now=later)
    assert standing.remaining == 0
    assert (await refusal_of(reserve(customer, 1, now=later))).code == "entitlement_exhausted"
