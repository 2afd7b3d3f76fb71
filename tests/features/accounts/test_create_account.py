"""How does an account come to be, and when not?"""

from __future__ import annotations

from uuid import uuid4

import pytest

from billwright.features.accounts.errors import account_unknown
from billwright.features.accounts.errors import test_clock_unknown as clock_unknown
from billwright.features.accounts.model import AccountStatus, CustomerType
from billwright.features.accounts.operations.create_test_clock import create_test_clock
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads import account_by_id, accounts_by_id, list_accounts
from billwright.features.tenancy.model import Address
from billwright.kernel.refusal import Refusal
from tests.features.billing import an_account


async def test_what_is_left_out_comes_from_the_seller(tenant, clock):
    async with tenant.tx() as tx:
        made = await an_account(tx)
        assert await account_by_id(tx, made.id) == made
        assert await accounts_by_id(tx, [made.id, uuid4()]) == {made.id: made}
    assert (made.currency, made.locale, made.zone) == ("EUR", "en", "Europe/Berlin")
    assert (made.number, made.version, made.status) == (1, 1, AccountStatus.ACTIVE)
    assert (made.payment_terms_days, made.parked_reason) == (None, None)
    assert made.created_at == made.updated_at == clock.now()


async def test_everything_that_is_given_is_kept(tenant):
    given = {
        "email": "books@riverbank.example",
        "external_id": "crm-7",
        "customer_type": CustomerType.CONSUMER,
        "tax_id": "ATU12345675",
        "reference": "PO 4711",
        "address": Address(line1="Ring 1", city="Wien", postal_code="1010", country="AT"),
        "currency": "KWD",
        "locale": "de-AT",
        "zone": "Asia/Kuwait",
        "payment_terms_days": 0,
        "metadata": {"tier": "gold", "emoji": "📚"},
    }
    async with tenant.tx() as tx:
        made = await an_account(tx, **given)
        read = await account_by_id(tx, made.id)
    assert read == made
    assert {name: getattr(read, name) for name in given} == given


async def test_it_is_told_by_event_and_audit(tenant):
    async with tenant.tx() as tx:
        made = await an_account(tx)
    async with tenant.tx() as tx:
        event = await tx.fetch_row("select * from event")
        audit = await tx.fetch_row("select * from audit_entry where action = 'account.create'")
    assert (event["type"], event["subject_id"], event["account_id"]) == (
        "account.created",
        made.id,
        made.id,
    )
    assert audit["subject_id"] == made.id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "EURO"}, "currency_unknown"),
        ({"zone": "Europe/Atlantis"}, "zone_unknown"),
        ({"test_clock_id": uuid4()}, "test_clock_unknown_here"),
        ({"external_id": "known"}, "external_id_taken"),
    ],
)
async def test_a_wrong_account_is_refused_and_leaves_nothing(tenant, changes, code):
    async with tenant.tx() as tx:
        await an_account(tx, external_id="known")
    with pytest.raises(Refusal) as refused:
        async with tenant.tx() as tx:
            await an_account(tx, **changes)
    assert refused.value.code == code
    async with tenant.tx() as tx:
        assert len(await list_accounts(tx, before=None, limit=9)) == 1
        assert (await an_account(tx)).number == 2


async def test_another_tenants_account_and_clock_are_invisible(tenant, other_tenant):
    async with tenant.tx() as tx:
        account = await an_account(tx, external_id="crm-7", email="a@b.example")
        clock_id = (await create_test_clock(tx, name="c", now=tx.now)).id
    async with other_tenant.tx() as tx:
        assert await list_accounts(tx, before=None, limit=9) == []
        assert await accounts_by_id(tx, [account.id]) == {}
        for look in (account_by_id, lock_account):
            with pytest.raises(Refusal) as refused:
                await look(tx, account.id)
            assert refused.value.code == account_unknown.code
        with pytest.raises(Refusal) as refused:
            await an_account(tx, test_clock_id=clock_id)
        assert refused.value.code == "test_clock_unknown_here"
        assert (await an_account(tx, external_id="crm-7")).number == 1


async def test_accounts_are_listed_and_found(tenant):
    async with tenant.tx() as tx:
        made = [
            await an_account(tx, external_id=f"crm-{number}", email=f"{number % 2}@a.example")
            for number in range(5)
        ]
        first = await list_accounts(tx, before=None, limit=3)
        rest = await list_accounts(tx, before=first[-1].id, limit=3)
        named = await list_accounts(tx, before=None, limit=9, external_id="crm-3")
        mailed = await list_accounts(tx, before=None, limit=9, email="1@a.example")
    assert first + rest == made[::-1]
    assert named == [made[3]]
    assert mailed == [made[3], made[1]]


def test_an_unknown_clock_is_named():
    assert "clock 7" in clock_unknown(test_clock_id=7).detail
