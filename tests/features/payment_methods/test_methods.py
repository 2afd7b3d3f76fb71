"""Does an account pay with the method that it wants to pay with, and with no other?"""

from __future__ import annotations

import asyncio
import json
from datetime import date
from random import Random
from uuid import uuid4

import pytest

from billwright.features.payment_methods.model import MethodStatus
from billwright.features.payment_methods.operations.make_default import make_default
from billwright.features.payment_methods.operations.refresh_method import refresh_method
from billwright.features.payment_methods.operations.remove_method import remove_method
from billwright.features.payment_methods.operations.saved_method import (
    payer_reference_of,
    saved_method,
)
from billwright.features.payment_methods.operations.set_chargeable import set_chargeable
from billwright.features.payment_methods.sql.reads import (
    default_method_of,
    list_methods,
    methods_of_reference,
)
from billwright.kernel.refusal import Refusal
from billwright.runtime.secrets import SecretBox, SecretUnreadable
from tests.conftest import BOX, Tenant
from tests.features.payment_methods.methods import (
    PROVIDER,
    a_card,
    a_customer,
    default_now,
    has_method,
    leave,
    method_now,
)
from tests.features.payments.paying import events_of

ROTATED = SecretBox(bytes(range(1, 33)), [bytes(range(32))])


async def test_the_first_method_is_the_default_and_the_next_one_is_kept_beside_it(tenant: Tenant):
    account = await a_customer(tenant)
    assert not await has_method(tenant, account.id)
    first = await leave(tenant, account.id)
    second = await leave(tenant, account.id, a_card("pm_second"))
    assert await default_now(tenant, account.id) == first
    assert await has_method(tenant, account.id)
    added = [
        (event["subject_id"], json.loads(event["data"])["is_default"])
        for event in await events_of(tenant, "payment_method.added")
    ]
    assert added == [(first, True), (second, False)]
    assert len(await events_of(tenant, "account.updated")) == 1


@pytest.mark.parametrize("useless", ["declined for good", "expired", "removed"])
async def test_a_method_that_is_left_while_the_default_is_no_good_takes_its_place(
    tenant: Tenant, useless: str
):
    account = await a_customer(tenant)
    expires_on = date(2026, 1, 14) if useless == "expired" else date(2026, 1, 15)  # today
    first = await leave(tenant, account.id, a_card(expires_on=expires_on))
    async with tenant.tx() as tx:
        if useless == "declined for good":
            await set_chargeable(tx, first, is_chargeable=False)
        elif useless == "removed":
            await remove_method(tx, first)
    # That a card has expired alone is no reason not to try it.
    assert await has_method(tenant, account.id) is (useless == "expired")
    second = await leave(tenant, account.id, a_card("pm_second"))
    assert await default_now(tenant, account.id) == second
    assert await has_method(tenant, account.id)


async def test_what_is_left_again_is_one_method_and_renewed(tenant: Tenant):
    account = await a_customer(tenant)
    first = await leave(tenant, account.id)
    await leave(tenant, account.id)  # the provider repeats itself
    assert (await method_now(tenant, first)).version == 1
    renewed = a_card(expires_on=date(2031, 12, 31))
    assert await leave(tenant, account.id, renewed, consent="page 2") == first
    method = await method_now(tenant, first)
    assert (method.expires_on, method.consent) == (date(2031, 12, 31), "page 2")
    async with tenant.tx() as tx:
        active = MethodStatus.ACTIVE
        assert [
            one.id
            for one in await list_methods(tx, account.id, before=None, limit=9, status=active)
        ] == [first]


async def test_what_was_removed_comes_back_by_a_new_consent_only(tenant: Tenant):
    account = await a_customer(tenant)
    method_id = await leave(tenant, account.id)
    async with tenant.tx() as tx:
        await remove_method(tx, method_id)
        await remove_method(tx, method_id)
    assert len(await events_of(tenant, "payment_method.removed")) == 1
    assert await leave(tenant, account.id) == method_id  # the same page, told once more
    assert (await method_now(tenant, method_id)).status is MethodStatus.REMOVED
    assert not await has_method(tenant, account.id)
    assert await leave(tenant, account.id, consent="page 2") == method_id
    assert (await method_now(tenant, method_id)).status is MethodStatus.ACTIVE
    assert await default_now(tenant, account.id) == method_id
    assert await has_method(tenant, account.id)


