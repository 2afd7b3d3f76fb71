"""Does every provider say the same of payments that take days, wait for a payer, or come back?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from billwright.features.payment_providers.model import (
    AttemptState,
    Decline,
    DisputeState,
    EventKind,
)
from billwright.features.payment_providers.port import OutcomeUnknown
from tests.providers.conformance.rigs import money, rigs, to_collect, to_refund, to_set_up


async def listed_by(rig):
    since, until = rig.now - timedelta(hours=1), rig.now + timedelta(hours=1)
    return [each async for each in rig.provider.list_payments(since=since, until=until)]


def told_by(rig):
    return [rig.provider.read_event(body) for body in rig.happened()]


@rigs("outcomes", "callbacks")
@pytest.mark.parametrize(
    ("outcome", "state", "decline"),
    [
        ("slow", AttemptState.SUCCEEDED, None),
        ("slow_soft", AttemptState.DECLINED, Decline.SOFT),
    ],
)
async def test_a_direct_debit_is_under_way_and_then_decided(rig, outcome, state, decline):
    request = to_collect(rig, outcome)
    begun = await rig.provider.collect(request)
    assert (begun.state, begun.amount) == (AttemptState.PROCESSING, request.amount)
    rig.happened()
    await rig.settle(begun.provider_reference, outcome)
    told = told_by(rig)[0]
    assert (told.kind, told.provider_key) == (EventKind.PAYMENT, request.provider_key)
    assert told.answer is not None
    for answer in (
        told.answer,
        await rig.provider.find(request.provider_key),
        await rig.provider.look_up(begun.provider_reference),
        (await listed_by(rig))[0].answer,
    ):
        assert (answer.state, answer.decline) == (state, decline)
        assert answer.provider_reference == begun.provider_reference
        assert answer.amount == (request.amount if state is AttemptState.SUCCEEDED else None)
    # Sent again, it stays what it has become: a provider may replay its first answer, but never charges.
    again = await rig.provider.collect(request)
    assert again.state in {begun.state, state}
    assert len(await listed_by(rig)) == 1


@rigs("outcomes", "callbacks")
async def test_a_payer_who_is_there_confirms_and_has_paid(rig):
    request = to_collect(rig, "action", on_session=True, return_url="https://seller.example/back")
    asked = await rig.provider.collect(request)
    assert asked.state is AttemptState.REQUIRES_ACTION
    rig.happened()
    await rig.authenticate(asked.provider_reference)
    [told] = told_by(rig)
    assert told.answer is not None
    assert told.answer.state is AttemptState.SUCCEEDED
    found = await rig.provider.find(request.provider_key)
    assert (found.state, found.amount, found.action_url) == (
        AttemptState.SUCCEEDED,
        request.amount,
        None,
    )


@rigs("outcomes", "listing")
async def test_a_payer_who_is_not_there_has_paid_nothing(rig):
    """A provider lets the payment wait for its payer, or declines it until they come."""
    answer = await rig.provider.collect(to_collect(rig, "action"))
    if answer.state is AttemptState.DECLINED:
        assert (answer.failure_code, answer.decline) == ("authentication_required", Decline.HARD)
    else:
        assert answer.state is AttemptState.REQUIRES_ACTION
    [listed] = await listed_by(rig)
    assert listed.answer.state is not AttemptState.SUCCEEDED


@rigs("keys", "listing")
async def test_a_key_that_comes_with_other_values_moves_no_second_money(rig):
    request = to_collect(rig)
    first = await rig.provider.collect(request)
    try:
        again = await rig.provider.collect(
            to_collect(rig, provider_key=request.provider_key, amount=money(9999))
        )
    except OutcomeUnknown:
        pass  # the provider has refused it, which says nothing about the first one
    else:
        assert again == first
    [listed] = await listed_by(rig)
    assert (listed.answer.state, listed.answer.amount) == (AttemptState.SUCCEEDED, request.amount)


@rigs("bounds", "callbacks")
async def test_a_payment_goes_back_in_parts_until_nothing_is_left(rig):
    """46.29 goes back as 10.00, 20.00 and the rest of 16.29."""
    paid = await rig.provider.collect(to_collect(rig))
    rig.happened()
    for part in (1000, 2000, 1629):
        request = to_refund(paid.provider_reference, part)
        answer = await rig.provider.refund(request)
        assert (answer.state, answer.amount) == (AttemptState.SUCCEEDED, money(part))
        [told] = told_by(rig)
        assert (told.kind, told.provider_key) == (EventKind.REFUND, request.provider_key)
        assert told.payment_reference == paid.provider_reference
        assert await rig.provider.look_up(answer.provider_reference) == answer
    more = await rig.provider.refund(to_refund(paid.provider_reference, 1))
    assert (more.state, more.decline) == (AttemptState.DECLINED, Decline.HARD)
    [listed] = await listed_by(rig)
    assert listed.answer.amount == money()  # what came has come, whatever went back


@rigs("outcomes", "callbacks")
@pytest.mark.parametrize("decided", [DisputeState.WON, DisputeState.LOST])
async def test_a_dispute_is_told_of_when_it_opens_and_when_it_is_decided(rig, decided):
    paid = await rig.provider.collect(to_collect(rig))
    rig.happened()
    references = set()
    for state in (DisputeState.OPEN, decided):
        await rig.dispute(paid.provider_reference, state)
        [told] = told_by(rig)
        assert told.kind is EventKind.DISPUTE
        assert told.dispute is not None
        assert (told.dispute.state, told.dispute.amount) == (state, money())
        assert told.dispute.payment_reference == paid.provider_reference
        references.add(told.dispute.reference)
    assert len(references) == 1


@rigs("listing")
async def test_long_books_are_listed_completely_and_without_repetition(rig):
    """More than two pages of a hundred."""
    requests = [to_collect(rig) for _ in range(201)]
    for request in requests:
        await rig.provider.collect(request)
    keys = [each.provider_key for each in await listed_by(rig)]
    assert sorted(keys) == sorted(request.provider_key for request in requests)


async def all_of(listing):
    return [each async for each in listing]


@rigs("bounds", "listing")
async def test_every_refund_is_listed_with_its_payment_whoever_made_it(rig):
    paid = await rig.provider.collect(to_collect(rig))
    request = to_refund(paid.provider_reference, 1000)
    ours = await rig.provider.refund(request)
    theirs = await rig.give_back(paid.provider_reference, 500)
    since, until = rig.now - timedelta(hours=1), rig.now + timedelta(hours=1)
    listed = await all_of(rig.provider.list_refunds(since=since, until=until))
    assert {each.reference: each.provider_key for each in listed} == {
        ours.provider_reference: request.provider_key,
        theirs: None,
    }
    assert {each.reference: each.tenant_id for each in listed} == {
        ours.provider_reference: request.tenant_id,
        theirs: None,
    }
    for each in listed:
        assert each.payment_reference == paid.provider_reference
        assert await rig.provider.look_up(each.reference) == each.answer
    earlier = rig.provider.list_refunds(since=since - timedelta(days=1), until=since)
    assert await all_of(earlier) == []


@rigs("outcomes", "listing")
async def test_a_dispute_is_listed_when_it_was_opened_and_found_as_it_stands(rig):
    since, until = rig.now - timedelta(hours=1), rig.now + timedelta(hours=1)
    paid = await rig.provider.collect(to_collect(rig))
    for state in (DisputeState.OPEN, DisputeState.LOST):
        await rig.dispute(paid.provider_reference, state)
        [listed] = await all_of(rig.provider.list_disputes(since=since, until=until))
        assert (listed.state, listed.amount) == (state, money())
        assert listed.payment_reference == paid.provider_reference
        assert await rig.provider.find_dispute(listed.reference) == listed
    assert await rig.provider.find_dispute("du_nobody") is None
    earlier = rig.provider.list_disputes(since=since - timedelta(days=1), until=since)
    assert await all_of(earlier) == []


@rigs("outcomes", "setup", "callbacks")
async def test_a_method_that_was_detached_cannot_be_charged_and_is_detached_once(rig):
    page = await rig.provider.open_setup(to_set_up())
    await rig.pay(page.reference)
    left = (await rig.provider.look_up(page.reference)).saved_method
    charged = await rig.provider.collect(to_collect(rig, saved_method=left))
    assert charged.state is AttemptState.SUCCEEDED
    for _ in range(2):
        await rig.provider.detach(left.reference)
    refused = await rig.provider.collect(to_collect(rig, saved_method=left))
    assert (refused.state, refused.decline) == (AttemptState.DECLINED, Decline.HARD)
    await rig.provider.detach("pm_missing")  # nobody knows it: it is gone
