"""What does a change of an account leave behind, and when is it refused?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from billwright.features.accounts.model import Account, Collection, CustomerType
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.park_account import park_account
from billwright.features.accounts.operations.set_payment_method_presence import (
    set_payment_method_presence,
)
from billwright.features.accounts.operations.unpark_account import unpark_account
from billwright.features.accounts.operations.update_account import (
    AccountChanges,
    UpdateAccount,
    update_account,
)
from billwright.features.accounts.sql.reads import account_by_id, list_accounts
from billwright.features.tenancy.model import Address
from billwright.kernel.refusal import Refusal
from billwright.runtime.db.json import from_json
from tests.features.billing import an_account

BY_DAY = Collection.BILLING_DAY
# The account is made on 15 January 2026, noon UTC; Berlin is an hour ahead.
FIRST_FEBRUARY = datetime(2026, 1, 31, 23, tzinfo=UTC)


async def make(tenant, **changes) -> Account:
    async with tenant.tx() as tx:
        return await an_account(tx, **changes)


async def change(
    tenant, account: Account, changes: AccountChanges, *, version: int | None = None
) -> Account:
    command = UpdateAccount(account_id=account.id, changes=changes, expected_version=version)
    async with tenant.tx() as tx:
        return await update_account(tx, command)


async def refusal_of(tenant, account: Account, changes: AccountChanges, **known) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await change(tenant, account, changes, **known)
    return refused.value


async def read(tenant, account_id: UUID) -> Account:
    async with tenant.tx() as tx:
        return await account_by_id(tx, account_id)


async def told(tenant, action: str) -> list[tuple]:
    """The events of accounts, less their creation, and what the audit trail has of an action."""
    async with tenant.tx() as tx:
        events = await tx.fetch(
            "select type, data from event where type <> 'account.created' order by id"
        )
        audits = await tx.fetch(
            "select details from audit_entry where action = $1 order by id", action
        )
    return [(row["type"], from_json(row["data"])) for row in events] + [
        (action, from_json(row["details"])) for row in audits
    ]


EVERYTHING: AccountChanges = {
    "external_id": "crm-7",
    "name": "Riverbank Bookshop",
    "email": "books@riverbank.example",
    "customer_type": CustomerType.CONSUMER,
    "tax_id": "ATU12345675",
    "reference": "PO 4711",
    "address": Address(line1="Ring 1", city="Wien", postal_code="1010", country="AT"),
    "currency": "CHF",
    "locale": "de-AT",
    "zone": "Europe/Vienna",
    "payment_terms_days": 0,
    "collection": BY_DAY,
    "billing_day": 1,
    "metadata": {"tier": "gold"},
}


async def test_everything_may_change(tenant, clock):
    made = await make(tenant)
    clock.move_to(clock.now() + timedelta(hours=1))
    updated = await change(tenant, made, EVERYTHING)
    assert {name: getattr(updated, name) for name in EVERYTHING} == EVERYTHING
    assert updated.next_invoice_at == FIRST_FEBRUARY
    assert (updated.version, updated.updated_at) == (2, clock.now())
    assert await read(tenant, made.id) == updated
    assert set(EVERYTHING) == set(AccountChanges.__annotations__)


async def test_what_is_not_named_stays_and_what_is_null_goes(tenant):
    made = await make(tenant, email="a@b.example", tax_id="ATU12345675", payment_terms_days=30)
    updated = await change(tenant, made, {"email": None, "payment_terms_days": None})
    assert (updated.email, updated.payment_terms_days) == (None, None)
    assert (updated.name, updated.tax_id) == (made.name, made.tax_id)
    assert await told(tenant, "account.update") == [
        ("account.updated", {"changed": ["email", "payment_terms_days"]}),
        ("account.update", {"changed": {"email": None, "payment_terms_days": None}}),
    ]


async def test_what_changes_nothing_leaves_nothing_behind(tenant):
    made = await make(tenant, email="a@b.example")
    for changes in ({}, {"email": "a@b.example", "collection": Collection.IMMEDIATE}):
        assert await change(tenant, made, changes) == made
    assert await told(tenant, "account.update") == []


async def test_an_account_that_has_changed_is_left_alone(tenant):
    made = await make(tenant)
    assert (await change(tenant, made, {"name": "Second"}, version=1)).version == 2
    refusal = await refusal_of(tenant, made, {"name": "Third"}, version=1)
    assert (refusal.code, refusal.facts) == (
        "account_version_stale",
        {"expected": 1, "actual": 2},
    )
    assert (await read(tenant, made.id)).name == "Second"


async def test_of_two_who_saw_the_same_one_is_refused(tenant):
    made = await make(tenant)
    outcomes = await asyncio.gather(
        *(change(tenant, made, {"name": name}, version=1) for name in ("One", "Other")),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Account", "Refusal"]
    assert (await read(tenant, made.id)).version == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "EURO"}, "currency_unknown"),
        ({"zone": "Europe/Atlantis"}, "zone_unknown"),
        ({"external_id": "known"}, "external_id_taken"),
        ({"billing_day": 5}, "billing_day_mismatch"),
        ({"collection": BY_DAY}, "billing_day_mismatch"),
        ({"collection": Collection.IMMEDIATE, "billing_day": 5}, "billing_day_mismatch"),
        ({"collection": BY_DAY, "billing_day": 32}, "day_of_month_out_of_range"),
    ],
)
async def test_a_wrong_change_is_refused_and_leaves_nothing(tenant, changes, code):
    await make(tenant, external_id="known")
    made = await make(tenant, external_id="own")
    assert (await refusal_of(tenant, made, {"name": "Other", **changes})).code == code
    assert await read(tenant, made.id) == made
    assert await told(tenant, "account.update") == []


@pytest.mark.parametrize("day", [{"billing_day": 5}, {"collection": BY_DAY}])
async def test_an_account_begins_with_a_billing_day_and_its_policy_or_with_none(tenant, day):
    assert (await make(tenant)).next_invoice_at is None
    with pytest.raises(Refusal) as refused:
        await make(tenant, **day)
    assert refused.value.code == "billing_day_mismatch"


async def test_the_billing_day_moves_with_the_day_and_the_zone(tenant):
    made = await make(tenant, collection=BY_DAY, billing_day=1)
    moved = await change(tenant, made, {"billing_day": 20})
    assert moved.next_invoice_at == datetime(2026, 1, 19, 23, tzinfo=UTC)
    moved = await change(tenant, made, {"zone": "America/New_York"})
    assert moved.next_invoice_at == datetime(2026, 1, 20, 5, tzinfo=UTC)
    named = await change(tenant, made, {"name": "Other"})
    assert named.next_invoice_at == moved.next_invoice_at


async def test_a_day_that_has_begun_stays_due(tenant, clock):
    """Its charges would otherwise wait for a month more."""
    made = await make(tenant, collection=BY_DAY, billing_day=1)
    clock.move_to(FIRST_FEBRUARY)
    moved = await change(tenant, made, {"billing_day": 20})
    assert (moved.billing_day, moved.next_invoice_at) == (20, FIRST_FEBRUARY)


async def test_who_is_invoiced_at_once_has_no_billing_day(tenant):
    made = await make(tenant, collection=BY_DAY, billing_day=1)
    refusal = await refusal_of(tenant, made, {"billing_day": None})
    assert (refusal.code, refusal.problems[0].pointer) == ("billing_day_mismatch", "/billing_day")
    updated = await change(tenant, made, {"collection": Collection.IMMEDIATE})
    assert (updated.billing_day, updated.next_invoice_at) == (None, None)
    assert await told(tenant, "nothing") == [
        ("account.updated", {"changed": ["billing_day", "collection"]})
    ]


async def test_a_change_takes_place_in_the_accounts_own_time(tenant, clock):
    spring = datetime(2030, 3, 1, tzinfo=UTC)
    async with tenant.tx() as tx:
        clock_id = (await create_test_clock(tx, name="spring", now=spring)).id
    made = await make(tenant, test_clock_id=clock_id)
    updated = await change(tenant, made, {"collection": BY_DAY, "billing_day": 31})
    assert updated.updated_at == spring
    assert updated.next_invoice_at == datetime(2030, 3, 30, 23, tzinfo=UTC)


async def test_an_account_is_unparked_once(tenant):
    made = await make(tenant)
    other = await make(tenant)
    async with tenant.tx() as tx:
        await park_account(tx, account_id=made.id, reason="no rate")
    async with tenant.tx() as tx:
        parked = await list_accounts(tx, before=None, limit=9, parked=True)
        assert [account.parked_reason for account in parked] == ["no rate"]
        assert await list_accounts(tx, before=None, limit=9, parked=False) == [other]
    async with tenant.tx() as tx:
        unparked = await unpark_account(tx, made.id)
        assert await unpark_account(tx, made.id) == unparked
    assert unparked == await read(tenant, made.id)
    assert (unparked.parked_reason, unparked.version) == (None, 3)
    assert await told(tenant, "account.unpark") == [
        ("account.parked", {"reason": "no rate"}),
        ("account.unparked", {"reason": "no rate"}),
        ("account.unpark", {"reason": "no rate"}),
    ]


async def test_a_payment_method_is_noted_when_it_comes_and_goes(tenant):
    made = await make(tenant)
    for present in (False, True, True, False):
        async with tenant.tx() as tx:
            await set_payment_method_presence(tx, made.id, present=present)
        assert (await read(tenant, made.id)).has_payment_method is present
    noted = ("account.updated", {"changed": ["has_payment_method"]})
    action = "account.set_payment_method_presence"
    assert await told(tenant, action) == [
        noted,
        noted,
        (action, {"present": True}),
        (action, {"present": False}),
    ]


async def test_another_tenants_account_cannot_be_changed(tenant, other_tenant):
    made = await make(tenant, external_id="crm-7")
    for attempt in (
        lambda tx: update_account(tx, UpdateAccount(account_id=made.id, changes={"name": "Other"})),
        lambda tx: unpark_account(tx, made.id),
        lambda tx: set_payment_method_presence(tx, made.id, present=True),
    ):
        with pytest.raises(Refusal) as refused:
            async with other_tenant.tx() as tx:
                await attempt(tx)
        assert refused.value.code == "account_unknown"
    assert await read(tenant, made.id) == made
    theirs = await make(other_tenant)
    assert (await change(other_tenant, theirs, {"external_id": "crm-7"})).external_id == "crm-7"