async def test_no_method_takes_the_place_of_a_removed_default_by_itself(tenant: Tenant):
    account = await a_customer(tenant)
    first = await leave(tenant, account.id)
    second = await leave(tenant, account.id, a_card("pm_second"))
    async with tenant.tx() as tx:
        await remove_method(tx, first)
    assert await default_now(tenant, account.id) is None
    assert not await has_method(tenant, account.id)
    async with tenant.tx() as tx:
        await make_default(tx, second)
        await make_default(tx, second)
    assert await default_now(tenant, account.id) == second
    assert await has_method(tenant, account.id)
    assert len(await events_of(tenant, "payment_method.changed")) == 1
    with pytest.raises(Refusal, match="was removed"):
        async with tenant.tx() as tx:
            await make_default(tx, first)


async def test_naming_a_method_that_was_declined_for_good_tries_it_again(tenant: Tenant):
    account = await a_customer(tenant)
    method_id = await leave(tenant, account.id)
    async with tenant.tx() as tx:
        await set_chargeable(tx, method_id, is_chargeable=False)
    assert not await has_method(tenant, account.id)
    async with tenant.tx() as tx:
        await make_default(tx, method_id)
    assert (await method_now(tenant, method_id)).is_chargeable
    assert await has_method(tenant, account.id)


async def test_a_renewed_card_can_be_charged_again(tenant: Tenant):
    account = await a_customer(tenant)
    method_id = await leave(tenant, account.id)
    for card, chargeable in ((a_card(), False), (a_card(label="Visa •••• 1881"), True)):
        async with tenant.tx() as tx:
            await set_chargeable(tx, method_id, is_chargeable=False)
            assert await refresh_method(tx, provider=PROVIDER, method=card, box=BOX)
        method = await method_now(tenant, method_id)
        assert (method.label, method.is_chargeable) == (card.label, chargeable)
    assert await has_method(tenant, account.id)


async def test_one_card_of_two_accounts_is_renewed_for_both_unless_removed(tenant: Tenant):
    accounts = [await a_customer(tenant, name=name) for name in ("North", "South")]
    kept, removed = [await leave(tenant, account.id) for account in accounts]
    assert kept != removed
    renewed = a_card(expires_on=date(2031, 12, 31))
    async with tenant.tx() as tx:
        await remove_method(tx, removed)
        assert await refresh_method(tx, provider=PROVIDER, method=renewed, box=BOX)
        assert not await refresh_method(tx, provider="stripe", method=renewed, box=BOX)
        assert not await refresh_method(tx, provider=PROVIDER, method=a_card("x"), box=BOX)
    assert (await method_now(tenant, kept)).expires_on == date(2031, 12, 31)
    assert (await method_now(tenant, removed)).expires_on == date(2028, 12, 31)


async def test_a_provider_is_told_its_own_words(tenant: Tenant):
    account = await a_customer(tenant)
    method_id = await leave(tenant, account.id)
    async with tenant.tx() as tx:
        told = await saved_method(tx, method_id, box=BOX)
        assert (told.reference, told.payer_reference) == ("pm_visa", "cus_riverbank")
        await remove_method(tx, method_id)
        # The payer is still the one whom the provider knows.
        known_as = await payer_reference_of(tx, account.id, provider=PROVIDER, box=BOX)
        assert known_as == "cus_riverbank"
        assert await payer_reference_of(tx, account.id, provider="stripe", box=BOX) is None


