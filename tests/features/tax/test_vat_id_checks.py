"""Does the register's answer reach an account, and does silence harm nobody?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from billwright.features.accounts.events import AccountCreated
from billwright.features.tax.jobs import check_due_vat_ids, check_vat_ids
from billwright.features.tax.model import VatIdStatus
from billwright.features.tax.port import VatIdAnswer
from billwright.features.tax.sql.writes import claim_due_checks
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

VALID, INVALID, UNAVAILABLE = VatIdAnswer.VALID, VatIdAnswer.INVALID, VatIdAnswer.UNAVAILABLE


async def a_checked(tenant, tax_id: str | None = FRENCH_ID, country: str = "FR"):
    async with tenant.tx() as tx:
        account = await a_business(tx, country, tax_id)
    await request_checks(tenant, account)
    return account


async def test_a_new_accounts_id_is_asked_for(tenant, registry):
    async with tenant.tx() as tx:
        account = await a_business(tx, "FR", FRENCH_ID)
        without = await a_business(tx, "FR")
        ids = [str(event_id) for event_id, _, event in tx.events if type(event) is AccountCreated]
    [reaction] = [
        one for one in registry.reactions_to(AccountCreated) if one.name == "check_new_accounts"
    ]
    payload = {"reaction": reaction.name, "events": ids}
    for _ in range(2):
        await react(tenant.database, registry, tenant_id=tenant.id, payload=payload)
    register = ScriptedRegister()
    await check_vat_ids(work_with(tenant, register), None)
    check = await check_of(tenant, account)
    assert (check.vat_id, check.status, check.source) == (FRENCH_ID, VatIdStatus.VALID, "scripted")
    assert register.asked == [FRENCH_ID]
    with pytest.raises(KeyError):
        await check_of(tenant, without)


async def test_a_job_is_enqueued_for_what_the_register_knows(tenant):
    async with tenant.tx() as tx:
        french, swiss = [
            await a_business(tx, "FR", FRENCH_ID),
            await a_business(tx, "CH", "CHE-107.787.577 MWST"),
        ]
    await request_checks(tenant, swiss)
    await request_checks(tenant, french)
    async with tenant.tx() as tx:
        jobs = await tx.fetch_value(
            "select count(*) from queue.pgqueuer where entrypoint = 'check_vat_ids'"
        )
    assert jobs == 1
    assert (await check_of(tenant, swiss)).status is VatIdStatus.UNCHECKED
    assert (await check_of(tenant, swiss)).next_check_at is None


async def test_a_valid_id_is_asked_for_again_after_thirty_days(tenant, clock):
    account = await a_checked(tenant)
    register = ScriptedRegister(**{FRENCH_ID: [VALID, INVALID]})
    assert await check_due_vat_ids(work_with(tenant, register)) == 1
    first = await check_of(tenant, account)
    assert (first.status, first.checked_at) == (VatIdStatus.VALID, clock.now())
    assert await check_due_vat_ids(work_with(tenant, register)) == 0
    clock.move_to(clock.now() + timedelta(days=30))
    assert await check_due_vat_ids(work_with(tenant, register)) == 1
    assert (await check_of(tenant, account)).status is VatIdStatus.INVALID
    assert len(register.asked) == 2


@pytest.mark.parametrize("silence", [UNAVAILABLE, TimeoutError("slow"), ValueError("broken")])
async def test_an_outage_is_not_an_answer(tenant, clock, silence):
    account = await a_checked(tenant)
    register = ScriptedRegister(**{FRENCH_ID: [silence, silence, VALID]})
    assert await check_due_vat_ids(work_with(tenant, register)) == 0
    first = await check_of(tenant, account)
    assert (first.status, first.checked_at, first.attempts) == (VatIdStatus.UNAVAILABLE, None, 1)
    assert first.next_check_at == clock.now() + timedelta(minutes=5)
    clock.move_to(first.next_check_at)
    assert await check_due_vat_ids(work_with(tenant, register)) == 0
    second = await check_of(tenant, account)
    assert second.next_check_at == clock.now() + timedelta(minutes=15)
    clock.move_to(second.next_check_at)
    assert await check_due_vat_ids(work_with(tenant, register)) == 1
    third = await check_of(tenant, account)
    assert (third.status, third.attempts) == (VatIdStatus.VALID, 0)


async def test_an_outage_takes_no_confirmation_away(tenant, clock):
    account = await a_checked(tenant)
    register = ScriptedRegister(**{FRENCH_ID: [VALID, UNAVAILABLE]})
    await check_due_vat_ids(work_with(tenant, register))
    confirmed_at = clock.now()
    clock.move_to(confirmed_at + timedelta(days=30))
    await check_due_vat_ids(work_with(tenant, register))
    check = await check_of(tenant, account)
    assert (check.status, check.checked_at) == (VatIdStatus.VALID, confirmed_at)
    assert check.next_check_at == clock.now() + timedelta(minutes=5)


async def test_each_change_is_published_once(tenant, clock):
    account = await a_checked(tenant)
    register = ScriptedRegister(**{FRENCH_ID: [UNAVAILABLE, UNAVAILABLE, VALID]})
    for _ in range(4):
        await check_due_vat_ids(work_with(tenant, register))
        clock.move_to(clock.now() + timedelta(days=1))
    async with tenant.tx() as tx:
        events = await tx.fetch(
            """select subject_id, data ->> 'status' as status, data ->> 'vat_id' as vat_id
               from event where type = 'vat_id.checked' order by id"""
        )
    assert [tuple(event) for event in events] == [
        (account.id, "unavailable", FRENCH_ID),
        (account.id, "valid", FRENCH_ID),
    ]


async def test_what_has_no_form_is_invalid_without_a_question(tenant):
    account = await a_checked(tenant, "FR000")
    register = ScriptedRegister()
    assert await check_due_vat_ids(work_with(tenant, register)) == 0
    check = await check_of(tenant, account)
    assert (check.vat_id, check.status, check.source) == (None, VatIdStatus.INVALID, "format")
    assert register.asked == []


async def test_another_tax_id_starts_over_and_the_same_changes_nothing(tenant):
    account = await a_checked(tenant)
    await check_due_vat_ids(work_with(tenant, ScriptedRegister()))
    assert await request_checks(tenant, account) == 0
    assert (await check_of(tenant, account)).status is VatIdStatus.VALID
    changed = replace(account, tax_id=AUSTRIAN_ID)
    assert await request_checks(tenant, changed) == 1
    check = await check_of(tenant, account)
    assert (check.vat_id, check.status, check.checked_at) == (
        AUSTRIAN_ID,
        VatIdStatus.UNCHECKED,
        None,
    )


async def test_an_answer_about_an_id_that_was_replaced_meanwhile_is_dropped(tenant):
    account = await a_checked(tenant)

    class Slow(ScriptedRegister):
        async def check(self, vat_id):
            if vat_id.number == FRENCH_ID:
                await request_checks(tenant, replace(account, tax_id=AUSTRIAN_ID))
            return await super().check(vat_id)

    register = Slow(**{FRENCH_ID: [VALID], AUSTRIAN_ID: [INVALID]})
    await check_due_vat_ids(work_with(tenant, register))
    check = await check_of(tenant, account)
    assert (check.vat_id, check.status) == (AUSTRIAN_ID, VatIdStatus.INVALID)


async def test_two_workers_share_the_questions(tenant):
    async with tenant.tx() as tx:
        accounts = [await a_business(tx, "FR", FRENCH_ID) for _ in range(12)]
    await request_checks(tenant, *accounts)
    register = ScriptedRegister()
    answered = await asyncio.gather(
        *(check_due_vat_ids(work_with(tenant, register)) for _ in range(2))
    )
    assert sum(answered) == len(register.asked) == 12


async def test_what_one_worker_is_claiming_another_passes_over(tenant, clock):
    async with tenant.tx() as tx:
        accounts = [await a_business(tx, "FR", FRENCH_ID) for _ in range(6)]
    await request_checks(tenant, *accounts)
    lease = {"leased_until": clock.now() + timedelta(minutes=1), "limit": 3}
    async with tenant.tx() as one, tenant.tx() as two:
        first = await claim_due_checks(one, **lease)
        second = await asyncio.wait_for(claim_due_checks(two, **lease), timeout=5)
    claimed = {check.account_id for check in (*first, *second)}
    assert claimed == {account.id for account in accounts}


async def test_without_a_register_ids_stay_unchecked(tenant):
    account = await a_checked(tenant)
    assert await check_due_vat_ids(work_with(tenant, None)) == 0
    assert (await check_of(tenant, account)).status is VatIdStatus.UNCHECKED


async def test_another_tenants_ids_are_not_asked_for(tenant, other_tenant):
    account = await a_checked(other_tenant)
    register = ScriptedRegister()
    assert await check_due_vat_ids(work_with(tenant, register)) == 0
    assert register.asked == []
    with pytest.raises(KeyError):
        await check_of(tenant, account)
