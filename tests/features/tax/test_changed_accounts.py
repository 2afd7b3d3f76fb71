"""Is a VAT id checked anew when what it is read by has changed?"""

from __future__ import annotations

import pytest

from billwright.features.accounts.events import AccountUpdated
from billwright.features.accounts.model import Account, CustomerType
from billwright.features.accounts.operations.update_account import (
    AccountChanges,
    UpdateAccount,
    update_account,
)
from billwright.features.tax.jobs import check_due_vat_ids
from billwright.features.tax.model import VatIdStatus
from billwright.features.tax.port import VatIdAnswer
from billwright.features.tenancy.model import Address
from billwright.runtime.queue.reacting import react
from tests.features.tax.selling import (
    AUSTRIAN_ID,
    FRENCH_ID,
    ScriptedRegister,
    a_business,
    check_of,
    request_checks,
    work_with,
)


async def change(tenant, registry, account: Account, changes: AccountChanges) -> None:
    """Update an account, and run the reaction to it."""
    async with tenant.tx() as tx:
        await update_account(tx, UpdateAccount(account_id=account.id, changes=changes))
        ids = [str(event_id) for event_id, _, event in tx.events if type(event) is AccountUpdated]
    [reaction] = [
        one for one in registry.reactions_to(AccountUpdated) if one.name == "check_changed_accounts"
    ]
    payload = {"reaction": reaction.name, "events": ids}
    await react(tenant.database, registry, tenant_id=tenant.id, payload=payload)


async def a_confirmed(tenant, country: str, tax_id: str) -> Account:
    async with tenant.tx() as tx:
        account = await a_business(tx, country, tax_id)
    await request_checks(tenant, account)
    await check_due_vat_ids(work_with(tenant, ScriptedRegister()))
    assert (await check_of(tenant, account)).status is VatIdStatus.VALID
    return account


async def test_another_tax_id_is_asked_for(tenant, registry):
    account = await a_confirmed(tenant, "FR", FRENCH_ID)
    await change(tenant, registry, account, {"tax_id": AUSTRIAN_ID})
    check = await check_of(tenant, account)
    assert (check.vat_id, check.status) == (AUSTRIAN_ID, VatIdStatus.UNCHECKED)
    register = ScriptedRegister(**{AUSTRIAN_ID: [VatIdAnswer.INVALID]})
    await check_due_vat_ids(work_with(tenant, register))
    assert (await check_of(tenant, account)).status is VatIdStatus.INVALID


async def test_a_number_without_a_prefix_is_read_by_the_new_country(tenant, registry):
    account = await a_confirmed(tenant, "AT", AUSTRIAN_ID.removeprefix("AT"))
    assert (await check_of(tenant, account)).vat_id == AUSTRIAN_ID
    await change(tenant, registry, account, {"address": Address(country="FR")})
    check = await check_of(tenant, account)
    assert (check.vat_id, check.status) == (None, VatIdStatus.INVALID)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Other"},
        {"customer_type": CustomerType.CONSUMER},
        {"address": Address(city="Lyon", country="FR")},
    ],
)
async def test_a_confirmation_outlives_other_changes(tenant, registry, changes):
    account = await a_confirmed(tenant, "FR", FRENCH_ID)
    before = await check_of(tenant, account)
    await change(tenant, registry, account, changes)
    assert await check_of(tenant, account) == before