@pytest.mark.parametrize("touch", ["charge", "refresh", "leave"])
async def test_a_changed_key_finds_and_opens_what_the_old_one_sealed(tenant: Tenant, touch: str):
    account = await a_customer(tenant)
    method_id = await leave(tenant, account.id)
    async with tenant.tx() as tx:
        found = await methods_of_reference(tx, provider=PROVIDER, reference="pm_visa", box=ROTATED)
        assert [one.id for one in found] == [method_id]
        if touch == "charge":
            assert (await saved_method(tx, method_id, box=ROTATED)).reference == "pm_visa"
        elif touch == "refresh":
            silent = a_card(payer_reference=None)
            assert await refresh_method(tx, provider=PROVIDER, method=silent, box=ROTATED)
    if touch == "leave":
        assert await leave(tenant, account.id, box=ROTATED) == method_id
    current = SecretBox(bytes(range(1, 33)))  # the old key is gone for good
    async with tenant.tx() as tx:
        told = await saved_method(tx, method_id, box=current)
        assert (told.reference, told.payer_reference) == ("pm_visa", "cus_riverbank")
        found = await methods_of_reference(tx, provider=PROVIDER, reference="pm_visa", box=current)
        assert [one.id for one in found] == [method_id]
        with pytest.raises(SecretUnreadable):
            await saved_method(tx, method_id, box=BOX)


async def test_another_tenant_has_nothing_of_it(tenant: Tenant, other_tenant: Tenant):
    account = await a_customer(tenant)
    method_id = await leave(tenant, account.id)
    async with other_tenant.tx() as tx:
        found = await methods_of_reference(tx, provider=PROVIDER, reference="pm_visa", box=BOX)
        assert found == []
        assert await default_method_of(tx, account.id) is None
        for operation in (make_default, remove_method):
            with pytest.raises(Refusal, match="There is no payment method"):
                await operation(tx, method_id)
        for unknown in (method_id, uuid4()):
            with pytest.raises(Refusal, match="There is no payment method"):
                await saved_method(tx, unknown, box=BOX)
    assert (await method_now(tenant, method_id)).is_default


async def test_two_pages_that_end_at_once_leave_one_default(tenant: Tenant):
    account = await a_customer(tenant)
    cards = [a_card("pm_one"), a_card("pm_two"), a_card("pm_one")]
    ids = await asyncio.gather(*(leave(tenant, account.id, card) for card in cards))
    assert ids[0] == ids[2] != ids[1]
    assert await default_now(tenant, account.id) in ids
    assert len(await events_of(tenant, "payment_method.added")) == 2


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_an_account_knows_whether_it_can_be_collected_from(
    tenant: Tenant, seed: int
):
    """Sixty random steps with three cards."""
    draw = Random(seed)
    account = await a_customer(tenant)
    references = ["pm_one", "pm_two", "pm_three"]
    ids = {name: await leave(tenant, account.id, a_card(name)) for name in references}
    for step in range(60):
        name = draw.choice(references)
        kind = draw.choice(["leave", "remove", "default", "decline", "refresh"])
        if kind == "leave":
            assert await leave(tenant, account.id, a_card(name), consent=f"{step}") == ids[name]
        else:
            async with tenant.tx() as tx:
                try:
                    if kind == "remove":
                        await remove_method(tx, ids[name])
                    elif kind == "default":
                        await make_default(tx, ids[name])
                    elif kind == "decline":
                        await set_chargeable(tx, ids[name], is_chargeable=False)
                    else:
                        card = a_card(name, label=f"Visa {step}")
                        await refresh_method(tx, provider=PROVIDER, method=card, box=BOX)
                except Refusal as refusal:
                    assert refusal.code == "payment_method_removed"
        methods = [await method_now(tenant, method_id) for method_id in ids.values()]
        defaults = [one for one in methods if one.is_default]
        assert len(defaults) <= 1
        assert all(one.status is MethodStatus.ACTIVE for one in defaults)
        assert await has_method(tenant, account.id) is any(one.is_chargeable for one in defaults)
        assert await default_now(tenant, account.id) == (defaults[0].id if defaults else None)
