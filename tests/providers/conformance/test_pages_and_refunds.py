"""Does every payment provider keep its promises about pages, saved methods, refunds and its books?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from billwright.features.payment_providers.model import AttemptState, Decline
from billwright.features.payment_providers.port import CHECKOUT_EXPIRED
from billwright.kernel.refusal import Refusal
from tests.providers.conformance.rigs import (
    money,
    new_key,
    rigs,
    to_check_out,
    to_collect,
    to_refund,
    to_set_up,
)


@rigs("checkout")
async def test_one_key_is_one_page(rig):
    request = to_check_out(rig)
    pages = [await rig.provider.open_checkout(request)]
    pages += await asyncio.gather(*(rig.provider.open_checkout(request) for _ in range(3)))
    assert pages == pages[:1] * 4
    assert pages[0].url.startswith("https://")
    assert pages[0].expires_at == request.expires_at.replace(microsecond=0)
    assert (await rig.provider.open_checkout(to_check_out(rig))).reference != pages[0].reference


@rigs("checkout")
async def test_a_page_waits_and_is_then_paid(rig):
    request = to_check_out(rig)
    page = await rig.provider.open_checkout(request)
    for waiting in (
        await rig.provider.find(request.provider_key),
        await rig.provider.look_up(page.reference),
    ):
        assert waiting is not None
        assert (waiting.state, waiting.action_url) == (AttemptState.REQUIRES_ACTION, page.url)
    await rig.pay(page.reference)
    for paid in (
        await rig.provider.find(request.provider_key),
        await rig.provider.look_up(page.reference),
    ):
        assert paid is not None
        assert (paid.state, paid.amount) == (AttemptState.SUCCEEDED, request.amount)


@rigs("checkout")
async def test_a_page_is_closed_or_it_is_paid_and_never_both(rig):
    request = to_check_out(rig)
    page = await rig.provider.open_checkout(request)
    assert await rig.provider.withdraw(page.reference)
    assert await rig.provider.withdraw(page.reference)
    found = await rig.provider.find(request.provider_key)
    assert found is not None
    assert (found.state, found.failure_code) == (AttemptState.DECLINED, CHECKOUT_EXPIRED)

    paid = await rig.provider.open_checkout(to_check_out(rig))
    await rig.pay(paid.reference)
    assert not await rig.provider.withdraw(paid.reference)
    with pytest.raises(LookupError):
        await rig.provider.withdraw("cs_nowhere")


@rigs("checkout", "outcomes")
async def test_a_payment_that_waits_for_its_payer_is_withdrawn_and_cannot_be_made_any_more(rig):
    request = to_collect(rig, "action", on_session=True, return_url="https://seller.example/back")
    waiting = await rig.provider.collect(request)
    for _ in range(2):
        assert await rig.provider.withdraw(waiting.provider_reference)
    found = await rig.provider.find(request.provider_key)
    assert found is not None
    assert (found.state, found.decline) == (AttemptState.DECLINED, Decline.SOFT)

    paid = await rig.provider.collect(to_collect(rig))
    assert not await rig.provider.withdraw(paid.provider_reference)


@rigs("checkout")
async def test_an_amount_that_cannot_be_moved_opens_no_page(rig):
    request = to_check_out(rig, amount=money(1234567, "KWD"))
    try:
        page = await rig.provider.open_checkout(request)
    except Refusal as refusal:
        assert refusal.code == "amount_unsupported"
        assert await rig.provider.find(request.provider_key) is None
    else:
        await rig.pay(page.reference)
        paid = await rig.provider.look_up(page.reference)
        assert paid is not None
        assert paid.amount == request.amount


@rigs("setup")
async def test_a_method_that_is_left_can_be_charged_later(rig):
    page = await rig.provider.open_setup(to_set_up())
    await rig.pay(page.reference)
    setup = await rig.provider.look_up(page.reference)
    assert setup is not None
    method = setup.saved_method
    assert method is not None
    assert (method.label, method.payer_reference is None) == ("Visa •••• 4242", False)
    assert method.expires_on is not None
    assert method.fingerprint
    answer = await rig.provider.collect(to_collect(rig, saved_method=method))
    assert answer.state is AttemptState.SUCCEEDED


@rigs("checkout")
async def test_a_method_is_saved_with_a_payment(rig):
    page = await rig.provider.open_checkout(to_check_out(rig, saves_method=True))
    await rig.pay(page.reference)
    paid = await rig.provider.look_up(page.reference)
    assert paid is not None
    assert paid.saved_method is not None


@rigs("refund")
async def test_a_payment_is_given_back(rig):
    paid = await rig.provider.collect(to_collect(rig))
    answer = await rig.provider.refund(to_refund(paid.provider_reference, 4629))
    assert (answer.state, answer.amount) == (AttemptState.SUCCEEDED, money(4629))


@rigs("bounds")
async def test_never_more_than_the_payment_is_given_back(rig):
    """30.00 of 46.29 leaves 16.29, so that 16.30 is too much and 16.29 is the rest."""
    paid = await rig.provider.collect(to_collect(rig))
    reference = paid.provider_reference
    request = to_refund(reference, 3000)
    first = await rig.provider.refund(request)
    assert first.state is AttemptState.SUCCEEDED
    again = await asyncio.gather(*(rig.provider.refund(request) for _ in range(3)))
    assert again == [first] * 3
    found = await rig.provider.find_refund(request.provider_key)
    assert found is not None
    assert found.provider_reference == first.provider_reference
    assert await rig.provider.find(request.provider_key) is None
    assert await rig.provider.find_refund(new_key()) is None

    too_much = await rig.provider.refund(to_refund(reference, 1630))
    assert (too_much.state, too_much.decline) == (AttemptState.DECLINED, Decline.HARD)
    rest = await rig.provider.refund(to_refund(reference, 1629))
    assert rest.state is AttemptState.SUCCEEDED
    nothing_left = await rig.provider.refund(to_refund(reference, 1))
    assert nothing_left.state is AttemptState.DECLINED


@rigs("bounds")
async def test_a_payment_on_a_page_is_given_back_by_the_reference_of_either(rig):
    page = await rig.provider.open_checkout(to_check_out(rig))
    await rig.pay(page.reference)
    paid = await rig.provider.look_up(page.reference)
    assert paid is not None
    for reference in (page.reference, paid.provider_reference):
        answer = await rig.provider.refund(to_refund(reference, 100))
        assert answer.state is AttemptState.SUCCEEDED


@rigs("listing")
async def test_the_books_have_every_payment_of_a_time_once(rig):
    requests = [to_collect(rig) for _ in range(3)] + [to_collect(rig, "soft")]
    answers = [await rig.provider.collect(request) for request in requests]
    start, end = rig.now - timedelta(minutes=1), rig.now + timedelta(minutes=1)
    listed = [each async for each in rig.provider.list_payments(since=start, until=end)]
    assert {each.provider_key for each in listed} == {each.provider_key for each in requests}
    assert len(listed) == len(requests)
    by_key = {each.provider_key: each for each in listed}
    for request, answer in zip(requests, answers, strict=True):
        row = by_key[request.provider_key]
        assert (row.answer.state, row.tenant_id) == (answer.state, request.tenant_id)
        assert row.reference == answer.provider_reference
    earlier = rig.provider.list_payments(since=start - timedelta(hours=1), until=start)
    assert [each async for each in earlier] == []
